import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RemoraError } from '../../src/base/errors.ts'
import { limits } from '../../src/base/limits.ts'
import { Kernel } from '../../src/encode/kernel.ts'
import { mibText, planMemory, reserveBytes, type MemoryPlan, type PlanFacts } from '../../src/queue/plan.ts'
import { runs } from '../base/runs.ts'

const kib = 1024
const mib = 1024 * kib
const lineBatchBytesOf = (lineBytesMax: number) => 6 * lineBytesMax + limits.documentOverheadBytesMax

function factsOf(limitMib: number, set: Partial<PlanFacts> = {}): PlanFacts {
  const lineBytesMax = set.lineBytesMax ?? 64 * kib
  return {
    limitBytes: Math.round(limitMib * mib),
    limitOrigin: 'a test',
    batchBytes: undefined,
    concurrency: undefined,
    lineBytesMax,
    lineBatchBytes: lineBatchBytesOf(lineBytesMax),
    ...set,
  }
}

function planOrRefusal(facts: PlanFacts): MemoryPlan | RemoraError {
  try {
    return planMemory(facts)
  } catch (error) {
    if (error instanceof RemoraError) return error
    throw error
  }
}

describe('what a limit becomes', () => {
  test.each([
    // limit MiB, setting: batch KiB, requests at once, slots
    [41, {}, 512, 1, 1],
    [44, {}, 512, 1, 3],
    [48, {}, 1024, 2, 4],
    [64, {}, 2048, 2, 4],
    [128, {}, 4096, 2, 4],
    [1024 * 1024, {}, 4096, 2, 4],
    [64, { batchBytes: 8 * mib }, 8192, 1, 1],
    [64, { batchBytes: mib }, 1024, 2, 4],
    [128, { concurrency: 8 }, 4096, 8, 10],
    [64, { concurrency: 8 }, 1024, 8, 10],
    [128, { batchBytes: 16 * mib, concurrency: 3 }, 16384, 3, 3],
    // Compression and encryption take their parts first.
    [64, { compressed: true }, 2048, 2, 4],
    [43, { compressed: true }, 512, 1, 1],
    [64, { encrypted: true }, 2048, 2, 4],
    [48, { encrypted: true }, 1024, 1, 3],
    [56, { encrypted: true, compressed: true }, 1024, 2, 4],
    [256, { encrypted: true, batchBytes: 16 * mib, concurrency: 6 }, 16384, 6, 8],
    // A batch that holds the longest line: 6 MiB and the overhead.
    [128, { lineBytesMax: mib }, 6240, 2, 4],
  ] as const)('%i MiB with %j', (limitMib, set, batchKib, concurrency, slots) => {
    const plan = planMemory(factsOf(limitMib, set))
    expect({ batchKib: plan.batchBytes / kib, concurrency: plan.concurrency, slots: plan.slots }).toEqual({
      batchKib,
      concurrency,
      slots,
    })
  })

  test.each([
    [0, {}, 'a batch of 0.5 MiB'],
    [40, {}, 'a batch of 0.5 MiB'],
    [48, { batchBytes: 16 * mib }, 'a batch of 16 MiB'],
    [48, { concurrency: 8 }, '8 batches of 0.5 MiB'],
    [64, { lineBytesMax: 16 * mib }, 'a batch of 96.1 MiB'],
  ] as const)('%i MiB with %j is refused', (limitMib, set, what) => {
    const refusal = planOrRefusal(factsOf(limitMib, set))
    expect(refusal).toMatchObject({
      code: 'MEMORY_LIMIT_TOO_SMALL',
      message: expect.stringContaining(`cannot hold ${what} beside the 39 MiB`),
      wayOut: expect.stringContaining('at least'),
    })
    expect(refusal).toMatchObject({ message: expect.stringContaining(`${limitMib} MiB (a test)`) })
  })
})

const facts = fc
  .record({
    limitBytes: fc.oneof(
      fc.integer({ min: 36 * mib, max: 80 * mib }),
      fc.integer({ min: 0, max: 2048 * mib }),
      fc.constantFrom(2 ** 40, Number.MAX_SAFE_INTEGER),
    ),
    batchBytes: fc.option(fc.integer({ min: 16 * kib, max: 64 * mib }), { nil: undefined }),
    concurrency: fc.option(fc.integer({ min: 1, max: 32 }), { nil: undefined }),
    lineBytesMax: fc.oneof(fc.constant(64 * kib), fc.integer({ min: kib, max: 16 * mib })),
    compressed: fc.boolean(),
    encrypted: fc.boolean(),
  })
  .filter(({ batchBytes, lineBytesMax }) => batchBytes === undefined || batchBytes >= lineBatchBytesOf(lineBytesMax))
  .map((set): PlanFacts => factsOf(0, set))

describe('every plan', () => {
  test('leaves the process its reserve, and keeps what was set', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const plan = planOrRefusal(given)
        if (plan instanceof RemoraError) return
        expect(plan.arenaBytes).toBeLessThanOrEqual(given.limitBytes - plan.reserveBytes)
        expect(plan.arenaBytes).toBe(plan.slots * plan.slotBytes)
        expect(plan.slots).toBeGreaterThanOrEqual(1)
        expect(plan.slots).toBeGreaterThanOrEqual(plan.concurrency)
        expect(plan.batchBytes).toBe(given.batchBytes ?? plan.batchBytes)
        expect(plan.concurrency).toBe(given.concurrency ?? plan.concurrency)
        expect(plan.batchBytes).toBeGreaterThanOrEqual(given.lineBatchBytes)
        expect(plan.inputBytes).toBeGreaterThanOrEqual(given.lineBytesMax + 2 + limits.guardBytes)
      }),
      runs(2000),
    )
  })

  test('of a larger limit has an arena that is no smaller', () => {
    fc.assert(
      fc.property(facts, fc.oneof(fc.nat(4 * mib), fc.nat(512 * mib)), (given, more) => {
        const [plan, larger] = [given, { ...given, limitBytes: given.limitBytes + more }].map(planOrRefusal)
        if (plan instanceof RemoraError || plan === undefined) return
        expect(larger).not.toBeInstanceOf(RemoraError)
        expect((larger as MemoryPlan).arenaBytes).toBeGreaterThanOrEqual(plan.arenaBytes)
      }),
      runs(2000),
    )
  })

  test('that is refused names a limit that works, and no much larger one than is needed', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const refusal = planOrRefusal(given)
        if (!(refusal instanceof RemoraError)) return
        const [, namedMib] = /at least ([\d.]+) MiB/.exec(refusal.wayOut)!
        const works = { ...given, limitBytes: Math.floor(Number(namedMib) * mib) }
        expect(planOrRefusal(works)).not.toBeInstanceOf(RemoraError)
        expect(planOrRefusal({ ...works, limitBytes: works.limitBytes - 0.11 * mib })).toBeInstanceOf(RemoraError)
      }),
      runs(2000),
    )
  })

  test('counts no less for a slot than its memory really is', () => {
    for (const limitMib of [41, 44, 48, 56, 64, 128, 1024]) {
      for (const set of [{}, { lineBytesMax: kib }, { batchBytes: 500_001 }, { lineBytesMax: 300_001 }]) {
        const given = factsOf(limitMib, set)
        const plan = planOrRefusal(given)
        if (plan instanceof RemoraError) continue
        const { memoryBytes } = new Kernel(plan.inputBytes, plan.batchBytes, given.lineBytesMax)
        expect(plan.slotBytes, `${limitMib} MiB, ${JSON.stringify(set)}`).toBeGreaterThanOrEqual(memoryBytes)
      }
    }
  })
})

test.each([
  [0, '0 MiB'],
  [1, '0.1 MiB'],
  [mib, '1 MiB'],
  [1.5 * mib, '1.5 MiB'],
  [reserveBytes, '39 MiB'],
  [mib + 1, '1.1 MiB'],
])('%i bytes are written %s', (bytes, text) => expect(mibText(bytes)).toBe(text))
