import { expect, test } from 'vitest'
import { ageText, count, sizeText, someOf } from '../../src/check/words.ts'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 KiB'],
  [10_240, '10 KiB'],
  [1_048_576, '1.0 MiB'],
  [125_829_120, '120 MiB'],
  [1.5 * 2 ** 40, '1.5 TiB'],
])('%d bytes are %s', (bytes, text) => expect(sizeText(bytes)).toBe(text))

test.each([
  [-5, '0 seconds'],
  [1_000, '1 second'],
  [119_000, '119 seconds'],
  [120_000, '2 minutes'],
  [7_200_000, '2 hours'],
  [172_800_000, '2 days'],
])('%d ms are %s', (ageMs, text) => expect(ageText(ageMs)).toBe(text))

test('a count takes the plural that fits', () => {
  expect([count(1, 'file'), count(0, 'file'), count(2, 'directory', 'directories')]).toEqual([
    '1 file',
    '0 files',
    '2 directories',
  ])
})

test('of many names some are told, and how many more there are', () => {
  expect(someOf(['a', 'b', 'c'])).toBe('a, b, c')
  expect(someOf(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more')
})
