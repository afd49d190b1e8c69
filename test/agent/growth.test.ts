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
    if (growth.grown(directory, false, nowMs)) return nowMs
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
    expect(busyAfterMs(limits.pollIntervalMinMs, 1, 0)).toBeLessThanOrEqual(1_000)
  })

  test('a watch that tells nothing of what is found is not relied upon, until it does', () => {
    const growth = new Growth()
    growth.listed(directory, 3)
    const look = (nowMs: number) => growth.grown(directory, true, nowMs)
    expect([look(0), look(10_000)]).toEqual([false, true])
    expect(growth.isDeaf(directory)).toBe(false)
    expect(look(20_000)).toBe(true)
    expect(growth.isDeaf(directory)).toBe(true)
    growth.hinted(directory)
    expect(growth.isDeaf(directory)).toBe(false)
    expect([look(30_000), look(40_000), look(50_000)]).toEqual([false, false, true])
  })

  test('of two directories each counts by itself, and one that is listed empty begins again', () => {
    const growth = new Growth()
    growth.listed('/b', 9_999)
    expect([
      growth.grown(directory, false, 0),
      growth.grown('/b', false, 0),
      growth.grown(directory, false, 0),
    ]).toEqual([false, true, false])
    growth.listed('/b', 0)
    expect(growth.grown('/b', false, 1)).toBe(false)
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
