import { posix } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expandBraces, splitOutside } from '../../src/config/braces.ts'
import { coversAll, excludeGlobs, includeGlobs, reachesInto } from '../../src/config/globs.ts'

describe('lists', () => {
  test.each([
    ['/var/log/app/*.log', ['/var/log/app/*.log']],
    ['/a/*.log, /b/**/x', ['/a/*.log', '/b/**/x']],
    ['/a/{x,y}.log,/b/*', ['/a/{x,y}.log', '/b/*']],
    ['/a/{x,{y,z}}/*,/b', ['/a/{x,{y,z}}/*', '/b']],
    ['/a/[,]*.log,/b', ['/a/[,]*.log', '/b']],
    ['/a/[]]x,/b', ['/a/[]]x', '/b']],
    ['/a/[!,{]x,/b', ['/a/[!,{]x', '/b']],
    ['{/a,/b}/*.log', ['{/a,/b}/*.log']],
    ['/a/x..y', ['/a/x..y']],
    ['/a/app (1).log', ['/a/app (1).log']],
  ])('%s is %j', (text, value) => expect(includeGlobs.parse(text)).toEqual({ ok: true, value }))

  test.each([
    ['*.log', 'is not absolute'],
    ['./x', 'is not absolute'],
    ['{/a,b}/x', 'is not absolute'],
    ['/a/*,', 'empty entry'],
    ['!/a/b', 'REMORA_EXCLUDE'],
    ['/a/../etc/*', 'has a .. in it'],
    ['/a/{b,..}/*', 'range or ..'],
    ['/a/{1..9}.log', 'list the alternatives'],
    ['/a/.{.,b}/x', 'has a .. in it'],
    ['/a/', 'names a directory'],
    ['/a//b', '//'],
    ['/a/./b', '//'],
    ['/a/{b,c', 'without its partner'],
    ['/a/b},/c', 'without its partner'],
    ['/a/[b', 'without its partner'],
    ['/a/{b}', 'one alternative'],
    ['/a/b\\*', 'backslash'],
    ['/a/+(b|c)', 'group'],
    ['/a/[b/c]', 'inside [ ]'],
    ['/a/**.log', 'no more than *'],
    ['/a/b**/c', 'no more than *'],
    ['/**/*.log', 'whole container'],
    ['/*/x', 'whole container'],
    ['/[a]/x', 'whole container'],
    [`/${'a'.repeat(1024)}`, 'too long'],
    [Array.from({ length: 33 }, () => '/a').join(','), 'lists 33 globs'],
    [`/a${'{b,c}'.repeat(9)}`, 'more than 256 globs'],
    [`/a${'{b,c}'.repeat(200)}`, 'more than 256 globs'],
  ])('%s: %s', (text, words) => {
    const parsed = includeGlobs.parse(text)
    expect(parsed.ok ? 'accepted' : `${parsed.message} ${parsed.wayOut}`).toContain(words)
  })

  test('what to leave out may begin with a wildcard', () => {
    expect(excludeGlobs.parse('/**/*.gz')).toEqual({ ok: true, value: ['/**/*.gz'] })
    expect(excludeGlobs.parse('*.gz')).toMatchObject({ ok: false, wayOut: 'begin it with /, as in /**/*.log' })
  })

  test('no text throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'/ab*?[]{},.!\\('.split('')), maxLength: 60 }), (text) => {
        const parsed = includeGlobs.parse(`/${text}`)
        const reaching = parsed.ok ? parsed.value.map((glob) => reachesInto(glob, '/var/lib/remora')) : parsed.message
        expect(reaching).not.toBe('')
      }),
    )
  })
})

describe('braces', () => {
  test.each([
    ['a', ['a']],
    ['a{b,c}d', ['abd', 'acd']],
    ['{a,b}{c,d}', ['ac', 'ad', 'bc', 'bd']],
    ['{a,{b,c}d}e', ['ae', 'bde', 'cde']],
    ['{a,}b', ['ab', 'b']],
    ['{[,],x}', ['[,]', 'x']],
    ['[{]a', ['[{]a']],
  ])('%s stands for %j', (glob, expanded) => expect(expandBraces(glob, 256)).toEqual(expanded))

  test('a list splits and joins to itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab{},[]!'.split('')) }), (text) => {
        expect(splitOutside(text)?.join(',') ?? text).toBe(text)
      }),
    )
  })
})

describe('reaching into a directory', () => {
  const directory = '/var/lib/remora'
  test.each([
    ['/var/lib/remora/*', true],
    ['/var/lib/remora/x', true],
    ['/var/lib/*/x', true],
    ['/var/**/*.log', true],
    ['/var/lib/{a,remora}/*', true],
    ['/var/lib/rem*/**', true],
    ['/var/**/remora/*', true],
    ['/var/lib/**', true],
    ['/var/lib/remora', false],
    ['/var/lib/*', false],
    ['/var/lib/rem/*', false],
    ['/var/log/**/*.log', false],
    ['/var/lib/remora2/**', false],
    ['/var/lib/{a,b}/**', false],
  ])('%s: %s', (glob, reaches) => expect(reachesInto(glob, directory)).toBe(reaches))

  test('a wildcard is taken to match names with a leading dot', () => {
    expect(reachesInto('/var/log/app/**/*.log', '/var/log/app/.remora')).toBe(true)
    expect(reachesInto('/var/log/*/*.log', '/var/log/.remora')).toBe(true)
  })

  const names = fc.constantFrom('a', 'b', 'ab')
  const patterns = fc.constantFrom('a', 'b', '*', '**', 'a*', '?', '{a,b}', '[ab]')
  test('whenever a file below the directory is matched, the glob reaches into it', () => {
    const path = fc.array(names, { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(patterns, { minLength: 1, maxLength: 4 }), path, path, (segments, above, below) => {
        const glob = `/${segments.join('/')}`
        const stateDir = `/${above.join('/')}`
        const matches = posix.matchesGlob(`${stateDir}/${below.join('/')}`, glob)
        expect(!matches || reachesInto(glob, stateDir)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('whenever a glob is said to cover a directory, it matches every file below', () => {
    const path = fc.array(names, { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(patterns, { maxLength: 3 }), path, path, (segments, above, below) => {
        const glob = `/${[...segments, '**'].join('/')}`
        const stateDir = `/${above.join('/')}`
        const matches = posix.matchesGlob(`${stateDir}/${below.join('/')}`, glob)
        expect(matches || !coversAll(glob, stateDir)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['/var/lib/remora/**', true],
    ['/var/**', true],
    ['/**', true],
    ['/var/lib/{x,remora}/**', true],
    ['/var/lib/remora/*', false],
    ['/var/lib/remora/**/*.json', false],
    ['/var/lib/remora/state/**', false],
    ['/var/lib/other/**', false],
  ])('%s covers it: %s', (glob, covers) => expect(coversAll(glob, directory)).toBe(covers))
})
