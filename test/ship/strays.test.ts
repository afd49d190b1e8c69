import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Strays } from '../../src/ship/strays.ts'
import { runs } from '../base/runs.ts'
import { randomFrom } from './herd.ts'
import { dice, otherwiseBusy, queued, roomFor, runSteady, shards, type SteadyServer } from './steady.ts'

const second = 1000
/** A document stands for 1 KiB. */
const mib = 1024

interface Given {
  readonly agents?: number
  readonly rate?: number
  readonly latencyMs?: number
  readonly batch?: number
  readonly concurrencyMax?: number
  readonly learningMs?: number
  readonly server: (random: () => number) => SteadyServer
}

/** The means over seeds. */
async function meanOf(given: Given) {
  const { agents = 1, rate = Infinity, latencyMs = 5, batch = 1, concurrencyMax = 2, learningMs = 30 * second } = given
  const seeds = [1, 2, 3]
  const sum = { goodput: 0, refusedRequests: 0, refusedDocuments: 0, least: 0, windowMean: 0 }
  for (const seed of seeds) {
    const random = randomFrom(seed)
    const got = await runSteady({
      agents,
      rate,
      batchDocuments: batch * mib,
      concurrencyMax,
      latencyMs,
      server: given.server(random),
      random,
      learningMs,
      measuredMs: 30 * second,
    })
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += got[key] / seeds.length
  }
  return sum
}

test('what a server refuses for want of room, whole or in part, is never taken for anything else', () => {
  const windows = fc.array(fc.record({ onWayBytes: fc.integer({ min: 1, max: 1000 }), partly: fc.boolean() }))
  fc.assert(
    fc.property(windows, fc.integer({ min: 1, max: 1000 }), (given, room) => {
      const strays = new Strays()
      for (const { onWayBytes, partly } of given) {
        const bytes = onWayBytes
        const leftBytes = Math.max(0, partly ? bytes - room : bytes)
        const answered = { bytes, leftBytes, tookMs: 5, onWayBytes, requestBytesMax: bytes }
        let stray = false
        if (bytes <= room) strays.taken({ ...answered, leftBytes: 0 })
        else stray = strays.refused(answered, false)
        expect([stray, strays.share]).toEqual([false, 0])
      }
    }),
    runs(200),
  )
})

/** Plenty of room, and dice: how much is sent has nothing to do with it. */
describe('refusals whatever is sent', () => {
  const requests = [0.02, 0.05, 0.1, 0.2].flatMap((share) => [1, 4].map((batch) => ({ share, batch })))
  test.each(requests)('$share of the requests, batches of $batch MiB: 4 MB/s are kept up with', async (given) => {
    const { share, batch } = given
    const got = await meanOf({ rate: 4 * mib, batch, server: (random) => dice(random, { requests: share }) })
    expect(got.goodput / (4 * mib)).toBeGreaterThan((1 - share) * 0.8)
    // The least one is 1/128.
    expect(got.windowMean).toBeGreaterThan(1 / 8)
  })

  const partly = [
    { partly: 0.05, documents: 1 / 3 },
    { partly: 0.2, documents: 1 / 3 },
    { partly: 0.9, documents: 1 / 3 },
    { partly: 1, documents: 0.02 },
    { partly: 1, documents: 0.1 },
    { partly: 1, documents: 1 / 3 },
  ].flatMap((shares) => [5, 50].map((latencyMs) => ({ ...shares, latencyMs })))
  test.each(partly)(
    'of $partly of the requests $documents of the documents, answers after $latencyMs ms: the same',
    async ({ latencyMs, ...shares }) => {
      const learningMs = 60 * second
      const got = await meanOf({ rate: 4 * mib, latencyMs, learningMs, server: (random) => dice(random, shares) })
      expect(got.goodput / (4 * mib)).toBeGreaterThan((1 - shares.partly * shares.documents) * 0.8)
      expect(got.windowMean).toBeGreaterThan(1 / 8)
    },
  )

  test.each([5, 50])(
    'one shard of three is full with what others write, three times in ten; answers after %i ms',
    async (latencyMs) => {
      const got = await meanOf({
        rate: 2 * mib,
        latencyMs,
        learningMs: 60 * second,
        server: (random) => otherwiseBusy(random, 3, 0.3, 200),
      })
      expect(got.goodput / (2 * mib)).toBeGreaterThan(0.9 * 0.8)
    },
  )
})

describe('a server that refuses what is too much for it', () => {
  test.each([0.03, 0.3].flatMap((room) => [false, true].map((partly) => ({ room, partly }))))(
    'room for $room batches, in part: $partly: few are refused, nearly all of it is used',
    async ({ room, partly }) => {
      const got = await meanOf({ server: () => roomFor(() => room * mib, 50, partly) })
      expect(got.refusedRequests).toBeLessThan(0.03)
      expect(got.windowMean / room).toBeGreaterThan(0.7)
    },
  )

  test.each([4, 12])('%i agents at one with a queue of a quarter of a second', async (agents) => {
    const capacity = agents * mib
    const got = await meanOf({ agents, batch: 4, server: () => queued(capacity, capacity / 4) })
    expect(got.refusedRequests).toBeLessThan(0.06)
    expect(got.goodput / capacity).toBeGreaterThan(0.95)
    expect(got.least, 'what the last one gets, to the mean').toBeGreaterThan(0.2)
  })

  test.each([4, 12])('%i agents at one with room for six requests', async (agents) => {
    const server = () => queued(40 * mib, Infinity, 6)
    const got = await meanOf({ agents, batch: 0.5, concurrencyMax: 16, server })
    expect(got.refusedDocuments).toBeLessThan(0.04)
    expect(got.goodput / (40 * mib)).toBeGreaterThan(0.9)
  })

  test.each([4, 12])('%i agents at three shards, each with a queue of six', async (agents) => {
    const server = () => shards({ capacities: [10 * mib, 10 * mib, 10 * mib], queue: 6 })
    const got = await meanOf({ agents, batch: 0.5, concurrencyMax: 8, server })
    expect(got.refusedDocuments).toBeLessThan(0.04)
    expect(got.goodput / (30 * mib)).toBeGreaterThan(0.9)
  })

  // One that answers as quickly as ever while it refuses for what others send looks like dice to each of them.
  test.each([0.03, 0.3].flatMap((room) => [4, 12].map((agents) => ({ room, agents }))))(
    '$agents agents at a quick one without a queue, room for $room batches of each: more are refused, not less is taken',
    async ({ room, agents }) => {
      const got = await meanOf({ agents, latencyMs: 4, server: () => roomFor(() => room * agents * mib, 46) })
      expect(got.refusedRequests).toBeLessThan(0.1)
      // All of it would be twenty times its room in each second.
      expect(got.goodput / (20 * room * agents * mib)).toBeGreaterThan(0.7)
      expect(got.least, 'what the last one gets, to the mean').toBeGreaterThan(0.2)
    },
  )
})
