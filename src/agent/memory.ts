import type { Figures } from '../admin/figures.ts'
import { fieldsOf, textOf, type Logger, type Notice } from '../admin/logger.ts'
import type { Clock } from '../base/clock.ts'
import { RemoraError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { MemoryLimit, MemorySample } from '../base/memory.ts'
import type { Arena } from '../queue/arena.ts'
import { mibText, type MemoryPlan } from '../queue/plan.ts'
import { marginBytes, Pressure, type Step, type Why } from '../queue/pressure.ts'
import { Tidying } from '../queue/tidying.ts'

/** What the kernel says of the process's memory, and how garbage is collected at once. */
export interface Memory {
  sample(): MemorySample
  /** All of it, now; false: this process cannot. @param compactly  pages that are half empty are emptied too, which takes longer */
  collect(compactly?: boolean): boolean
  /** In V8's heap, garbage included. */
  heapBytes(): number
  /** The plan for another limit. @throws RemoraError when the limit is too small */
  plan(limit: MemoryLimit): MemoryPlan
  /** The plan that needs least, whether that fits or not. */
  leastPlan(limit: MemoryLimit): MemoryPlan
}

export type MemoryFigures = Pick<
  Figures,
  | 'memoryInUseBytes'
  | 'memoryLimitBytes'
  | 'arenaBytes'
  | 'slotsPlanned'
  | 'slotsGivenBack'
  | 'slotsTakenAgain'
  | 'memoryCollections'
  | 'memoryResizes'
  | 'memoryOoms'
  | 'memoryStalledSeconds'
>

export interface MemoryKeeperOptions<Slot> {
  readonly clock: Clock
  readonly memory: Memory
  readonly plan: MemoryPlan
  readonly arena: Arena<Slot>
  /** Slots of a new plan are made so, and its requests are as many and as large. */
  readonly make: (plan: MemoryPlan) => () => Slot
  readonly replanned: (plan: MemoryPlan) => void
  readonly logger: Logger
}

const reasons: Readonly<Record<Why, string>> = {
  room: 'little is left of the memory limit',
  oom: 'the kernel found no memory in this container, and may have killed a process',
  stalled: 'the kernel stalls this container for want of memory',
}

/** Holds what Remora has of memory within what the container may have, whatever changes: looks, asks, does, and says so. */
export class MemoryKeeper<Slot> {
  readonly #o: MemoryKeeperOptions<Slot>
  readonly #pressure: Pressure
  readonly #tidying = new Tidying()
  #plan: MemoryPlan
  /** The limit that was looked at last: the plan may be of a larger one, which no plan fits. */
  #limitBytes: number
  #lookedAtMs = -Infinity
  #trimmedAtMs: number
  #collectedForGuestsAtMs = -Infinity
  #givenBack = 0
  #takenAgain = 0
  #collections = 0
  #resizes = 0

  constructor(options: MemoryKeeperOptions<Slot>) {
    this.#o = options
    this.#plan = options.plan
    this.#limitBytes = options.plan.limitBytes
    this.#pressure = new Pressure(options.plan.slots)
    this.#trimmedAtMs = options.clock.monotonicMs()
  }

  /** Slots were dropped: no others are made in their place before `step` has collected them. */
  get dueMs(): number {
    const { arena } = this.#o
    if (arena.dropped > 0) return -Infinity
    return this.#lookedAtMs + (arena.taken > 0 ? limits.memoryIntervalMs : limits.memoryIdleIntervalMs)
  }

  /** Looks when it is due. Call it where nothing is under way: a collection takes some 20 ms. */
  stepWhenDue(): void {
    const { arena, clock, memory } = this.#o
    const nowMs = clock.monotonicMs()
    if (arena.dropped > 0) this.#collect()
    if (nowMs < this.dueMs) return
    this.#lookedAtMs = nowMs
    const sample = memory.sample()
    if (sample.limit.bytes !== this.#limitBytes) {
      this.#resize(sample.limit, nowMs)
      return
    }
    const { slots: slotsMax, slotBytes } = this.#plan
    const { limit, roomBytes, ooms, stalledMs } = sample
    const step = this.#pressure.next({
      nowMs,
      limitBytes: limit.bytes,
      roomBytes,
      ooms,
      stalledMs,
      slotsMax,
      slotBytes,
      slotsMade: arena.made,
    })
    this.#take(step, sample)
    if (this.#tidying.isDue(nowMs, arena.taken === 0, memory.heapBytes())) this.#tidy(nowMs)
    if (nowMs - this.#trimmedAtMs < limits.slotIdleMs) return
    this.#trimmedAtMs = nowMs
    arena.trim()
  }

  /**
   * Whether there is memory for what somebody wants to be shown. Its garbage would lie about until V8 needs the room, and an idle
   * process is seldom looked at: so it is collected first where it is in the way, now and then.
   */
  hasRoomFor(bytes: number): boolean {
    const isThere = () => {
      const { limit, roomBytes } = this.#o.memory.sample()
      return roomBytes >= marginBytes(limit.bytes) + bytes
    }
    if (isThere()) return true
    const nowMs = this.#o.clock.monotonicMs()
    if (nowMs - this.#collectedForGuestsAtMs < limits.adminCollectMs) return false
    this.#collectedForGuestsAtMs = nowMs
    this.#collect()
    return isThere()
  }

  /** Batch slots of the plan; under pressure the arena has fewer. */
  get slotsPlanned(): number {
    return this.#plan.slots
  }

  figures(): MemoryFigures {
    const { limit, usedBytes, ooms, stalledMs } = this.#o.memory.sample()
    return {
      memoryInUseBytes: usedBytes,
      memoryLimitBytes: limit.bytes,
      arenaBytes: this.#o.arena.slots * this.#plan.slotBytes,
      slotsPlanned: this.#plan.slots,
      slotsGivenBack: this.#givenBack,
      slotsTakenAgain: this.#takenAgain,
      memoryCollections: this.#collections,
      memoryResizes: this.#resizes,
      memoryOoms: ooms,
      memoryStalledSeconds: stalledMs === undefined ? undefined : stalledMs / 1000,
    }
  }

  #take(step: Step, sample: MemorySample): void {
    const { arena } = this.#o
    if (step.do === 'collect') this.#collect()
    if (step.do === 'give back') {
      const before = arena.slots
      arena.resize(step.slots)
      this.#givenBack += before - step.slots
      this.#say('warn', {
        code: 'MEMORY_PRESSURE',
        message: `memory: ${reasons[step.why]} (${mibText(sample.usedBytes)} in use, limit ${mibText(sample.limit.bytes)}): ${step.slots} of ${this.#plan.slots} batch slots from now on`,
        wayOut:
          'It ships more slowly and loses nothing. If this comes back, give the container more memory (resources.limits.memory) or lower REMORA_BATCH_BYTES.',
      })
    }
    if (step.do === 'take again') {
      arena.resize(step.slots)
      this.#takenAgain++
      this.#say('info', {
        code: 'MEMORY_CALM',
        message: `memory: there is room again (${mibText(sample.usedBytes)} in use, limit ${mibText(sample.limit.bytes)}): ${step.slots} of ${this.#plan.slots} batch slots from now on`,
      })
    }
  }

  /** Kubernetes resizes a Pod in place: the plan is made again, and slots of the old one go as they are given back. */
  #resize(limit: MemoryLimit, nowMs: number): void {
    const { arena, make, memory, replanned } = this.#o
    const before = this.#limitBytes
    this.#limitBytes = limit.bytes
    this.#resizes++
    const change = `the memory limit is ${mibText(limit.bytes)} now (${limit.origin}), and was ${mibText(before)}`
    try {
      const plan = memory.plan(limit)
      const isOther = plan.slotBytes !== this.#plan.slotBytes || plan.batchBytes !== this.#plan.batchBytes
      this.#plan = plan
      if (isOther) arena.reshape(plan.slots, make(plan))
      else arena.resize(plan.slots)
      replanned(plan)
      this.#pressure.replanned(plan.slots, nowMs)
      this.#say('info', {
        code: 'MEMORY_LIMIT_CHANGED',
        message: `${change}: ${plan.slots} slots of ${mibText(plan.slotBytes)}, ${plan.concurrency} ${plan.concurrency === 1 ? 'request' : 'requests'} at once. V8's own heap keeps the bound that it had at the start`,
      })
    } catch (error) {
      if (!(error instanceof RemoraError)) throw error
      // Not even one slot fits beside what the process needs: it goes on with one, for a stop would help nobody.
      this.#plan = memory.leastPlan(limit)
      arena.reshape(this.#plan.slots, make(this.#plan))
      replanned(this.#plan)
      this.#pressure.replanned(1, nowMs)
      this.#say('warn', {
        code: 'MEMORY_LIMIT_TOO_SMALL',
        message: `${change}; it goes on with one batch slot, but ${error.message}`,
        wayOut: error.wayOut,
      })
    }
    // Garbage too is more than the smaller limit has room for.
    if (arena.dropped > 0 || limit.bytes < before) this.#collect()
  }

  /** What the first look, or a burst of work, has left lies about until V8 needs the room: of an idle process, for ever. */
  #tidy(nowMs: number): void {
    const { memory } = this.#o
    if (memory.collect(true)) this.#collections++
    this.#tidying.done(nowMs, memory.heapBytes())
  }

  /** The memory of dropped slots is given back by the collector only. */
  #collect(): void {
    if (this.#o.memory.collect()) this.#collections++
    this.#o.arena.collected()
  }

  #say(level: 'info' | 'warn', notice: Notice): void {
    this.#o.logger[level](fieldsOf(notice), textOf(notice))
  }
}
