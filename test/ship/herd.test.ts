import { describe, expect, test } from 'vitest'
import { randomFrom, runHerd } from './herd.ts'

const agents = 200
const second = 1000

/**
 * Two hundred sidecars, one cluster back after ten minutes. A byte stands for a kilobyte: batches of 4 MiB, two at once, as
 * the memory plan has it; the cluster can take twice what the writers write.
 */
describe.each([
  { name: 'writers of 1 MB/s; a queue of one second', rate: 1000, queueSeconds: 1, most: 2, seed: 1 },
  { name: 'a queue of a quarter of a second', rate: 1000, queueSeconds: 0.25, most: 2, seed: 2 },
  { name: 'a cluster that never refuses', rate: 1000, queueSeconds: Infinity, most: 2, seed: 3 },
  // A batch of each is fifty seconds of the cluster: the first ones can only be a little too many.
  { name: 'writers of 20 kB/s; a queue of one second', rate: 20, queueSeconds: 1, most: 2.5, seed: 4 },
])('$name', ({ rate, queueSeconds, most, seed }) => {
  test(
    'it is not knocked over again, and all is shipped about as soon as it can be',
    { timeout: 240_000 },
    async () => {
      const capacity = 2 * agents * rate
      const { emptyMs, cluster, writtenAtReturn } = await runHerd(
        {
          agents,
          rate,
          batchBytes: 4096,
          concurrencyMax: 2,
          outageMs: 600 * second,
          capacity,
          queueBytes: queueSeconds * capacity,
          timeoutMs: 60 * second,
          random: randomFrom(seed),
        },
        3_000 * second,
      )
      const idealMs = (writtenAtReturn / (capacity - agents * rate)) * second
      const offered = Array.from(cluster.offered, (bytes: number | undefined) => (bytes ?? 0) / capacity)
      expect(Math.max(...offered.slice(1)), 'offered in any second but the first, refused requests too').toBeLessThan(
        most,
      )
      expect(emptyMs / idealMs, 'time to empty all backlogs, to the ideal').toBeLessThan(1.3)
      expect(cluster.accepted).toBeGreaterThan(0)
    },
  )
})
