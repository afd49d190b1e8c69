import { expect, test } from 'vitest'
import { floorsAgree, spreadOf } from '../../src/bench/stats.ts'

test.each([
  [[3], { median: 3, min: 3, max: 3 }],
  [[5, 1, 3], { median: 3, min: 1, max: 5 }],
  [[4, 1, 2, 10], { median: 3, min: 1, max: 10 }],
  [[10, 9, 100], { median: 10, min: 9, max: 100 }],
])('%j spreads to %j', (values, spread) => expect(spreadOf(values)).toEqual(spread))

test('no values have no spread', () => expect(() => spreadOf([])).toThrow(RangeError))

test('the values given are left in their order', () => {
  const values = [3, 1, 2]
  spreadOf(values)
  expect(values).toEqual([3, 1, 2])
})

test.each([
  [100, 100, true],
  [100, 125, true],
  [125, 100, true],
  [100, 126, false],
  [126, 100, false],
  [0, 100, false],
  [Number.NaN, 100, false],
])('floors %d and %d agree: %s', (before, after, agree) => expect(floorsAgree(before, after)).toBe(agree))
