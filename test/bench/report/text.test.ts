import { expect, test } from 'vitest'
import { durationText, numberText, plain, spreadText, wrapped } from '../../../src/bench/report/text.ts'

test.each([
  [0, '0'],
  [0.00001, '1.0e-5'],
  [0.0123, '0.012'],
  [0.999, '1'],
  [5.14, '5.1'],
  [38.4, '38'],
  [99.4, '99'],
  [99.5, '100'],
  [1204.4, '1,204'],
  [9999, '9,999'],
  [275_500, '276k'],
  [999_499, '999k'],
  [999_500, '1M'],
  [1_377_500, '1.38M'],
  [-5.14, '-5.1'],
  [Infinity, '?'],
])('%d is %s', (value, text) => expect(numberText(value)).toBe(text))

test('a range only where there is one', () => {
  expect(spreadText({ median: 38, min: 36, max: 40 })).toBe('38 (36–40)')
  expect(spreadText({ median: 38, min: 38, max: 38 })).toBe('38')
})

test.each([
  [0.4, '0 s'],
  [59.6, '1 min'],
  [200, '3 min 20 s'],
  [3900, '1 h 5 min'],
] as const)('%d s', (seconds, text) => expect(durationText(seconds)).toBe(text))

test('nothing that a terminal would obey', () => expect(plain('a\u001b[2Jb\nc\u202ed\u0007')).toBe('a�[2Jb�c�d�'))

test('lines are no longer than they may be, and no word is lost', () => {
  const text = `one ${'x'.repeat(30)} two three`
  const lines = wrapped(text, 12, '  ')
  expect(lines.every((line) => line.length <= 12 && line.startsWith('  '))).toBe(true)
  expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
})
