import { describe, expect, test } from 'vitest'
import { sequences } from './bytes.ts'
import { aroundOf, kernelFor, ship, type Case } from './harness.ts'
import { decode, encode } from './reference.ts'

const at = (bytes: Buffer, lineBytesMax = 1000): Case => ({
  bytes,
  lineBytesMax,
  offset: 0,
  final: true,
  withIds: false,
})

/** What one line comes out as. */
function messageOf(bytes: Buffer, lineBytesMax?: number): string {
  const { text } = ship(at(bytes, lineBytesMax), [])
  const { message } = JSON.parse(text.split('\n')[1]!) as { message: string }
  return message
}

describe('a sequence is decoded as the WHATWG says, wherever in a block of 16 bytes it stands', () => {
  test.each(Object.entries(sequences))('%s', (_name, sequence) => {
    for (let before = 0; before <= 34; before++) {
      for (const after of ['', 'b', '"', 'é', 'b'.repeat(20)]) {
        const line = Buffer.concat([Buffer.alloc(before, 'a'), sequence, Buffer.from(after)])
        const ended = Buffer.concat([line, Buffer.from('\n€')])
        expect(messageOf(line), `at ${before}, before "${after}"`).toBe(decode(line))
        expect(messageOf(ended), `at ${before}, before "${after}" and a newline`).toBe(decode(line))
      }
    }
  })
})

describe('a character is never cut in two, wherever the limit falls', () => {
  test.each(Object.entries(sequences))('%s', (_name, sequence) => {
    const line = Buffer.concat([Buffer.from('abcd'), sequence, Buffer.from('efgh')])
    for (let lineBytesMax = 4; lineBytesMax < line.length; lineBytesMax++) {
      const given = at(Buffer.concat([line, Buffer.from('\nnext\n')]), lineBytesMax)
      const bytewise = Array.from(given.bytes, () => ({
        grownBytes: 1,
        readBytesMax: 4096,
        documentsMax: 9,
        roomBytes: 9000,
        from: 0,
        litter: 0x80,
      }))
      const turn = {
        input: given.bytes,
        offset: 0,
        final: true,
        roomBytes: 9e9,
        documentsMax: 9,
        place: 'line' as const,
      }
      const { text, cutLines } = encode(turn, lineBytesMax, aroundOf(given))
      expect(ship(given, bytewise)).toMatchObject({ text, cutLines, documents: 2 })
      expect(cutLines).toBe(1)
      expect(decode(line).startsWith(messageOf(given.bytes, lineBytesMax))).toBe(true)
    }
  })
})

test('each of the 128 ASCII characters is written as JSON.stringify writes it', () => {
  const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter((c) => c !== '\n')
  for (const character of ascii) {
    const { text } = ship(at(Buffer.from(character)), [])
    expect(text).toContain(`"message":${JSON.stringify(character)},`)
  }
  expect(messageOf(Buffer.from(ascii.join('')))).toBe(ascii.join(''))
})

describe('where a line ends', () => {
  test.each([
    ['', []],
    ['\n', ['']],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\r\n', ['']],
    ['a\r\r\n', ['a\r']],
    ['a\rb\n', ['a\rb']],
    // Without a newline there is no line end to be stripped.
    ['a\r', ['a\r']],
    ['\n\n\n', ['', '', '']],
    ['a\0b\n\0\n', ['a\0b', '\0']],
    ['\uFEFFa\n', ['\uFEFFa']],
    ['a\u2028b\n', ['a\u2028b']],
    ['a\u0085b\n', ['a\u0085b']],
  ])('%j is %j', (text, messages) => {
    const { documents, text: out } = ship(at(Buffer.from(text)), [])
    const sources = out.split('\n').filter((_, index) => index % 2 === 1)
    expect(sources.map((source) => (JSON.parse(source) as { message: string }).message)).toEqual(messages)
    expect(documents).toBe(messages.length)
  })
})

describe('how long a line may be', () => {
  const ten = 'abcdefghij'
  test.each([
    [`${ten}\n`, ten, 0],
    [`${ten}\r\n`, ten, 0],
    [ten, ten, 0],
    [`${ten}k\n`, ten, 1],
    [`${ten}k\r\n`, ten, 1],
    [`${ten}k`, ten, 1],
    [`${ten}\r`, ten, 1],
    [`${ten}\r\r\n`, ten, 1],
    [`${ten}${ten}${ten}\n`, ten, 1],
    ['abcdefgh€\n', 'abcdefgh', 1],
    ['abcdefg€\n', 'abcdefg€', 0],
  ])('of 10 bytes: %j is %j', (text, message, cutLines) => {
    expect(messageOf(Buffer.from(text), 10)).toBe(message)
    expect(ship(at(Buffer.from(`${text}${text.endsWith('\n') ? 'next\n' : ''}`), 10), [])).toMatchObject({
      cutLines,
      documents: text.endsWith('\n') ? 2 : 1,
    })
  })
})

test('a line as long as an agent allows, of what JSON makes longest, is one document', () => {
  const lineBytesMax = 12 * 1024
  const line = Buffer.alloc(lineBytesMax, 1)
  const { text, documents } = ship(at(Buffer.concat([line, Buffer.from('\n')]), lineBytesMax), [])
  expect(documents).toBe(1)
  expect(text.length).toBeGreaterThan(6 * lineBytesMax)
  expect(kernelFor(lineBytesMax).output.length).toBeLessThan(text.length + 32 * 1024)
})
