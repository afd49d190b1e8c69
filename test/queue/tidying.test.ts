import { expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { Tidying } from '../../src/queue/tidying.ts'

const mib = 1024 * 1024
const { tidyQuietMs, tidyIntervalMs } = limits

test('a process that has come to rest is rid of its garbage once', () => {
  const tidying = new Tidying()
  expect(tidying.isDue(0, false, 20 * mib)).toBe(false)
  expect(tidying.isDue(1_000, true, 20 * mib)).toBe(false)
  expect(tidying.isDue(1_000 + tidyQuietMs - 1, true, 20 * mib)).toBe(false)
  expect(tidying.isDue(1_000 + tidyQuietMs, true, 20 * mib)).toBe(true)
  tidying.done(7_000, 12 * mib)
  expect(tidying.isDue(7_000 + tidyIntervalMs, true, 12 * mib + limits.tidyBytesMin - 1)).toBe(false)
})

test('again when there is more, and not more often than the interval', () => {
  const tidying = new Tidying()
  tidying.isDue(0, true, 20 * mib)
  tidying.done(tidyQuietMs, 12 * mib)
  expect(tidying.isDue(tidyQuietMs + tidyIntervalMs - 1, true, 20 * mib)).toBe(false)
  expect(tidying.isDue(tidyQuietMs + tidyIntervalMs, true, 20 * mib)).toBe(true)
})

test('never at work, and rest begins anew after it', () => {
  const tidying = new Tidying()
  tidying.isDue(0, true, 20 * mib)
  expect(tidying.isDue(tidyQuietMs, false, 20 * mib)).toBe(false)
  expect(tidying.isDue(tidyQuietMs + 1, true, 20 * mib)).toBe(false)
  expect(tidying.isDue(2 * tidyQuietMs + 1, true, 20 * mib)).toBe(true)
})

test('not where it would take so long that a probe waits', () => {
  const tidying = new Tidying()
  const heapBytes = limits.tidyHeapBytesMax + 1
  tidying.isDue(0, true, heapBytes)
  expect(tidying.isDue(tidyQuietMs, true, heapBytes)).toBe(false)
  expect(tidying.isDue(tidyQuietMs, true, heapBytes - 1)).toBe(true)
})
