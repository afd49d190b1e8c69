import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LatencyHistogram } from '../../../src/bench/sink/histogram.ts'

const exact = (sorted: readonly number[], share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!

test('its quantiles are within 1 % of the exact ones, its maximum is exact, and its edges hold what they say', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 0, max: 24, noNaN: true }), fc.integer({ min: 1, max: 5 })), {
        minLength: 1,
        maxLength: 300,
      }),
      (given) => {
        const histogram = new LatencyHistogram()
        const all: number[] = []
        for (const [exponent, lines] of given) {
          const us = Math.exp(exponent)
          histogram.add(us, lines)
          for (let n = 0; n < lines; n++) all.push(us)
        }
        all.sort((a, b) => a - b)
        const latency = histogram.latency()!
        expect(latency.lines).toBe(all.length)
        expect(latency.maxMs).toBe(all.at(-1)! / 1e3)
        for (const [share, found] of [
          [0.5, latency.p50Ms],
          [0.9, latency.p90Ms],
          [0.99, latency.p99Ms],
        ] as const) {
          const wanted = exact(all, share) / 1e3
          expect(Math.abs(found - wanted) / wanted).toBeLessThan(0.01)
        }
        for (const { upToMs, lines } of latency.histogram) {
          // An edge is a rounded number: what lies on it may be on either side.
          const below = (edge: number) => all.filter((us) => us / 1e3 < edge).length
          expect(lines).toBeGreaterThanOrEqual(below(upToMs * (1 - 1e-9)))
          expect(lines).toBeLessThanOrEqual(below(upToMs * (1 + 1e-9)))
        }
        expect(latency.histogram.at(-1)!.lines).toBe(all.length)
      },
    ),
    { numRuns: 200 },
  )
})

test('has nothing to tell of nothing', () => {
  expect(new LatencyHistogram().latency()).toBeUndefined()
})
