import { describe, expect, test } from 'vitest'
import { type Sample, trendOf } from '../../src/bench/trend.ts'
import { Random } from '../model/random.ts'

const hourMs = 3_600_000
const mebibyte = 1024 * 1024

/** Two hours, a sample each 5 s: a saw tooth of a collector with peaks, on a line that rises by `perHour`. */
function heap(perHour: number, seed: number): Sample[] {
  const random = new Random(seed)
  return Array.from({ length: 1_440 }, (_, n) => {
    const atMs = n * 5_000
    const tooth = (n % 17) * 0.3 * mebibyte
    const peak = random.chance(0.02) ? 20 * mebibyte : 0
    return { atMs, value: 40 * mebibyte + tooth + peak + random.next() * mebibyte + (perHour * atMs) / hourMs }
  })
}

const seeds = Array.from({ length: 20 }, (_, n) => n + 1)

describe('the trend of memory', () => {
  test('of a line is the line', () => {
    const samples = Array.from({ length: 50 }, (_, n) => ({ atMs: n * 1_000, value: 7 + n * 3 }))
    const { perHour, perHourLow, perHourHigh, rise, noise } = trendOf(samples)
    for (const slope of [perHour, perHourLow, perHourHigh]) expect(slope).toBeCloseTo(3 * 3_600, 3)
    expect(rise).toBeCloseTo(49 * 3, 6)
    expect(noise).toBeCloseTo(0, 6)
  })

  test('flat memory with saw tooth and peaks does not rise', () => {
    for (const seed of seeds) {
      const { rise, noise, perHourLow, perHourHigh } = trendOf(heap(0, seed))
      expect(rise, `seed ${seed}`).toBeLessThan(noise)
      expect(perHourLow, `seed ${seed}`).toBeLessThan(perHourHigh)
      expect(Math.abs(perHourLow)).toBeLessThan(mebibyte)
    }
  })

  test('a leak of 4 MiB an hour shows beyond the noise', () => {
    for (const seed of seeds) {
      const { rise, noise, perHour } = trendOf(heap(4 * mebibyte, seed))
      expect(rise, `seed ${seed}`).toBeGreaterThan(noise)
      expect(perHour / mebibyte).toBeCloseTo(4, 0)
    }
  })

  test('memory that shrinks has not risen', () => expect(trendOf(heap(-8 * mebibyte, 3)).rise).toBe(0))

  test('too few samples are no trend', () => expect(() => trendOf(heap(0, 1).slice(0, 9))).toThrow(RangeError))
})
