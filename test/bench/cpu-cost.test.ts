import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CostFacts, cpuSecondsPerGB } from '../../src/bench/cpu-cost.ts'

const rate = 4e6
const seconds = 8
const startUs = 700_000

/** Each byte takes `nsPerByte`, when it is stored; it is stored `lagMs` after it was written. */
function factsOf(nsPerByte: number, lagMs: number, over: Partial<CostFacts> = {}): CostFacts {
  const storedAt = (atMs: number) => Math.max(0, Math.min(seconds * 1_000, atMs - lagMs)) * (rate / 1_000)
  const cpuAt = (atMs: number) => startUs + (storedAt(atMs) * nsPerByte) / 1_000
  const writtenAt = (atMs: number) => Math.min(seconds * 1_000, atMs) * (rate / 1_000)
  const moments = Array.from({ length: seconds * 4 + 8 }, (_, n) => n * 250).map((atMs) => ({
    atMs,
    usedBytes: 0,
    storedBytes: storedAt(atMs),
    lagBytes: writtenAt(atMs) - storedAt(atMs),
    cpuUs: cpuAt(atMs),
  }))
  return {
    moments,
    warm: { cpuUs: cpuAt(1_000), writtenBytes: writtenAt(1_000) },
    warmUpMs: 1_000,
    isSteady: true,
    cpuUs: cpuAt(60_000),
    written: { bytes: rate * seconds, firstAtMs: 50_000, lastAtMs: 50_000 + seconds * 1_000 },
    ...over,
  }
}

describe('CPU for each GB', () => {
  test('of a steady load is what a byte takes, however long lines wait and whatever the start took', () => {
    const lagMs = fc.integer({ min: 0, max: 900 })
    fc.assert(
      fc.property(fc.double({ min: 1, max: 50, noNaN: true }), lagMs, (nsPerByte, lag) => {
        expect(cpuSecondsPerGB(factsOf(nsPerByte, lag))).toBeCloseTo(nsPerByte, 6)
      }),
    )
  })

  test('of one that was disturbed is all that was spent after the warm-up, by all that was written after it', () => {
    expect(cpuSecondsPerGB(factsOf(5, 0, { isSteady: false }))).toBeCloseTo(5, 6)
  })

  test('without a warm-up the start counts', () => {
    const expected = 5 + startUs / 1e6 / ((rate * seconds) / 1e9)
    expect(cpuSecondsPerGB(factsOf(5, 0, { warm: undefined }))).toBeCloseTo(expected, 6)
  })

  test('too few looks, or nothing written, are no reason for a figure that is not one', () => {
    expect(cpuSecondsPerGB(factsOf(5, 0, { moments: [] }))).toBeCloseTo(5, 6)
    const nothing = { moments: [], written: { bytes: 0, firstAtMs: 0, lastAtMs: 0 } }
    expect(cpuSecondsPerGB(factsOf(5, 0, { ...nothing, warm: { cpuUs: 0, writtenBytes: 0 } }))).toBe(0)
  })
})
