import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { catchUpOf, keptUp } from '../../src/bench/scenarios/held.ts'
import type { Moment } from '../../src/bench/types.ts'

const rate = 20e6
const seconds = 8

function momentsOf(lagAt: (second: number) => number, until = seconds): Moment[] {
  return Array.from({ length: until * 4 + 1 }, (_, n) => {
    const atMs = n * 250
    const lagBytes = Math.max(0, lagAt(n / 4))
    return { atMs, usedBytes: 0, lagBytes, storedBytes: (rate * atMs) / 1_000 - lagBytes, cpuUs: 0 }
  })
}

describe('whether an agent kept up', () => {
  const jitter = fc.array(fc.double({ min: -0.4e6, max: 0.4e6, noNaN: true }), { minLength: 33, maxLength: 33 })

  test('a lag that only moves about is none', () => {
    fc.assert(
      fc.property(jitter, fc.double({ min: 0, max: 10e6, noNaN: true }), (noise, level) => {
        expect(
          keptUp(
            momentsOf((s) => level + noise[s * 4]!),
            rate,
            seconds * 1_000,
          ),
        ).toBe(true)
      }),
    )
  })

  test('one that grows by a tenth of the rate or more is seen', () => {
    fc.assert(
      fc.property(jitter, fc.double({ min: 0.1, max: 1, noNaN: true }), (noise, share) => {
        expect(
          keptUp(
            momentsOf((s) => s * share * rate + noise[s * 4]!),
            rate,
            seconds * 1_000,
          ),
        ).toBe(false)
      }),
    )
  })

  test.each([
    ['a slow start that is made good', (s: number) => Math.max(0, 3 - s) * rate, true],
    ['two seconds of lag that do not go', () => 2 * rate, false],
    ['a quiet one that doubles', (s: number) => 1e3 * s, true],
  ] as const)('%s', (_, lagAt, kept) => {
    expect(keptUp(momentsOf(lagAt), rate, seconds * 1_000)).toBe(kept)
  })

  test.each([
    ['one that ships nothing, at a low rate', 80e3, (s: number) => s * 80e3, false],
    ['a lag that grows by 8 %, at 1 MB/s', 1e6, (s: number) => 0.6e6 + s * 80e3, false],
    ['a lag of ten seconds at the end, at a low rate', 100e3, () => 1e6, false],
    ['batches that fill and go, at a low rate', 80e3, (s: number) => (s % 1) * 60e3, true],
  ] as const)('%s', (_, slow, lagAt, kept) => {
    expect(keptUp(momentsOf(lagAt), slow, seconds * 1_000)).toBe(kept)
  })

  test('too few looks tell nothing', () => {
    expect(
      keptUp(
        momentsOf(() => 0, 1),
        rate,
        seconds * 1_000,
      ),
    ).toBeUndefined()
  })
})

describe('catching up', () => {
  test('from the return of the server until the lag is small', () => {
    const lagAt = (s: number) => (s < 2 ? s * rate : 2 * rate - (s - 2) * 2 * rate)
    const found = catchUpOf(momentsOf(lagAt), 2_000, rate)
    expect(found?.seconds).toBeCloseTo(0.75)
    // What is written meanwhile comes on top of what is made good.
    expect(found?.bytesPerSecond).toBeCloseTo(rate * 3)
  })

  test('never: there is nothing to tell', () => {
    expect(
      catchUpOf(
        momentsOf(() => 5 * rate),
        2_000,
        rate,
      ),
    ).toBeUndefined()
  })
})
