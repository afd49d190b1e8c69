import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffMs, retryAfterMs } from '../../src/ship/retry.ts'

const backoff = { baseMs: 250, capMs: 30_000 }
const almostOne = 1 - 2 ** -53

describe('how long until the next attempt', () => {
  test.each([
    [0, 0, 0],
    [0, 0.5, 125],
    [0, almostOne, 250],
    [1, almostOne, 500],
    [2, 0.5, 500],
    [6, almostOne, 16_000],
    [7, almostOne, 30_000],
    [7, 0.5, 15_000],
    [1000, almostOne, 30_000],
    [1e9, 0, 0],
  ])('attempt %i, random %d: %i ms', (attempt, random, waitMs) => {
    expect(backoffMs(backoff, attempt, random)).toBe(waitMs)
  })

  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const any = fc.record({ baseMs: fc.integer({ min: 1, max: 1000 }), capMs: fc.integer({ min: 1000, max: 60_000 }) })

  test('never longer than the cap, and never shorter than the server asked for, within reason', () => {
    fc.assert(
      fc.property(any, fc.nat(), random, fc.nat(10_000_000), (wait, attempt, chance, askedMs) => {
        const waitMs = backoffMs(wait, attempt, chance, askedMs)
        const reasonMs = Math.min(askedMs, 10 * wait.capMs)
        expect(waitMs).toBeGreaterThanOrEqual(reasonMs)
        expect(waitMs).toBeLessThanOrEqual(Math.max(reasonMs, wait.capMs))
        expect(Number.isInteger(waitMs)).toBe(true)
      }),
    )
  })

  test('all of it is jitter: the same attempt spreads from nothing to twice the one before', () => {
    fc.assert(
      fc.property(any, fc.nat(40), random, (wait, attempt, chance) => {
        const most = backoffMs(wait, attempt, almostOne)
        expect(backoffMs(wait, attempt, 0)).toBe(0)
        expect(Math.abs(backoffMs(wait, attempt, chance) - chance * most)).toBeLessThanOrEqual(1)
        expect(backoffMs(wait, attempt + 1, almostOne)).toBe(Math.min(wait.capMs, 2 * most))
      }),
    )
  })
})

describe('Retry-After', () => {
  const nowMs = Date.UTC(2026, 0, 1, 12, 0, 0)
  test.each([
    [undefined, 0],
    ['', 0],
    ['0', 0],
    ['5', 5000],
    ['1.5', 1500],
    ['-5', 0],
    ['Thu, 01 Jan 2026 12:00:07 GMT', 7000],
    ['Thu, 01 Jan 2026 11:59:00 GMT', 0],
    ['soon', 0],
    ['Infinity', 0],
    ['NaN', 0],
  ])('%j is %i ms', (header, waitMs) => expect(retryAfterMs(header, nowMs)).toBe(waitMs))

  test('no header throws or makes a wait that is no number', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const waitMs = retryAfterMs(header, nowMs)
        expect(waitMs >= 0 && Number.isFinite(waitMs)).toBe(true)
      }),
    )
  })
})
