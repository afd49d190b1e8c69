import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Growth } from '../../src/agent/growth.ts'
import { limits } from '../../src/base/limits.ts'

const directory = '/logs'

/** Looks that find it grown in this interval, for ten seconds: after how many milliseconds it counts as busy. */
function busyAfterMs(intervalMs: number, entries: number, hints = 1): number | undefined {
  const growth = new Growth()
  growth.listed(directory, entries)
  for (let nowMs = 0; nowMs < 10_000; nowMs += intervalMs) {
    for (let n = 0; n < hints; n++) growth.hinted(directory)
    if (growth.grown(directory, nowMs)) return nowMs
  }
  return undefined
}

describe('which directories are busy', () => {
  test.each([
    // every so many ms, among so many entries: busy
    [1_000, 3, false],
    [100, 3, false],
    [60, 3, false],
    [limits.pollIntervalMinMs, 3, true],
    [1_000, 100, false],
    [100, 100, true],
    // One event costs a listing of thousands.
    [1_000, 5_000, true],
  ])('grown every %i ms among %i entries: %s', (intervalMs, entries, busy) => {
    expect(busyAfterMs(intervalMs, entries) !== undefined).toBe(busy)
  })

  test('events in great number are noticed at the first look', () => {
    expect(busyAfterMs(limits.pollIntervalMinMs, 1, 100)).toBe(0)
  })

  test('without events, by looks alone, within a second', () => {
    expect(busyAfterMs(limits.pollIntervalMinMs, 1, 0)).toBeLessThan(1_000)
  })

  test('of two directories each counts by itself, and one that is listed empty begins again', () => {
    const growth = new Growth()
    growth.listed('/b', 9_999)
    expect([growth.grown(directory, 0), growth.grown('/b', 0), growth.grown(directory, 0)]).toEqual([
      false,
      true,
      false,
    ])
    growth.listed('/b', 0)
    expect(growth.grown('/b', 1)).toBe(false)
  })

  test('who grows more often is busy no later', () => {
    const interval = fc.integer({ min: 1, max: 500 })
    fc.assert(
      fc.property(interval, interval, fc.integer({ min: 0, max: 10_000 }), (a, b, entries) => {
        const [often, seldom] = [Math.min(a, b), Math.max(a, b)]
        const [soon, late] = [busyAfterMs(often, entries), busyAfterMs(seldom, entries)]
        // The look that tells comes up to one interval later than the level would.
        expect(soon ?? Infinity).toBeLessThanOrEqual((late ?? Infinity) + often)
      }),
    )
  })
})
