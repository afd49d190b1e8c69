import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { marginBytes, Pressure, type PressureFacts, type Step } from '../../src/queue/pressure.ts'
import { runs } from '../base/runs.ts'

const mib = 1024 * 1024
const everyMs = limits.memoryIntervalMs

type Facts = Omit<PressureFacts, 'nowMs' | 'slotsMade'>

const easy: Facts = {
  limitBytes: 64 * mib,
  roomBytes: 20 * mib,
  ooms: 0,
  stalledMs: undefined,
  slotsMax: 4,
  slotBytes: 2.5 * mib,
}
const tight = { ...easy, roomBytes: mib }

/** Steps that do something, each with its second. */
/** Slots are given back as soon as that is asked for, unless the facts say otherwise. */
function run(
  pressure: Pressure,
  forMs: number,
  factsAt: (nowMs: number) => Facts & { slotsMade?: number },
  fromMs = 0,
) {
  const steps: [seconds: number, step: Step['do'], slots: number][] = []
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += everyMs) {
    const step = pressure.next({ nowMs, slotsMade: pressure.slots, ...factsAt(nowMs) })
    if (step.do !== 'nothing') steps.push([nowMs / 1000, step.do, pressure.slots])
  }
  return steps
}

test('with room enough nothing is done', () => {
  expect(run(new Pressure(4), 3_600_000, () => easy)).toEqual([])
})

test('garbage first, then one slot after the other, each when the one before has not sufficed', () => {
  expect(run(new Pressure(4), 12_000, () => tight)).toEqual([
    [0, 'collect', 4],
    [1, 'give back', 3],
    [2, 'give back', 2],
    [3, 'give back', 1],
    // It has nothing left to give but garbage.
    [8.5, 'collect', 1],
  ])
})

test('where much is missing several slots go at once, but never the last one', () => {
  const steps = run(new Pressure(10), 3_000, () => ({ ...tight, roomBytes: -6 * mib, slotsMax: 10 }))
  expect(steps).toEqual([
    [0, 'collect', 10],
    [1, 'give back', 6],
    [2, 'give back', 2],
  ])
})

test('slots that were never made are given back first, in one step; what is still in use is waited for', () => {
  expect(run(new Pressure(4), 2_000, () => ({ ...tight, slotsMade: 1 }))).toEqual([
    [0, 'collect', 4],
    [1, 'give back', 1],
  ])
  expect(run(new Pressure(4), 30_000, () => ({ ...tight, slotsMade: 4 }))).toEqual([
    [0, 'collect', 4],
    [1, 'give back', 3],
  ])
})

test('a kernel that found no memory halves at once', () => {
  const pressure = new Pressure(8)
  const steps = run(pressure, 5_000, (nowMs) => ({ ...easy, slotsMax: 8, ooms: nowMs < 2_000 ? 3 : 5 }))
  expect(steps).toEqual([[2, 'give back', 4]])
})

test('ooms of the time before it started are no news', () => {
  expect(run(new Pressure(4), 5_000, () => ({ ...easy, ooms: 7 }))).toEqual([])
})

test('stalls take half of the slots at most: page cache that comes and goes stalls too', () => {
  const steps = run(new Pressure(4), 60_000, (nowMs) => ({ ...easy, stalledMs: nowMs * 0.3 }))
  expect(steps.map(([, what, slots]) => [what, slots])).toEqual([
    ['give back', 3],
    ['give back', 2],
  ])
  expect(run(new Pressure(4), 60_000, (nowMs) => ({ ...easy, stalledMs: nowMs * 0.2 }))).toEqual([])
})

test('one slot is taken again after a time of room, and later each time that it was too soon', () => {
  const pressure = new Pressure(2)
  // With one slot there is room, with two there is not.
  const steps = run(pressure, 400_000, () => ({ ...(pressure.slots === 2 ? tight : easy), slotsMax: 2 }))
  const again = steps.filter(([, what]) => what === 'take again').map(([at]) => at)
  const waits = again.map((at, n) => at - (again[n - 1] ?? 0))
  expect(again.length).toBeGreaterThan(3)
  for (const [n, wait] of waits.slice(1).entries()) expect(wait).toBeGreaterThan(waits[n]! * 1.5)
})

test('another plan begins with all of its slots, and a pause', () => {
  const pressure = new Pressure(4)
  run(pressure, 5_000, () => tight)
  pressure.replanned(3, 5_000)
  expect(pressure.slots).toBe(3)
  expect(
    run(pressure, 1_000, () => ({ ...tight, slotsMax: 3 }), 5_000),
    'it is left to settle',
  ).toEqual([])
})

const anyFacts = fc.record({
  limitBytes: fc.integer({ min: 40 * mib, max: 512 * mib }),
  roomBytes: fc.integer({ min: -8 * mib, max: 64 * mib }),
  oomsMore: fc.constantFrom(0, 0, 0, 0, 1),
  made: fc.constantFrom(
    (slots: number) => slots,
    (slots: number) => slots + 1,
    () => 1,
  ),
  stalledMore: fc.option(fc.integer({ min: 0, max: everyMs }), { nil: undefined }),
})

function wrongWith(step: Step, before: number, slots: number, isTight: boolean): string {
  if (step.do === 'take again') return slots === before + 1 && step.slots === slots ? '' : 'not one more'
  if (step.do !== 'give back') return slots === before ? '' : 'another number, and nobody says so'
  if (step.slots !== slots || slots >= before) return 'not fewer'
  return step.why === 'room' && !isTight ? 'there was room' : ''
}

describe('whatever the kernel says', () => {
  test('there is one slot at least and the plan at most; it grows by one; fewer at once only for a reason', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(anyFacts, { maxLength: 200 }), (slotsMax, all) => {
        const pressure = new Pressure(slotsMax)
        let [ooms, stalledMs, nowMs] = [0, 0, 0]
        let calmSinceMs = 0
        for (const { limitBytes, roomBytes, oomsMore, stalledMore, made } of all) {
          nowMs += everyMs
          ooms += oomsMore
          stalledMs += stalledMore ?? 0
          const before = pressure.slots
          const isTight = roomBytes < marginBytes(limitBytes)
          if (isTight || oomsMore > 0) calmSinceMs = nowMs
          const step = pressure.next({
            nowMs,
            limitBytes,
            roomBytes,
            ooms,
            stalledMs: stalledMore === undefined ? undefined : stalledMs,
            slotsMax,
            slotBytes: 2 * mib,
            slotsMade: made(before),
          })
          expect(wrongWith(step, before, pressure.slots, isTight)).toBe('')
          expect(pressure.slots).toBeGreaterThanOrEqual(1)
          expect(pressure.slots).toBeLessThanOrEqual(slotsMax)
          const calmMs = step.do === 'take again' ? nowMs - calmSinceMs : Infinity
          expect(calmMs).toBeGreaterThanOrEqual(limits.pressureCalmMinMs)
        }
      }),
      runs(500),
    )
  })

  test('a signal that flickers is followed a few times an hour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 120 }), (slots, periods) => {
        const pressure = new Pressure(slots)
        const steps = run(pressure, 3_600_000, (nowMs) => ({
          ...(Math.floor(nowMs / (periods * everyMs)) % 2 === 0 ? tight : easy),
          slotsMax: slots,
        }))
        expect(steps.filter(([, what]) => what === 'take again').length).toBeLessThan(15)
        expect(steps.filter(([, what]) => what === 'give back').length).toBeLessThan(15 + slots)
      }),
      runs(50),
    )
  })
})

/** What a kernel counts for a process: what it is, its garbage, and slots that were touched until they are collected. */
class SimulatedKernel {
  limitBytes = 64 * mib
  baseBytes = 40 * mib
  garbageBytes = 0
  slots = 0
  dropped = 0
  slotBytes = 2.5 * mib
  killed = false

  get usedBytes(): number {
    return this.baseBytes + this.garbageBytes + (this.slots + this.dropped) * this.slotBytes
  }

  /** One interval of full load. */
  work(allowed: number, garbageBytes: number): void {
    this.slots = Math.max(this.slots, allowed)
    if (this.slots > allowed) {
      this.dropped += this.slots - allowed
      this.slots = allowed
    }
    this.garbageBytes = Math.min(8 * mib, this.garbageBytes + garbageBytes)
    if (this.usedBytes > this.limitBytes) this.killed = true
  }

  collect(): void {
    this.garbageBytes = 0
    this.dropped = 0
  }
}

test('a process that grows slowly under full load is never killed while its slots could save it', () => {
  fc.assert(
    fc.property(
      fc.record({
        slotsMax: fc.integer({ min: 2, max: 8 }),
        grownBytes: fc.integer({ min: 0, max: 16 * mib }),
        // A tenth of a MiB each half second: a leak, or thousands of files that come.
        stepBytes: fc.integer({ min: 1024, max: mib / 8 }),
        garbageBytes: fc.integer({ min: 0, max: mib / 4 }),
      }),
      ({ slotsMax, grownBytes, stepBytes, garbageBytes }) => {
        const kernel = new SimulatedKernel()
        const pressure = new Pressure(slotsMax)
        // What is there without any slot but one fits, with the margin that it needs to notice.
        const mostBytes = kernel.limitBytes - kernel.slotBytes - marginBytes(kernel.limitBytes) - 2 * mib
        kernel.limitBytes = Math.max(kernel.limitBytes, kernel.baseBytes + (slotsMax + 2) * kernel.slotBytes + 6 * mib)
        const endBytes = Math.min(kernel.baseBytes + grownBytes, mostBytes)
        for (let nowMs = 0; nowMs < 300_000 && !kernel.killed; nowMs += everyMs) {
          kernel.baseBytes = Math.min(endBytes, kernel.baseBytes + stepBytes)
          kernel.work(pressure.slots, garbageBytes)
          const step = pressure.next({
            nowMs,
            limitBytes: kernel.limitBytes,
            roomBytes: kernel.limitBytes - kernel.usedBytes,
            ooms: 0,
            stalledMs: undefined,
            slotsMax,
            slotBytes: kernel.slotBytes,
            slotsMade: kernel.slots,
          })
          if (step.do === 'give back') kernel.work(step.slots, 0)
          if (step.do === 'collect' || step.do === 'give back') kernel.collect()
        }
        expect(kernel.killed).toBe(false)
      },
    ),
    runs(300),
  )
})
