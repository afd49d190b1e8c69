import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Place } from '../../src/base/charset.ts'
import { runs } from '../base/runs.ts'
import { content } from './bytes.ts'
import { aroundOf, ship, type Case, type Step } from './harness.ts'
import { decode, encode, holeBytes, lineAt, nuls } from './reference.ts'

const offsets = fc.oneof(
  fc.constant(0),
  fc.nat(1 << 20),
  fc.integer({ min: 2 ** 32 - 600, max: 2 ** 32 + 600 }),
  fc.integer({ min: 2 ** 47, max: 2 ** 48 - 1e6 }),
  fc.integer({ min: 2 ** 53 - 1e6, max: 2 ** 53 - 1e5 }),
)

const cases: fc.Arbitrary<Case> = fc.record({
  bytes: content,
  lineBytesMax: fc.constantFrom(1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 33, 64, 100, 1000),
  offset: offsets,
  final: fc.boolean(),
  withIds: fc.boolean(),
  start: fc.constantFrom<Place>('line', 'hole'),
})

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    grownBytes: fc.oneof(fc.nat(8), fc.nat(300)),
    readBytesMax: fc.oneof(fc.nat(20), fc.constant(4096)),
    documentsMax: fc.oneof(fc.nat(3), fc.constant(100)),
    roomBytes: fc.oneof(fc.nat(1200), fc.integer({ min: 1200, max: 4000 }), fc.constant(90_000)),
    from: fc.nat(64),
    litter: fc.constantFrom(0x0a, 0x0d, 0x22, 0x80, 0xbf, 0xf0, 0x00),
  }),
  { maxLength: 12 },
)

/** The documents of a whole file at once. */
function whole(given: Case) {
  const { bytes: input, offset, final } = given
  const turn = { input, offset, final, roomBytes: Infinity, documentsMax: Infinity, place: given.start ?? 'line' }
  return encode(turn, given.lineBytesMax, aroundOf(given))
}

test('any bytes in any pieces into any slots are the same documents', () => {
  fc.assert(
    fc.property(cases, steps, (given, schedule) => {
      const shipped = ship(given, schedule)
      const { text, documents, cutLines, consumedBytes, skipping, searchedBytes, skippedBytes } = whole(given)
      expect(shipped).toEqual({
        text,
        documents,
        cutLines,
        consumedBytes,
        skipping,
        searchedTo: searchedBytes,
        skippedBytes,
      })
    }),
    runs(20_000),
  )
})

test('each document is two lines of JSON that say the line, its place and nothing else', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const { text } = ship(given, [])
      const json = text.split('\n')
      expect(json.pop()).toBe('')
      let at = 0
      let lines = 0
      for (; ; lines++) {
        const zeros = nuls(given.bytes, at)
        if (zeros >= holeBytes || (at === 0 && given.start === 'hole')) at += zeros
        else if (zeros > 0 && at + zeros === given.bytes.length && !given.final) break
        const line = lineAt(given.bytes, at, given.lineBytesMax, given.final && at < given.bytes.length)
        if (line === undefined) break
        const [action, source] = [json[2 * lines]!, json[2 * lines + 1]!].map((each) => JSON.parse(each) as unknown)
        expect(JSON.stringify(action)).toMatch(given.withIds ? /^{"create":{"_id":"[\w-]{28}"}}$/ : /^{"create":{}}$/)
        expect(source).toEqual({
          '@timestamp': '2026-01-02T03:04:05.006Z',
          message: decode(line.bytes),
          kubernetes: { pod: { name: 'orders-"7"' } },
          service: { name: 'orders\n☃' },
          log: {
            file: { path: '/var/log/app/a "quoted"\tname 😀.log' },
            offset: given.offset + at,
            ...(line.cut && { flags: ['truncated'] }),
          },
        })
        at = line.next
        if (line.skipping) at = given.bytes.indexOf('\n', at) + 1 || given.bytes.length
      }
      expect(json).toHaveLength(2 * lines)
    }),
    runs(2000),
  )
})

test.each([
  0,
  9_500,
  ...Array.from({ length: 16 }, (_, digits) => 10 ** digits),
  6 * 10 ** 15 + 10 ** 8,
  2 ** 32,
  2 ** 53 - 2_000,
])('offsets around %i are written as numbers', (around) => {
  const offset = Math.max(0, around - 500)
  const bytes = Buffer.alloc(1000, '\n')
  const { documents } = ship({ bytes, lineBytesMax: 100, offset, final: false, withIds: false }, [])
  expect(documents).toBe(1000)
})

test('ids rise with the offset, as Elasticsearch keeps them', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const { text } = ship({ ...given, withIds: true }, [])
      const ids = Array.from(text.matchAll(/^\{"create":\{"_id":"(.*)"\}\}$/gm), ([, id]) =>
        Buffer.from(id!, 'base64url'),
      )
      expect(ids.every((id) => id.length === 21)).toBe(true)
      expect(ids.every((id, index) => index === 0 || Buffer.compare(ids[index - 1]!, id) < 0)).toBe(true)
    }),
    runs(500),
  )
})
