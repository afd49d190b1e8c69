import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Globs, isWithin } from '../../src/discover/globs.ts'

const name = fc.constantFrom('a', 'b', 'app', 'app.log', 'x.log', '.hidden', 'a{b', 'old', 'q[1]')
const plain = fc.constantFrom(
  '*',
  '*.log',
  '?',
  '[ab]',
  '[!a]*',
  'a*',
  '{a,app}',
  '*.{log,txt}',
  '**',
  '.hidden',
  'q[[]1]',
)
const segment = fc.oneof(
  { arbitrary: name.filter((part) => !/[{[]/.test(part)), weight: 3 },
  { arbitrary: plain, weight: 4 },
)
const spanning = fc.constantFrom('{a,b/app}', '{app,old/**}/x.log', '{a,b}{.log,/x.log}', 'o{ld/a,x}', '[{]{a,b/old}')
const glob = fc
  .tuple(fc.array(segment, { maxLength: 3 }), fc.option(spanning, { freq: 4 }), fc.array(segment, { maxLength: 2 }))
  .map(([before, brace, after]) => ['/v', ...before, ...(brace === null ? [] : [brace]), ...after].join('/'))
const globs = fc.array(glob, { minLength: 1, maxLength: 3 })
const excludes = fc.array(glob, { maxLength: 2 })
const file = fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => `/v/${parts.join('/')}`)

/** Every directory above a path, from the root of all on. */
function directoriesAbove(at: string): string[] {
  const parts = at.split('/').slice(1, -1)
  return parts.map((_part, index) => `/${parts.slice(0, index + 1).join('/')}`)
}

describe('globs', () => {
  test('match as path.matchesGlob does, exclusion wins', () => {
    fc.assert(
      fc.property(globs, excludes, file, (include, exclude, at) => {
        const wanted =
          include.some((one) => path.matchesGlob(at, one)) && !exclude.some((one) => path.matchesGlob(at, one))
        expect(new Globs(include, exclude).matches(at)).toBe(wanted)
      }),
    )
  })

  test('never leave out a directory that holds a match, and never look for one outside of the roots', () => {
    fc.assert(
      fc.property(globs, excludes, file, (include, exclude, at) => {
        const all = new Globs(include, exclude)
        if (!all.matches(at)) return
        const root = all.roots().find((one) => isWithin(at, one))
        expect(root, `a root of ${at} for ${include.join(' ')}`).toBeDefined()
        for (const directory of directoriesAbove(at).filter((one) => isWithin(one, root!))) {
          expect(all.mayContain(directory), `${directory} for ${include.join(' ')} without ${exclude.join(' ')}`).toBe(
            true,
          )
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test.each([
    [['/var/log/app/*.log'], '/var/log/app/old', false],
    [['/var/log/app/**/*.log'], '/var/log/app/old/older', true],
    [['/var/log/*/app.log'], '/var/log/a', true],
    [['/var/log/*/app.log'], '/var/log/a/b', false],
    [['/var/log/a*/app.log'], '/var/log/b', false],
    [['/var/log/app.log'], '/var/log/app.log', false],
    [['/v/{a,b/c}/*.log'], '/v/b/c', true],
    [['/v/{a,b/c}/*.log'], '/v/x', true],
  ])('%j may have something in %s: %s', (include, directory, expected) => {
    expect(new Globs(include, []).mayContain(directory)).toBe(expected)
  })

  test.each([
    ['/v/**/*.log', '/v/skip/**', '/v/skip', false],
    ['/v/**/*.log', '/v/skip/**', '/v/skip/deeper', false],
    ['/v/**/*.log', '/v/skip/**', '/v/skipped', true],
    // Leaves out a file of that name, not what is in a directory of that name.
    ['/v/**/*.log', '/v/debug*', '/v/debug-all', true],
    ['/v/**/*.log', '/v/**/*.log', '/v/a', true],
  ])('%s without %s looks into %s: %s', (include, exclude, directory, expected) => {
    expect(new Globs([include], [exclude]).mayContain(directory)).toBe(expected)
  })

  test.each(['/v/state', '/v/.state', '/v/[state]', '/v/{a,b}', '/v/a*b'])(
    'nothing in a directory of its own is tailed, however it is called: %s',
    (own) => {
      const all = new Globs(['/v/**/*', '/v/**/.*', '/v/.state/*'], [], [own])
      for (const at of [own, `${own}/checkpoint.json`, `${own}/.hidden`, `${own}/dead-letters/1.log`]) {
        expect(all.matches(at), at).toBe(false)
        expect(all.excludes(at), at).toBe(true)
        expect(all.mayContain(at), at).toBe(false)
      }
      expect(all.matches(`${own}2`)).toBe(new Globs(['/v/**/*', '/v/**/.*'], []).matches(`${own}2`))
    },
  )

  test.each([
    [['/var/log/app/**/*.log', '/var/log/app/x/*.txt'], ['/var/log/app']],
    [
      ['/a/*.log', '/b/c.log'],
      ['/a', '/b'],
    ],
    [['/a/b.log', '/a/b/c.log'], ['/a']],
    [['/a/b*/c.log'], ['/a']],
    [['/*.log'], ['/']],
    [['/v/{a,b}/x.log'], ['/v']],
  ])('%j begins at %j', (include, roots) => {
    expect(new Globs(include, []).roots()).toEqual(roots)
  })

  test.each([
    ['/a/b', '/a', true],
    ['/a', '/a', true],
    ['/ab', '/a', false],
    ['/a', '/', true],
    ['/a', '/a/b', false],
  ])('%s is within %s: %s', (inner, outer, expected) => {
    expect(isWithin(inner, outer)).toBe(expected)
  })
})
