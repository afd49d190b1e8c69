import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDate, hasDate, nameAt, parsePlaceholders, patternOf, type Piece } from '../../src/base/placeholders.ts'
import { runs } from './runs.ts'

const literal = fc.stringMatching(/^[a-z0-9.-]{1,9}$/)
const field = fc.stringMatching(/^[a-z][\w.-]{0,11}$/)
const dateFormat = fc.constantFrom(
  'yyyy',
  'yyyy.MM',
  'yyyy.MM.dd',
  'yyyy-MM-dd.HH',
  'yyyyMMdd',
  'xxxx.ww',
  'dd_MM_yyyy',
)
const piece: fc.Arbitrary<Piece> = fc.oneof(
  literal.map((text): Piece => ({ kind: 'text', text })),
  field.map((name): Piece => ({ kind: 'field', name })),
  dateFormat.map((format): Piece => ({ kind: 'date', format })),
)
const written = (each: Piece) =>
  each.kind === 'text' ? each.text : each.kind === 'field' ? `{${each.name}}` : `{+${each.format}}`

const gaps = (list: readonly Piece[]) => list.filter(({ kind }) => kind !== 'text')
const matches = (pattern: string, name: string) =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name)

test('what is written is what is read, whatever stands next to what', () => {
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
      const parsed = parsePlaceholders(pieces.map(written).join(''))
      expect(parsed.ok && parsed.value.map(written).join('')).toBe(pieces.map(written).join(''))
      expect(parsed.ok && gaps(parsed.value)).toEqual(gaps(pieces))
    }),
    runs(300),
  )
})

test('any text is read or refused, never thrown at', () => {
  const strange = fc.array(fc.constantFrom('{', '}', '+', '%', 'yyyy', 'dd', 'a', '.', "'", '[', '{+'), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(strange, (parts) => {
      const parsed = parsePlaceholders(parts.join(''))
      expect(parsed.ok ? parsed.value.map(written).join('') : parts.join('')).toBe(parts.join(''))
    }),
    runs(300),
  )
})

describe('what is refused, and why', () => {
  test.each([
    ['app-{', 'has a { without its }'],
    ['app-{a', 'has a { without its }'],
    ['app-}', 'has a } without its {'],
    ['app-{}', 'neither a field nor a date'],
    ['app-{a b}', 'neither a field nor a date'],
    ['app-{{a}}', 'neither a field nor a date'],
    ['app-%{+yyyy}', 'has a % before a {'],
    ['app-{+}', 'it has no year'],
    ['app-{+MM.dd}', 'it has no year'],
    ['app-{+YYYY.MM.dd}', '"YYYY" is not known'],
    ['app-{+yyyy.MM.DD}', '"DD" is not known'],
    ['app-{+yyyy.mm.dd}', '"mm" is not known'],
    ["app-{+yyyy'T'}", 'is not known'],
    ['app-{+yyyy.ww}', 'the year of a week'],
    ['app-{+xxxx.MM}', 'the year of a month'],
  ])('%s: %s', (text, why) => {
    expect(parsePlaceholders(text)).toMatchObject({ ok: false, message: expect.stringContaining(why) })
  })
})

describe('dates', () => {
  // Weeks as `date -u +%G.%V` prints them.
  test.each([
    ['yyyy.MM.dd', '2026-11-25T23:59:59.999Z', '2026.11.25'],
    ['yyyy.MM.dd', '2026-11-26T00:00:00.000Z', '2026.11.26'],
    ['yyyy.MM.dd.HH', '2026-01-02T03:04:05Z', '2026.01.02.03'],
    ['yyyyMM', '2024-02-29T12:00:00Z', '202402'],
    ['xxxx.ww', '2027-01-01T00:00:00Z', '2026.53'],
    ['xxxx.ww', '2027-01-04T00:00:00Z', '2027.01'],
    ['xxxx.ww', '2024-12-30T00:00:00Z', '2025.01'],
    ['xxxx-ww', '2021-01-03T23:00:00Z', '2020-53'],
    ['xxxx.ww', '2026-11-25T00:00:00Z', '2026.48'],
    ['yyyy', '1970-01-01T00:00:00Z', '1970'],
    ['yyyy', '9999-12-31T23:59:59.999Z', '9999'],
  ])('%s of %s is %s', (format, at, text) => expect(formatDate(format, Date.parse(at))).toBe(text))

  test('later is never less, as text', () => {
    const times = fc.integer({ min: 0, max: 253_402_300_799_999 })
    fc.assert(
      fc.property(fc.constantFrom('yyyy.MM.dd.HH', 'yyyy.MM', 'xxxx.ww'), times, times, (format, one, other) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)]
        expect(formatDate(format, early) <= formatDate(format, late)).toBe(true)
      }),
      runs(300),
    )
  })

  test('the pattern of a name matches each of its indices, and nothing that has no date', () => {
    fc.assert(
      fc.property(
        literal,
        dateFormat,
        literal,
        fc.integer({ min: 950_000_000_000, max: 32e12 }),
        (a, format, b, at) => {
          const name = `${a}{+${format}}${b}`
          expect(matches(patternOf(name), nameAt(name, at))).toBe(true)
        },
      ),
      runs(300),
    )
    expect(patternOf('app-{+yyyy.MM.dd}')).toBe('app-2*.*.*')
    expect(patternOf('app-{+yyyyMMdd}')).toBe('app-2*')
    expect(matches(patternOf('app-{+yyyy.MM.dd}'), 'app-archive')).toBe(false)
    expect([hasDate('app'), nameAt('app', 0), patternOf('app')]).toEqual([false, 'app', 'app'])
  })
})
