import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { findAnchor, distinctionOf, nameOf, Names, UsedNames, type NameFacts } from '../../src/follow/names.ts'

const line = (text: string) => Buffer.from(text, 'latin1')

describe('a line that tells a content from others', () => {
  test.each([
    '2026-11-23T06:31:26.123Z INFO started',
    '10.0.0.7 - - [23/Nov/2026:06:31:26 +0000] "GET / HTTP/1.1" 200 17',
    'Nov 23 06:31:26 host app[17]: started',
    '{"seq":171717171}',
    'line 000017',
    '1763879486',
    Buffer.from('line 000017', 'utf16le').toString('latin1'),
  ])('%j does', (text) => expect(distinctionOf(line(text), line(''))).toBe('alone'))

  test.each([
    '',
    'started',
    '*** Payments ***',
    ' :: Spring Boot ::        (v2.7.1)',
    'listening on port 8080',
    'line 17',
  ])('%j alone does not', (text) => expect(distinctionOf(line(text), line('started'))).toBe(undefined))

  test.each([
    ['line 16', 'line 17', 'counts'],
    ['<16>', '<17>', 'counts'],
    ['line 17', 'line 17', undefined],
    ['worker 1 is ready', 'port 8080', undefined],
    ['started', 'started', undefined],
  ])('behind %j, %j: %s', (before, text, expected) => {
    expect(distinctionOf(line(text), line(before))).toBe(expected)
  })
})

const head = (text: string) => Buffer.from(text)

describe('the anchor', () => {
  test.each([
    ['', 0, false, { kind: 'later', offset: 0, end: 0 }],
    ['sta', 0, false, { kind: 'later', offset: 0, end: 0 }],
    ['started\n', 0, false, { kind: 'later', offset: 8, end: 8 }],
    ['started\nlin', 0, false, { kind: 'later', offset: 8, end: 8 }],
    // The line before may count: the next one tells.
    ['started\nline 1\n', 8, false, { kind: 'later', offset: 8, end: 15 }],
    ['line 1\nline', 0, false, { kind: 'later', offset: 0, end: 7 }],
    ['started\nline 1\nline 2\n', 8, false, { kind: 'found', offset: 8, telling: 15, end: 22 }],
    ['line 1\nline 2\n', 0, false, { kind: 'found', offset: 0, telling: 7, end: 14 }],
    // It was shipped before the next one came.
    ['started\nline 1\nline 2\n', 15, false, { kind: 'found', offset: 15, telling: 15, end: 22 }],
    ['port 8080\nline 1\nline 2\n', 0, false, { kind: 'found', offset: 10, telling: 17, end: 24 }],
    ['port 8080\n10:00:00 go\n', 0, false, { kind: 'found', offset: 10, telling: 10, end: 22 }],
    ['line 000017', 0, false, { kind: 'later', offset: 0, end: 0 }],
    ['line 000017', 0, true, { kind: 'found', offset: 0, telling: 0, end: 11 }],
    ['started\nend', 0, true, { kind: 'later', offset: 11, end: 11 }],
    ['a 1\nline\n', 4, false, { kind: 'later', offset: 9, end: 9 }],
    ['x'.repeat(limits.headBytesMax), 0, false, { kind: 'none' }],
    ['000017 '.padEnd(limits.headBytesMax, 'x'), 0, false, { kind: 'found', offset: 0 }],
    ['x\n'.repeat(limits.headBytesMax / 2), 0, false, { kind: 'none' }],
    ['x\n1 '.padEnd(limits.headBytesMax, 'x'), 0, false, { kind: 'none' }],
  ] as const)('of %j from %i, ended %s', (text, from, ended, expected) => {
    expect(findAnchor(head(text), from, ended)).toMatchObject(expected)
  })

  test('is the same however much of the content is there, when the lines before it were looked at', () => {
    const lines = fc.constantFrom(
      'started\n',
      'ready 17\n',
      'ready 18\n',
      '\n',
      'x'.repeat(90) + '\n',
      '12:00:00 go\n',
      'end',
    )
    fc.assert(
      fc.property(fc.array(lines, { maxLength: 60 }), fc.array(fc.nat(5000), { maxLength: 6 }), (chosen, cuts) => {
        const whole = head(chosen.join('')).subarray(0, limits.headBytesMax)
        let from = 0
        let found = findAnchor(Buffer.alloc(0), 0, false)
        for (const cut of cuts.toSorted((a, b) => a - b)) {
          if (found.kind !== 'later') break
          found = findAnchor(whole.subarray(0, cut), from, false)
          if (found.kind === 'later') from = found.offset
        }
        if (found.kind === 'later') found = findAnchor(whole, from, false)
        expect(found).toEqual(findAnchor(whole, 0, false))
      }),
    )
  })
})

const facts: NameFacts = { basePath: '/logs/app.log', inode: 7n, birthNs: 5n, epoch: 0, fingerprintHash: 'banner' }
const names = (used = '', incarnation = 'i') => new Names('pod', incarnation, used)

describe('a name', () => {
  test('is twelve base64url characters, and the same for the same facts', () => {
    expect(nameOf(['pod', '12', '34'])).toMatch(/^[\w-]{12}$/)
    expect(nameOf(['0d9f3c2e-1d5b-4a7e-8f43-0a1b2c3d4e5f', '1234', '0', 'hash', '0'])).toBe('2urM1Rq0Ruln')
  })

  test('is another one for other facts, wherever they are cut', () => {
    const list = fc.array(fc.oneof(fc.string(), fc.constantFrom('', '1', '1:', '1:1,', ',', '0:,', '12', 'é')), {
      maxLength: 5,
    })
    fc.assert(
      fc.property(list, list, (one, other) => {
        expect(nameOf(one) === nameOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
      }),
      { numRuns: 1000 },
    )
    const joined = [['a', 'b'], ['ab'], ['a,b'], ['', 'ab'], ['ab', ''], ['1:a,1:b'], ['a', '1:b'], [], [''], ['', '']]
    expect(new Set(joined.map(nameOf)).size).toBe(joined.length)
  })

  test('of an anchor does not depend on inode, birth, number of truncations, or state', () => {
    const moved = { ...facts, inode: 8n, birthNs: 9n, epoch: 3, fingerprintHash: 'other' }
    expect(names('', 'later').ofAnchor(moved, 'line 17')).toBe(names().ofAnchor(facts, 'line 17'))
  })

  test.each([
    ['pod', new Names('other', 'i', '').ofAnchor(facts, 'line 17')],
    ['path', names().ofAnchor({ ...facts, basePath: '/logs/b.log' }, 'line 17')],
    ['line', names().ofAnchor(facts, 'line 18')],
  ])('of an anchor depends on the %s', (_what, other) => {
    expect(names().ofAnchor(facts, 'line 17')).not.toBe(other)
  })

  test('is given out once, also across a restart, whatever the facts', () => {
    let state = names()
    const given: string[] = []
    for (let round = 0; round < 5; round++) {
      const anchored = state.ofAnchor(facts, 'line 17')
      state.use(anchored)
      given.push(anchored, state.ofBanner(facts))
      state = names(state.text)
    }
    expect(new Set(given).size).toBe(given.length)
  })

  test('of an anchor under which nothing was named is left to the next content that has it', () => {
    const state = names()
    expect(state.ofAnchor(facts, 'line 17')).toBe(state.ofAnchor({ ...facts, inode: 8n }, 'line 17'))
  })

  test('of a banner is another one when the state was lost, for nobody knows what it was given to', () => {
    expect(names('', 'later').ofBanner(facts)).not.toBe(names().ofBanner(facts))
    expect(names().ofBanner(facts)).toBe(names().ofBanner(facts))
  })

  test('is not made of an anchor that two files have: it tells nothing', () => {
    const [one, other] = [names('', 'later'), names()]
    const [a, b] = [{}, {}]
    one.note(a, facts.basePath, 'port 8080')
    one.note(b, facts.basePath, 'port 8080')
    expect(one.ofAnchor(facts, 'port 8080')).not.toBe(other.ofAnchor(facts, 'port 8080'))
    one.forget(a, facts.basePath, 'port 8080')
    expect(one.ofAnchor(facts, 'port 8080')).toBe(names().ofAnchor(facts, 'port 8080'))
  })

  test('is found even when every name seems to be taken', () => {
    const full = names(Buffer.alloc(8192, 255).toString('base64'))
    expect(full.ofBanner(facts)).not.toBe(full.ofBanner({ ...facts, inode: 8n }))
  })
})

const name = (n: number) => nameOf([String(n)])

describe('the names that were given out', () => {
  test('are never forgotten, and hardly any other seems to be one', () => {
    const used = new UsedNames()
    for (let n = 0; n < 4_000; n++) used.add(name(n))
    const again = new UsedNames(used.text)
    for (let n = 0; n < 4_000; n++) expect(again.has(name(n))).toBe(true)
    let wrong = 0
    for (let n = 4_000; n < 14_000; n++) if (again.has(name(n))) wrong++
    expect(wrong).toBeLessThan(100)
  })

  test.each(['', 'not base64!', 'AAAA'])('begin anew with %j', (text) => {
    expect(new UsedNames(text).has(nameOf([]))).toBe(false)
  })
})
