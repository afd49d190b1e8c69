import { expect, test } from 'vitest'
import { Sampler } from '../../src/bench/agent/sampler.ts'
import type { Use } from '../../src/bench/agent/use.ts'
import type { Arrived } from '../../src/bench/target.ts'

const mib = 2 ** 20

const arrived = (): Promise<Arrived> => Promise.resolve({ storedBytes: 0 } as Arrived)

test('start, warm-up and what counts are told apart', async () => {
  let [userUs, usedBytes] = [0, 0]
  const progress = { lines: 0, bytes: 0 }
  const use = (): Use => ({ cpu: { userUs, systemUs: 0 }, usedBytes, throttledMs: 0, oomKills: 0 })
  const sampler = new Sampler({ use }, { progress }, { arrived })
  ;[userUs, usedBytes] = [1_000_000, 90 * mib]
  sampler.begin(true)
  ;[userUs, usedBytes, progress.bytes] = [1_300_000, 20 * mib, 5e6]
  sampler.warmedUp()
  ;[userUs, usedBytes] = [1_400_000, 30 * mib]
  const { cpu, warm, memory } = await sampler.finish()
  expect(cpu.userUs).toBe(400_000)
  expect(warm).toEqual({ cpuUs: 300_000, writtenBytes: 5e6 })
  expect(memory).toEqual({ peakBytes: 90 * mib, meanBytes: 30 * mib })
})
