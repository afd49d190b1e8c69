import { expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { Gauge } from '../../src/volume/gauge.ts'

const limit = 1_000_000

test('nothing is said of a volume that nobody has measured', () => {
  const gauge = new Gauge(limit)
  expect(gauge.usedBytes).toBeUndefined()
  expect(gauge.dueMs).toBe(-Infinity)
  gauge.known(0, 500)
  gauge.known(100, 9_000)
  expect(gauge.usedBytes).toBeUndefined()
  expect(gauge.aheadBytes).toBe(0)
})

test('between two measurements it grows with the files that are known', () => {
  const gauge = new Gauge(limit)
  gauge.measured(0, 300_000, 100_000, 5)
  gauge.known(500, 150_000)
  expect(gauge.usedBytes).toBe(350_000)
  gauge.measured(1_000, 310_000, 150_000, 5)
  expect(gauge.usedBytes).toBe(310_000)
  gauge.known(1_500, 100_000)
  expect(gauge.usedBytes).toBe(260_000)
})

test('what was removed is gone, and counts as growth all the same', () => {
  const gauge = new Gauge(limit)
  gauge.measured(0, 500_000, 400_000, 1)
  for (let at = 1; at <= 100; at++) {
    gauge.known(at * 500, 400_000)
    // As much comes as goes.
    gauge.removed(50_000, 50_000)
    expect(gauge.usedBytes).toBe(450_000)
  }
  expect(gauge.aheadBytes).toBeCloseTo((50_000 / 500) * limits.volumeAheadMs, -1)
  // An archive takes up less than is in it, and none of that is among what is known.
  gauge.removed(10_000, 0)
  expect(gauge.usedBytes).toBe(440_000)
})

test('a burst is no trend, and growth that lasts is one', () => {
  const gauge = new Gauge(limit)
  gauge.measured(0, 100_000, 0, 1)
  gauge.known(500, 100_000)
  const burst = gauge.aheadBytes
  expect(burst).toBeLessThan(0.6 * 100_000)
  for (let at = 2; at <= 10; at++) gauge.known(at * 500, 100_000)
  expect(gauge.aheadBytes).toBeLessThan(burst / 2)
  for (let at = 11; at <= 40; at++) gauge.known(at * 500, 100_000 + (at - 10) * 10_000)
  expect(gauge.aheadBytes).toBeGreaterThan(0.9 * (10_000 / 500) * limits.volumeAheadMs)
})

test('a volume that shrinks by itself does not grow', () => {
  const gauge = new Gauge(limit)
  gauge.measured(0, 500_000, 400_000, 1)
  gauge.known(500, 300_000)
  expect(gauge.aheadBytes).toBe(0)
})

test.each([
  ['one with room', 1, 0, limits.volumeWalkCalmMs],
  ['one that fills', 1, 0.71 * limit, limits.volumeWalkMinMs],
  ['one that takes its time', 60, 0, 60 * limits.volumeWalkRest],
  ['a large one', 60_000, 0, limits.volumeWalkMaxMs],
  ['one that is nearly full', 50, 0.81 * limit, 50 * limits.volumeWalkRestPressing],
])('%s is measured again in time', (_what, tookMs, bytes, restMs) => {
  const gauge = new Gauge(limit)
  gauge.measured(1_000, bytes, 0, tookMs)
  expect(gauge.dueMs).toBe(1_000 + restMs)
})

test('what strangers have written since the last measurement is a rate over that time, not a leap', () => {
  const gauge = new Gauge(limit)
  gauge.measured(0, 100_000, 50_000, 5)
  for (let at = 500; at <= 10_000; at += 500) gauge.known(at, 50_000)
  // A heap dump: ten seconds for it, though the files that are known were looked at just now.
  gauge.measured(10_003, 400_000, 50_000, 5)
  expect(gauge.usedBytes).toBe(400_000)
  expect(gauge.aheadBytes).toBeLessThanOrEqual((300_000 / 10_003) * limits.volumeAheadMs)
  gauge.known(10_500, 50_000)
  expect(gauge.aheadBytes, 'and it is over').toBeLessThan((300_000 / 10_003) * limits.volumeAheadMs)
})
