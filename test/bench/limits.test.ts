import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type LimitedFigures, limitsFault, smallestWorking } from '../../bench/limits.ts'

const figures = (median: number): LimitedFigures[] => [
  {
    setting: '64 MiB, 1 CPU',
    runs: 1,
    failures: [],
    bytesPerSecond: undefined,
    speedRatios: { unlimited: { median: 0.3, min: 0.3, max: 0.3 }, '1 CPU': { median, min: 0, max: 1 } },
    peakUsedBytes: 0,
    oomKills: 0,
  },
]

describe('the smallest limit that works', () => {
  test('is found, whichever it is, in few tries', async () => {
    const bound = fc.integer({ min: 1, max: 300 })
    await fc.assert(
      fc.asyncProperty(bound, bound, bound, async (a, b, least) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        const { mebibytes, tried } = await smallestWorking(from, to, (each) => Promise.resolve(each >= least))
        expect(mebibytes).toBe(least > to ? undefined : Math.max(from, least))
        expect(tried.length).toBeLessThanOrEqual(Math.ceil(Math.log2(to - from + 1)) + 1)
      }),
    )
  })
})

describe('the row of 64 MiB', () => {
  test.each([
    [0.8, /^$/],
    [0.79, /0\.79 of the speed with 1 CPU/],
  ])('%d of the speed of one CPU', (ratio, said) => expect(limitsFault(figures(ratio), 0.8)).toMatch(said))
})
