import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backOffMs } from '../../src/base/backing-off.ts'
import { limits } from '../../src/base/limits.ts'

const { idlePollMaxMs, idlePollShare, idlePollsPerSecond } = limits
const leastMs = limits.pollIntervalMaxMs
const quiet = fc.integer({ min: 0, max: 10 ** 9 })
const counts = fc.integer({ min: 0, max: 200_000 })

describe('whatever the number of files and the time that they were quiet', () => {
  test('what happens is found in bounded time', () => {
    fc.assert(
      fc.property(quiet, counts, (quietMs, count) => {
        const ms = backOffMs(quietMs, count, leastMs)
        expect(ms).toBeGreaterThanOrEqual(leastMs)
        expect(ms).toBeLessThanOrEqual(idlePollMaxMs)
        // What was just written is found as soon as ever.
        expect(ms).toBeLessThanOrEqual(Math.max(leastMs, quietMs / idlePollShare))
      }),
    )
  })

  test('it never grows by being quiet for less, or by being fewer', () => {
    fc.assert(
      fc.property(quiet, quiet, counts, counts, (a, b, m, n) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)]
        const [few, many] = [Math.min(m, n), Math.max(m, n)]
        expect(backOffMs(less, few, leastMs)).toBeLessThanOrEqual(backOffMs(more, many, leastMs))
      }),
    )
  })

  test('files that were quiet for long cost together what a few do, up to where the bound is', () => {
    fc.assert(
      fc.property(counts, (count) => {
        const aSecond = (count * 1000) / backOffMs(10 ** 9, count, leastMs)
        const most = Math.max(idlePollsPerSecond, (count * 1000) / idlePollMaxMs)
        expect(aSecond).toBeLessThanOrEqual(most * 1.001)
      }),
    )
  })
})
