import { expect, test } from 'vitest'
import { Sampler } from '../../src/bench/agent/sampler.ts'
import { WrittenSoFar } from '../../src/bench/agent/written-so-far.ts'

test('the first lines may be shorter than the rest', () => {
  const written = new WrittenSoFar()
  written.add({ lines: 1_000, bytes: 10_000 })
  written.add({ lines: 1_000, bytes: 10_000 })
  written.add({ lines: 2_000, bytes: 5_010_000 })
  const found = [0, 500, 1_000, 1_500, 2_000, 3_000].map((lines) => written.bytesOf(lines))
  expect(found).toEqual([0, 5_000, 10_000, 2_510_000, 5_010_000, 5_010_000])
})

test('so a lag is right where only documents are counted', async () => {
  const use = { usedBytes: 0, cpu: { userUs: 0, systemUs: 0 }, throttledMs: 0, oomKills: 0 }
  const writer = { progress: { lines: 1_000, bytes: 10_000 } }
  const arrived = { storedLines: 1_000, storedBytes: 2_505_000, isGuess: true }
  const rest = { requests: 0, bodyBytes: 0, firstAtMs: 0, lastAtMs: 0, cpuUs: 0, failure: '' }
  const sampler = new Sampler({ use: () => use }, writer, { arrived: () => Promise.resolve({ ...arrived, ...rest }) })
  sampler.begin(false)
  writer.progress = { lines: 2_000, bytes: 5_010_000 }
  const { moments } = await sampler.finish()
  expect(moments.at(-1)).toMatchObject({ storedBytes: 10_000, lagBytes: 5_000_000 })
})
