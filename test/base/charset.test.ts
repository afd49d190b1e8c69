import { describe, expect, test } from 'vitest'
import { encodingOf, endsLine, holdsNewline, standsInHole } from '../../src/base/charset.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test.each([
  ['', 'utf-8', 0],
  ['61 62 63', 'utf-8', 0],
  ['ef bb bf', 'utf-8', 3],
  ['ef bb', 'utf-8', 0],
  ['ef bb 0a', 'utf-8', 0],
  ['ff fe', 'utf-16le', 2],
  ['ff fe 0a', 'utf-16le', 2],
  ['fe ff 00', 'utf-16be', 2],
  ['ff', 'utf-8', 0],
  ['00 61 00', 'utf-8', 0],
] as const)('a content that begins with %j is %s, with a mark of %i bytes', (head, charset, markBytes) => {
  expect(encodingOf(hex(head))).toEqual({ charset, markBytes })
})

describe('a newline', () => {
  test.each([
    ['utf-8', '61 0a', 0, 0, true],
    ['utf-8', '61 62', 0, 0, false],
    ['utf-8', '0a 61', 1, 0, false],
    ['utf-16le', '61 00 0a 00', 0, 0, true],
    ['utf-16le', '61 00 0a', 0, 0, false],
    ['utf-16le', '0a 01 00 0a', 0, 0, false],
    ['utf-16le', '00 0a 00', 0, 0, false],
    ['utf-16le', '00 0a 00', 0, 3, true],
    // Its first half was searched before.
    ['utf-16le', '0a 00', 1, 2, true],
    ['utf-16be', '00 61 00 0a', 0, 0, true],
    ['utf-16be', '0a 00 01 0a', 0, 0, false],
    ['utf-16be', '00 0a', 1, 2, true],
    ['utf-16be', '00 0a', 1, 3, false],
  ] as const)('%s: %s from %i, at %i of the file: %s', (charset, bytes, from, position, expected) => {
    expect(holdsNewline(hex(bytes), from, position, charset)).toBe(expected)
  })

  test.each([
    ['utf-8', '61 0a', true],
    ['utf-8', '0a 00', false],
    ['utf-16le', '0a 00', true],
    ['utf-16le', '00 0a', false],
    ['utf-16be', '00 0a', true],
    ['utf-16be', '0a', false],
    ['utf-16le', '', false],
  ] as const)('%s: %j ends a line: %s', (charset, bytes, expected) => {
    expect(endsLine(hex(bytes), charset)).toBe(expected)
  })
})

test.each([
  ['', false],
  ['00', true],
  ['00 00 00', true],
  ['61 00 00', false],
  ['00 0a', false],
  // The newline of a file in UTF-16.
  ['0a 00', false],
] as const)('behind %j one stands in a hole: %s', (bytes, expected) => {
  expect(standsInHole(hex(bytes))).toBe(expected)
})
