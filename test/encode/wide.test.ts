import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { standsInHole, type Place } from '../../src/base/charset.ts'
import { limits } from '../../src/base/limits.ts'
import { runs } from '../base/runs.ts'
import { units } from './bytes.ts'
import { wideLinesIn, type Said } from './content.ts'
import { inputBytesMax, kernelFor, named } from './harness.ts'
import { documentOf, type Line } from './reference.ts'

const charsets = ['utf-16le', 'utf-16be'] as const
type Wide = (typeof charsets)[number]

const lineOf = (at: number, message: string): Line => ({
  at,
  bytes: Buffer.from(message),
  cut: false,
  next: 0,
  skipping: false,
})

/** What the file grows by before a turn, and what the turn is given to work with. */
interface Step {
  readonly grownBytes: number
  readonly readBytesMax: number
  readonly documentsMax: number
  readonly roomBytes: number
}

const generous: Step = { grownBytes: Infinity, readBytesMax: Infinity, documentsMax: 1 << 20, roomBytes: Infinity }

interface Shipped {
  readonly lines: Said[]
  readonly texts: string[]
  readonly skippedBytes: number
}

/** Takes a content that has ended through the kernel, as the pump does. */
function ship(content: Buffer, lineBytesMax: number, charset: Wide, steps: readonly Step[] = []): Shipped {
  const kernel = kernelFor(lineBytesMax)
  kernel.use(named.template)
  const shipped = { lines: [] as Said[], texts: [] as string[], skippedBytes: 0 }
  const turnsMax = steps.length + 10 + content.length
  let [at, sizeBytes, skipping] = [2, 2, false]
  for (let turn = 0; at < content.length; turn++) {
    expect(turn, 'it comes to an end').toBeLessThan(turnsMax)
    const step = steps[turn] ?? generous
    sizeBytes = Math.min(content.length, sizeBytes + step.grownBytes)
    const input = content.subarray(at, Math.min(sizeBytes, at + step.readBytesMax, at + inputBytesMax))
    const final = at + input.length === content.length
    const before = content.subarray(Math.max(2, at - limits.guardBytes), at)
    const place: Place = skipping ? 'cut' : standsInHole(before) ? 'hole' : 'line'
    kernel.input.fill(turn % 2 === 0 ? 0x0a : 0xd8)
    kernel.input.set(input)
    const outputFrom = kernel.output.length - Math.min(step.roomBytes, kernel.output.length)
    const outside = kernel.output.subarray(Math.max(0, outputFrom - 256), outputFrom).fill(0xa5)
    const encoded = kernel.encode(0, input.length, outputFrom, at, step.documentsMax, final, place, charset)
    expect(
      outside.every((byte) => byte === 0xa5),
      'nothing is written outside',
    ).toBe(true)
    expect(encoded.searchedBytes).toBe(encoded.stop === 'input' ? input.length : encoded.consumedBytes)
    expect(encoded.consumedBytes % 2 === 0 || final).toBe(true)
    const text = kernel.output.toString('utf8', outputFrom, encoded.outputBytes)
    shipped.texts.push(text)
    const sources = text.split('\n').filter((_, index) => index % 2 === 1)
    expect(sources).toHaveLength(encoded.documents)
    for (const source of sources) {
      const { message, log } = JSON.parse(source) as { message: string; log: { offset: number; flags?: string[] } }
      shipped.lines.push({ offset: log.offset, message, truncated: log.flags !== undefined })
    }
    at += encoded.consumedBytes
    skipping = encoded.skipping
    shipped.skippedBytes += encoded.skippedBytes
  }
  return shipped
}

function wide(text: string, charset: Wide): Buffer {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le')
  return charset === 'utf-16le' ? bytes : bytes.swap16()
}

describe.each(charsets)('%s', (charset) => {
  test.each([
    ['a\nb\n', ['a', 'b']],
    ['a\r\nb\r\n\r\n', ['a', 'b', '']],
    ['a\r\r\n', ['a\r']],
    ['a\rb', ['a\rb']],
    ['a', ['a']],
    // U+010A, U+0A00 and U+0A0A have a byte 10 and end no line.
    ['\u010A\u0A00\u0A0A\nx', ['\u010A\u0A00\u0A0A', 'x']],
    ['Grüße, 世界, 😀\n', ['Grüße, 世界, 😀']],
    ['"\\\t\u0001\u2028\n', ['"\\\t\u0001\u2028']],
    ['a\0b\n\0\0\n', ['a\0b', '\0\0']],
    ['\uFEFFa\n', ['\uFEFFa']],
    ['half \uD83D\n\uDE00 half\n\uDE00\uD83D\n', ['half \uFFFD', '\uFFFD half', '\uFFFD\uFFFD']],
    [`${'a'.repeat(100)}é${'b'.repeat(100)}\n`, [`${'a'.repeat(100)}é${'b'.repeat(100)}`]],
  ])('%j is %j', (text, messages) => {
    const content = wide(text, charset)
    expect(ship(content, 1000, charset).lines.map(({ message }) => message)).toEqual(messages)
    expect(wideLinesIn(content, 1000, charset).map(({ message }) => message)).toEqual(messages)
  })

  test('half a unit at the end is no character', () => {
    const content = Buffer.concat([wide('ab', charset), Buffer.of(0x61)])
    expect(ship(content, 1000, charset).lines).toMatchObject([{ message: 'ab\uFFFD' }])
  })

  test.each([
    ['abcde\n', 'abcde', false],
    ['abcde\r\n', 'abcde', false],
    ['abcdef\n', 'abcde', true],
    ['abcdef\r\n', 'abcde', true],
    ['abcd😀\n', 'abcd', true],
    ['abc😀\n', 'abc😀', false],
    ['世界世界世\n', '世界世界世', false],
  ])('the limit of 10 or 11 bytes counts those of the file: %j is %j', (text, message, truncated) => {
    for (const lineBytesMax of [10, 11]) {
      const { lines } = ship(wide(`${text}next\n`, charset), lineBytesMax, charset)
      expect(lines).toMatchObject([{ message, truncated }, { message: 'next' }])
    }
  })

  test('an id holds the offset in the file and the hash of the text', () => {
    const content = wide('first\nsecond ☃\n', charset)
    const { texts } = ship(content, 1000, charset)
    const { around } = named
    expect(texts.join('')).toBe(
      documentOf(lineOf(2, 'first'), 0, around) + documentOf(lineOf(14, 'second ☃'), 0, around),
    )
  })

  test('a line as long as the limit allows, of what JSON or UTF-8 makes longest', () => {
    for (const character of ['\u0001', '世', '\uD800']) {
      const text = character.repeat(6 * 1024)
      const { lines } = ship(wide(`${text}\n`, charset), 12 * 1024, charset)
      expect(lines).toEqual([{ offset: 2, message: text.replaceAll('\uD800', '\uFFFD'), truncated: false }])
    }
  })

  test('any units in any pieces are the same lines', () => {
    const steps = fc.array(
      fc.record({
        grownBytes: fc.oneof(fc.nat(5), fc.nat(300)),
        readBytesMax: fc.oneof(fc.nat(20), fc.constant(4096)),
        documentsMax: fc.oneof(fc.nat(3), fc.constant(100)),
        roomBytes: fc.oneof(fc.nat(1200), fc.integer({ min: 1200, max: 4000 }), fc.constant(90_000)),
      }),
      { maxLength: 12 },
    )
    const limit = fc.constantFrom(2, 3, 4, 8, 15, 16, 17, 32, 33, 100, 1000)
    fc.assert(
      fc.property(units, limit, steps, (bytes, lineBytesMax, schedule) => {
        const content = Buffer.concat([wide('', charset), bytes])
        expect(ship(content, lineBytesMax, charset, schedule).lines).toEqual(
          wideLinesIn(content, lineBytesMax, charset),
        )
      }),
      runs(2000),
    )
  })
})
