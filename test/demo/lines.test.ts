import { expect, test } from 'vitest'
import { type EventKind, LineSource, type LogEvent, randomFrom } from '../../src/demo/lines.ts'

function events(seed: number, count: number): LogEvent[] {
  const source = new LineSource('orders', randomFrom(seed))
  return Array.from({ length: count }, (_, number) => source.next(1_700_000_000_000 + number))
}

const many = events(1, 5000)
const allLines = many.flatMap(({ lines }) => lines)

test('every kind occurs, and both line ends', () => {
  const kinds: EventKind[] = ['access', 'json', 'long', 'pairs', 'text', 'trace']
  expect([...new Set(many.map(({ kind }) => kind))].toSorted()).toEqual(kinds)
  const carriageReturns = many.filter(({ lineEnd }) => lineEnd === '\r\n').length
  expect(carriageReturns).toBeGreaterThan(50)
  expect(carriageReturns).toBeLessThan(500)
})

test('no two lines are the same, each has its sequence number, without a gap', () => {
  expect(new Set(allLines).size).toBe(allLines.length)
  const numbers = allLines.map((line) => Number(/orders-(\d{7})/.exec(line)?.[1]))
  expect(numbers).toEqual(allLines.map((_, index) => index + 1))
})

test('every line is one line of valid text of a bearable length', () => {
  const bad = allLines.filter((line) => line === '' || /[\r\n\0]/.test(line) || !line.isWellFormed())
  expect(bad).toEqual([])
  const longest = Math.max(...allLines.map((line) => Buffer.byteLength(line)))
  expect(longest).toBeGreaterThan(10_000)
  expect(longest).toBeLessThan(32_768)
})

test('the content is of many sorts', () => {
  const jsonLines = many.filter(({ kind }) => kind === 'json').flatMap(({ lines }) => lines)
  for (const line of jsonLines) expect(JSON.parse(line)).toHaveProperty('customer.name')
  expect(many.filter(({ kind }) => kind === 'access')[0]?.lines[0]).toMatch(
    /^[\d.]+ - - \[\d\d\/[A-Z][a-z]{2}\/2023:\d\d:\d\d:\d\d \+0000\] "[A-Z]+ \/\S* HTTP\/1\.1" \d{3} \d+ "-" ".+"$/,
  )
  const traces = many.filter(({ kind }) => kind === 'trace')
  expect(
    traces.every(({ lines }) => lines.length >= 5 && lines.slice(2).some((line) => line.startsWith('\tat '))),
  ).toBe(true)
  for (const part of ['\u2028', '\u0085', '山', '👩‍👩‍👧‍👦', '\u001b', '"', '\\']) expect(allLines.join()).toContain(part)
})

test('the same seed gives the same events', () => {
  expect(events(9, 200)).toEqual(events(9, 200))
  expect(events(9, 200)).not.toEqual(events(10, 200))
})

test('the generator is even enough', () => {
  for (const seed of [0, 1, 2, 2 ** 31, 12.5e9]) {
    const random = randomFrom(seed)
    const numbers = Array.from({ length: 20_000 }, random)
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02)
  }
})
