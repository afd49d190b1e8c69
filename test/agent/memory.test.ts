import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { pino } from 'pino'
import { MemoryKeeper, type Memory } from '../../src/agent/memory.ts'
import { RemoraError } from '../../src/base/errors.ts'
import { limits } from '../../src/base/limits.ts'
import type { MemoryLimit } from '../../src/base/memory.ts'
import { Arena } from '../../src/queue/arena.ts'
import type { MemoryPlan } from '../../src/queue/plan.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { runs } from '../base/runs.ts'
import { AgentWorld } from './world.ts'

const mib = 2 ** 20
const lineBytesMax = 4096
const inputBytes = lineBytesMax + 4096

/** A container's memory that the test moves. */
class FakeMemory implements Memory {
  limitBytes = 64 * mib
  usedBytes = 20 * mib
  ooms = 0
  collections = 0

  sample() {
    return {
      limit: { bytes: this.limitBytes, origin: 'test' },
      usedBytes: this.usedBytes,
      roomBytes: this.limitBytes - this.usedBytes,
      ooms: this.ooms,
      stalledMs: undefined,
    }
  }

  collect() {
    this.collections++
    return true
  }

  heapBytes() {
    return 0
  }

  /** A slot for each 16 MiB, and larger ones from 64 MiB on. */
  plan(limit: MemoryLimit): MemoryPlan {
    if (limit.bytes < 16 * mib) {
      throw new RemoraError('MEMORY_LIMIT_TOO_SMALL', 'a test cannot hold a batch', 'Give it 16 MiB')
    }
    return planOf(limit, (limit.bytes < 64 * mib ? 32 : 64) * 1024, Math.floor(limit.bytes / (16 * mib)))
  }

  leastPlan(limit: MemoryLimit): MemoryPlan {
    return planOf(limit, 16 * 1024, 1)
  }
}

function planOf({ bytes, origin }: MemoryLimit, batchBytes: number, slots: number): MemoryPlan {
  return {
    limitBytes: bytes,
    limitOrigin: origin,
    reserveBytes: 0,
    batchBytes,
    inputBytes,
    slotBytes: inputBytes + batchBytes,
    slots,
    concurrency: Math.min(2, slots),
    arenaBytes: slots * (inputBytes + batchBytes),
  }
}

function worldOf(memory: Memory): AgentWorld {
  return new AgentWorld({ lineBytesMax }, { memory, slots: 4, concurrency: 2, batchBytes: 64 * 1024 })
}

const said = (world: AgentWorld, code: string) => world.agent.messages.filter((message) => message.code === code)

test('a limit that is lowered and raised while it ships: another plan each time, said once, nothing lost', async () => {
  const memory = new FakeMemory()
  const world = worldOf(memory)
  await world.agent.start()
  world.every(50, 60_000, () => world.write('/logs/app.log', 40))
  await world.agent.advance(5_000)
  memory.limitBytes = 32 * mib
  await world.agent.advance(20_000)
  expect(world.agent.agent.figures()).toMatchObject({ slots: 2, slotsPlanned: 2, memoryLimitBytes: 32 * mib })
  memory.limitBytes = 96 * mib
  await world.agent.advance(20_000)
  expect(world.agent.agent.figures()).toMatchObject({ slots: 6, slotsPlanned: 6, memoryResizes: 2 })
  await world.agent.advance(20_000)
  await world.stop()
  expect(said(world, 'MEMORY_LIMIT_CHANGED').map(({ text }) => /is (\S+ MiB) now/.exec(text)?.[1])).toEqual([
    '32 MiB',
    '96 MiB',
  ])
  expect(world.stored.length).toBe(world.written)
  expect(memory.collections).toBeGreaterThan(0)
})

test('a limit that no plan fits: it goes on with one slot, says the way out, and takes all again when there is more', async () => {
  const memory = new FakeMemory()
  const world = worldOf(memory)
  await world.agent.start()
  memory.limitBytes = 8 * mib
  world.write('/logs/app.log', 500)
  await world.agent.advance(10_000)
  expect(said(world, 'MEMORY_LIMIT_TOO_SMALL').map(({ text }) => text)).toEqual([
    expect.stringMatching(/8 MiB now.*one batch slot.*Give it 16 MiB/),
  ])
  // The smallest: five times less than the one before.
  expect(world.agent.agent.figures()).toMatchObject({ slots: 1, arenaBytes: inputBytes + 16 * 1024 })
  world.write('/logs/app.log', 500)
  await world.agent.advance(10_000)
  memory.limitBytes = 64 * mib
  await world.agent.advance(10_000)
  expect(world.agent.agent.figures().slots).toBe(4)
  await world.stop()
  expect(world.stored.length).toBe(1000)
})

test('somebody wants to be shown something: where garbage is in the way it is collected first, and not at each question', async () => {
  const memory = new FakeMemory()
  const world = worldOf(memory)
  await world.agent.start()
  const { agent } = world.agent
  // 4 MiB are kept below the limit.
  memory.usedBytes = 60 * mib - limits.adminMakeBytes
  expect([agent.hasRoom(), memory.collections]).toEqual([true, 0])
  memory.usedBytes++
  memory.collect = () => {
    memory.collections++
    memory.usedBytes = 30 * mib
    return true
  }
  expect([agent.hasRoom(), memory.collections]).toEqual([true, 1])
  // No garbage, but what is needed.
  memory.usedBytes = 63 * mib
  expect([agent.hasRoom(), memory.collections]).toEqual([false, 1])
  await world.agent.advance(limits.adminCollectMs)
  memory.usedBytes = 63 * mib
  const before = memory.collections
  expect([agent.hasRoom(), memory.collections]).toEqual([true, before + 1])
  expect(agent.figures().memoryCollections).toBe(memory.collections)
  await world.stop()
})

test('little room: slots are given back, and taken again one by one later, each said once', async () => {
  const memory = new FakeMemory()
  const world = worldOf(memory)
  await world.agent.start()
  world.every(50, 120_000, () => world.write('/logs/app.log', 5))
  await world.agent.advance(1_000)
  memory.usedBytes = 63 * mib
  await world.agent.advance(20_000)
  expect(world.agent.agent.figures()).toMatchObject({ slots: 1, slotsGivenBack: 3, slotsTakenAgain: 0 })
  // More is missing than all of them have.
  expect(said(world, 'MEMORY_PRESSURE').map(({ text }) => text)).toEqual([
    expect.stringMatching(
      /little is left .*63 MiB in use, limit 64 MiB.*: 1 of 4 batch slots .*resources.limits.memory/,
    ),
  ])
  memory.usedBytes = 20 * mib
  await world.agent.advance(60_000)
  expect(world.agent.agent.figures()).toMatchObject({ slots: 4, slotsTakenAgain: 3 })
  expect(said(world, 'MEMORY_CALM').length).toBe(3)
  await world.stop()
  expect(world.stored.length).toBe(world.written)
})

test('what an idle agent does not need is given back after a while', async () => {
  const memory = new FakeMemory()
  const world = worldOf(memory)
  await world.agent.start()
  world.write('/logs/app.log', 5_000)
  await world.agent.advance(2_000)
  const before = memory.collections
  await world.agent.advance(3 * limits.slotIdleMs)
  expect(memory.collections).toBe(before + 1)
  world.write('/logs/app.log', 5_000)
  await world.agent.advance(2_000)
  expect(world.stored.length).toBe(world.written)
  await world.stop()
})

test('whatever memory does, every line arrives once', async () => {
  const change = fc.record({
    limitMib: fc.constantFrom(8, 16, 20, 32, 48, 64, 128, 256),
    usedShare: fc.constantFrom(0.1, 0.5, 0.93, 0.99, 1.2),
    ooms: fc.constantFrom(0, 0, 0, 1),
    forMs: fc.integer({ min: 1, max: 15_000 }),
    lines: fc.integer({ min: 0, max: 1_500 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      const memory = new FakeMemory()
      const world = worldOf(memory)
      await world.agent.start()
      for (const { limitMib, usedShare, ooms, forMs, lines } of changes) {
        memory.limitBytes = limitMib * mib
        memory.usedBytes = memory.limitBytes * usedShare
        memory.ooms += ooms
        if (lines > 0) world.write('/logs/app.log', lines)
        await world.agent.advance(forMs)
        const { slots, slotsPlanned } = world.agent.agent.figures()
        expect(slots).toBeGreaterThanOrEqual(1)
        expect(slots).toBeLessThanOrEqual(slotsPlanned)
      }
      const summary = await world.stop()
      expect(summary.checkpoint).toBe('written')
      expect(world.stored.length).toBe(world.written)
      expect(new Set(world.stored).size).toBe(world.written)
      expect(summary.ledger.imbalance).toBe(0)
    }),
    runs(60),
  )
})

const makeSlots =
  ({ batchBytes }: MemoryPlan) =>
  () => ({ batchBytes })

test('slots of another plan are of its size, and requests too; where none fits, of the smallest', async () => {
  const memory = new FakeMemory()
  const clock = new VirtualClock()
  const plan = memory.plan({ bytes: 64 * mib, origin: 'test' })
  const arena = new Arena(plan.slots, makeSlots(plan))
  const replanned: { batchBytes: number; concurrency: number }[] = []
  const keeper = new MemoryKeeper({
    clock: clock.view(() => true),
    memory,
    plan,
    arena,
    make: makeSlots,
    replanned: ({ batchBytes, concurrency }) => replanned.push({ batchBytes, concurrency }),
    logger: pino({ level: 'silent' }),
  })
  const takenAfter = async (limitMib: number) => {
    memory.limitBytes = limitMib * mib
    await clock.advanceTo(clock.nowMs + limits.memoryIdleIntervalMs)
    keeper.stepWhenDue()
    const slot = arena.take()!
    arena.give(slot)
    return { ...slot, request: replanned.at(-1) }
  }
  expect(await takenAfter(64)).toEqual({ batchBytes: 64 * 1024, request: undefined })
  expect(await takenAfter(32)).toEqual({ batchBytes: 32 * 1024, request: { batchBytes: 32 * 1024, concurrency: 2 } })
  expect(await takenAfter(8)).toEqual({ batchBytes: 16 * 1024, request: { batchBytes: 16 * 1024, concurrency: 1 } })
  expect(await takenAfter(96)).toEqual({ batchBytes: 64 * 1024, request: { batchBytes: 64 * 1024, concurrency: 2 } })
})
