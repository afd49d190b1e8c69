import * as fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { deserialize, FutureState, serialize, writerOf } from '../../src/settle/state-text.ts'
import { runs } from '../base/runs.ts'
import { generationOf, stateOf, states } from './states.ts'

const withHeader = (header: unknown, body: string) => `${JSON.stringify(header)}\n${body}\n`
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
/** With its checksum right: what somebody has edited, or a bug has written. */
const signed = (state: unknown) => {
  const body = JSON.stringify(state)
  return withHeader({ remora: 'checkpoint', version: 2, writer: 'w', sha256: sha256(`w\n${body}`) }, body)
}

test('a state is read back as the same, with its writer', () => {
  fc.assert(
    fc.property(states, fc.uuid(), (state, writer) => {
      const text = serialize(state, writer)
      expect(deserialize(text)).toEqual({ state, dropped: [], version: 2, writer })
      expect(writerOf(text.slice(0, 512))).toBe(writer)
      expect(text.split('\n')).toHaveLength(3)
    }),
    runs(300),
  )
})

test('cut anywhere it is not read', () => {
  const text = serialize(stateOf(5), 'somebody')
  for (let length = 0; length < text.length; length++)
    expect(() => deserialize(text.slice(0, length)), `${length} bytes`).toThrow(/^(it|its|the) /)
})

test('with any other byte anywhere, or more of them, it is not read', () => {
  const bytes = Buffer.from(serialize(stateOf(5), 'somebody'))
  for (let at = 0; at < bytes.length; at++) {
    for (const change of [1, 2, 16, 32, 128]) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= change
      expect(() => deserialize(changed.toString()), `byte ${at} changed by ${change}`).toThrow(
        /^(it|its|the|a newer Remora) /,
      )
    }
  }
  for (const more of [' ', '\n', 'x', '\nx', '\n\n', bytes.toString()])
    expect(() => deserialize(bytes.toString() + more), JSON.stringify(more)).toThrow('its checksum is wrong')
})

test.each([
  ['', 'the header is empty'],
  ['\n', 'the header is empty'],
  ['{', 'the header is not JSON'],
  ['\0\0\0\0\0\0\0\0', 'the header is not JSON'],
  ['null\n', 'it is not a checkpoint of Remora'],
  ['7\n', 'it is not a checkpoint of Remora'],
  ['[]\n', 'it is not a checkpoint of Remora'],
  ['{}\n', 'it is not a checkpoint of Remora'],
  [withHeader({ remora: 'state', version: 1 }, '{}'), 'it is not a checkpoint of Remora'],
  [withHeader({ remora: 'checkpoint' }, '{}'), 'it has version undefined, this Remora knows 1 to 2'],
  [withHeader({ remora: 'checkpoint', version: 0 }, '{}'), 'it has version 0, this Remora knows 1 to 2'],
  [withHeader({ remora: 'checkpoint', version: '2' }, '{}'), 'it has version 2, this Remora knows 1 to 2'],
  [withHeader({ remora: 'checkpoint', version: 2, writer: '' }, '{}'), 'its checksum is wrong: it was cut or changed'],
  [withHeader({ remora: 'checkpoint', version: 2, sha256: sha256('\n') }, ''), 'the state is empty'],
])('%j: %s', (text, why) => expect(() => deserialize(text)).toThrow(new Error(why)))

test('one of the next version is told from one that is damaged', () => {
  const next = withHeader({ remora: 'checkpoint', version: 3, anything: 'else' }, '{}')
  expect(() => deserialize(next)).toThrow(FutureState)
  expect(() => deserialize(next)).toThrow('a newer Remora has written it: it has version 3, this one knows 2')
  const damaged = signed(stateOf(1)).slice(0, -5)
  expect(() => deserialize(damaged)).toThrow(expect.not.objectContaining({ constructor: FutureState }))
})

test('version 1 becomes the newest', () => {
  const generation = {
    ...generationOf(7),
    anchor: undefined,
    bannerTo: undefined,
    packing: undefined,
    marks: undefined,
  }
  const body = JSON.stringify({ instance: 'an-old-one', sinceMs: 5, generations: [generation] })
  const text = withHeader({ remora: 'checkpoint', version: 1, sha256: sha256(body) }, body)
  const read = deserialize(text)
  expect(read).toMatchObject({ version: 1, writer: '', dropped: [] })
  expect(read.state).toEqual({
    instance: 'an-old-one',
    incarnation: 'none',
    sinceMs: 5,
    names: '',
    indices: null,
    generations: [{ ...generation, anchor: { offset: 0, id: 'abcdefghijkl' }, bannerTo: 0, packing: null, marks: [] }],
  })
  expect(deserialize(serialize(read.state)).state).toEqual(read.state)
})

describe('what is signed and makes no sense', () => {
  test.each([
    ['instance', ''],
    ['instance', 'a\nb'],
    ['instance', 7],
    ['generations', {}],
  ])('%s: %j is refused', (name, value) => {
    expect(() => deserialize(signed({ ...stateOf(1), [name]: value }))).toThrow(`its ${name} `)
  })

  test.each([
    ['incarnation', null, { incarnation: 'none' }],
    ['sinceMs', -1, { sinceMs: 0 }],
    ['sinceMs', 1e300, { sinceMs: 0 }],
    // What was given out is not known then: nothing may be named as before.
    ['names', 'no base64!', { names: '', incarnation: 'none' }],
    ['names', null, { names: '', incarnation: 'none' }],
    ['indices', 'logs', { indices: null }],
    ['indices', [''], { indices: null }],
    ['indices', Array.from({ length: limits.stateIndicesMax + 1 }, () => 'logs'), { indices: null }],
  ])('%s: %j gives way to what is safe', (name, value, expected) => {
    expect(deserialize(signed({ ...stateOf(1), [name]: value }))).toMatchObject({
      state: { ...stateOf(1), ...expected },
      dropped: [`its ${name} is missing or wrong`],
    })
  })

  test.each([[null], [7], [[]], ['x']])('a state that is %j is refused', (state) => {
    expect(() => deserialize(signed(state))).toThrow('the state is no object')
  })

  test.each([
    ['id', 'two words'],
    ['path', 'relative.log'],
    ['path', '/a\0b'],
    ['path', `/${'x'.repeat(5000)}`],
    ['currentPath', 7],
    ['epoch', 1.5],
    ['epoch', -1],
    ['inode', 12],
    ['inode', '12x'],
    ['inode', '1'.repeat(21)],
    ['birthNs', '-1'],
    ['fingerprint', { hash: 'x' }],
    ['fingerprint', []],
    ['offset', -1],
    ['offset', '7'],
    ['offset', 2 ** 53],
    ['offset', undefined],
    ['skipping', 0],
    ['guardHash', null],
    ['sizeBytes', Infinity],
    ['finished', 'no'],
    ['anchor', { offset: -1, id: 'x' }],
    ['packing', 'xz'],
  ])('a generation whose %s is %j is left out, and the others are kept', (name, value) => {
    const [first, last] = [generationOf(1), generationOf(3)]
    const state = { ...stateOf(0), generations: [first, { ...generationOf(2), [name]: value }, last] }
    expect(deserialize(signed(state))).toMatchObject({
      state: { generations: [first, last] },
      dropped: [`generation 2: its ${name} is missing or wrong`],
    })
  })

  test('anything at all in any place is refused or left out, and never believed', () => {
    fc.assert(
      fc.property(states, fc.nat(), fc.anything(), (state, at, value) => {
        const generations: unknown[] = [...state.generations]
        generations.splice(at % (generations.length + 1), 0, value)
        const { state: read } = deserialize(signed({ ...state, generations }))
        // What JSON makes of it may be a generation by chance; then it has passed every check.
        expect(read.generations.length - state.generations.length).toBeLessThanOrEqual(0)
      }),
      runs(300),
    )
  })
})

test('what could not be read again is not written', () => {
  const generations = Array.from({ length: limits.stateGenerationsMax + 1 }, () => generationOf(1))
  expect(() => serialize({ ...stateOf(1), generations })).toThrow('more than can be read again')
})

const without = (birthNs: string) => ({ ...generationOf(1), seenMs: undefined, birthNs })

const timeOf = (sinceMs: number, birthNs: string) =>
  deserialize(signed({ ...stateOf(1), sinceMs, generations: [without(birthNs)] })).state.generations[0]?.seenMs

describe('a state that does not say when its files were first seen', () => {
  const first = Date.UTC(2026, 0, 2)
  const birthMs = Date.UTC(2026, 5, 1)

  test.each([
    ['born after the first start', first, `${birthMs}000000`, birthMs],
    ['born before it, as what is truncated for years', first, '1000000', first],
    ['without births', first, '0', first],
    ['a first start that nobody knows', 0, `${birthMs}000000`, birthMs],
    ['nothing known', 0, '0', undefined],
    ['a birth in the far future', first, String(2n ** 63n), 9_223_372_036_854],
  ])('%s', (_, sinceMs, birthNs, seenMs) => expect(timeOf(sinceMs, birthNs)).toBe(seenMs))

  test.each([-1, 1.5, '7', null, limits.wallMsMax + 1])('%j is no such time', (seenMs) => {
    const { state, dropped } = deserialize(signed({ ...stateOf(1), generations: [{ ...generationOf(1), seenMs }] }))
    expect([state.generations, dropped]).toEqual([[], ['generation 1: its seenMs is missing or wrong']])
  })
})
