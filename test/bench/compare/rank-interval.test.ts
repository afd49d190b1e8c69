import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mannWhitneyCounts, ratioInterval } from '../../../src/bench/compare/rank-interval.ts'
import { seeded } from '../../../bench/text.ts'

/** By looking at each order. */
function countedOrders(m: number, n: number): number[] {
  const counts = Array.from<number>({ length: m * n + 1 }).fill(0)
  const walk = (left: number, right: number, u: number): void => {
    if (left === 0 && right === 0) counts[u]! += 1
    if (left > 0) walk(left - 1, right, u + right)
    if (right > 0) walk(left, right - 1, u)
  }
  walk(m, n, 0)
  return counts
}

test.each([
  [1, 1],
  [3, 3],
  [3, 5],
  [7, 4],
] as const)('orders of %i and %i', (m, n) => expect(mannWhitneyCounts(m, n)).toEqual(countedOrders(m, n)))

/** Hollander and Wolfe's table A.6 at 95 %: for 5 and 5 the third of the ordered differences from each end. */
test('five and five: 24 pairs but two on each side, at 96.8 %', () => {
  const found = ratioInterval([1, 1.1, 1.2, 1.3, 1.4], [2, 2.2, 2.4, 2.6, 2.8])!
  const ratios = [2, 2.2, 2.4, 2.6, 2.8]
    .flatMap((b) => [1, 1.1, 1.2, 1.3, 1.4].map((a) => b / a))
    .toSorted((a, b) => a - b)
  expect(found.confidence).toBeCloseTo(1 - (2 * 4) / 252, 10)
  expect([found.low, found.high]).toEqual([ratios[2], ratios[22]])
})

describe('interval', () => {
  test('three and three: the whole range of ratios, at 90 %', () => {
    const found = ratioInterval([1, 2, 3], [4, 5, 6])
    expect(found).toMatchObject({ low: 4 / 3, high: 6, confidence: 0.9 })
  })

  test('none from too few, or of what is not above 0', () => {
    expect(ratioInterval([1, 2], [1, 2, 3])).toBeUndefined()
    expect(ratioInterval([1, 2, 0], [1, 2, 3])).toBeUndefined()
  })

  test('low, estimate and high in order; the other way round it is the inverse', () => {
    const values = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 3, maxLength: 40 })
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [there, back] = [ratioInterval(a, b)!, ratioInterval(b, a)!]
        expect(there.low).toBeLessThanOrEqual(there.ratio * (1 + 1e-12))
        expect(there.ratio).toBeLessThanOrEqual(there.high * (1 + 1e-12))
        expect(back.low).toBeCloseTo(1 / there.high, 6)
        expect(back.confidence).toBe(there.confidence)
      }),
      { numRuns: 50 },
    )
  })

  test('holds what is true about as often as it says', () => {
    const random = seeded(7)
    const draw = (count: number, by: number) =>
      Array.from({ length: count }, () => by * Math.exp(random(1e6) / 1e6 + random(1e6) / 1e6))
    let holds = 0
    for (let n = 0; n < 2000; n++) {
      const found = ratioInterval(draw(5, 1), draw(4, 1.3))!
      if (found.low <= 1.3 && 1.3 <= found.high) holds += 1
    }
    const { confidence } = ratioInterval(draw(5, 1), draw(4, 1))!
    expect(holds / 2000).toBeCloseTo(confidence, 1)
    expect(holds / 2000).toBeGreaterThan(confidence - 0.02)
  })
})
