import type PQueue from 'p-queue'
import type { Clock } from '../base/clock.ts'
import type { Kernel } from '../encode/kernel.ts'
import type { Generation } from '../follow/generation.ts'
import type { Registry } from '../follow/registry.ts'
import type { Schedule } from '../follow/schedule.ts'
import type { Unpacking } from '../follow/unpacking.ts'
import type { Pump } from '../pump.ts'
import { sealAfterMs } from '../queue/sealing.ts'
import type { BackpressureWatch } from './backpressure-watch.ts'
import type { Bell } from './bell.ts'
import type { Delivery } from './delivery.ts'
import type { Drain } from './drain.ts'
import type { Looking } from './looking.ts'
import type { MemoryKeeper } from './memory.ts'
import type { Saving } from './saving.ts'

export interface LoopOptions {
  readonly clock: Clock
  readonly yield: () => Promise<void>
  readonly batchLingerMs: number
  readonly bell: Bell
  readonly memory: MemoryKeeper<Kernel>
  readonly looking: Looking
  readonly registry: Registry
  readonly schedule: Schedule
  readonly unpacking: Unpacking
  readonly pump: Pump
  readonly requests: PQueue
  readonly delivery: Delivery
  readonly saving: Saving
  readonly backpressure: BackpressureWatch
  /** Undefined until the agent is told to stop. */
  readonly drain: () => Drain | undefined
  /** Aborted: the loop ends after the present turn, drained or not. Whoever aborts rings the bell. */
  readonly signal: AbortSignal
  readonly failed: (error: unknown) => void
}

/** The one loop of the agent: looks, fills a batch, seals it, and sleeps until something is due or the bell rings. */
export class Loop {
  readonly #o: LoopOptions

  constructor(options: LoopOptions) {
    this.#o = options
  }

  /** Resolves when everything is drained, or when the signal aborts. */
  async run(): Promise<void> {
    const { clock, looking, registry, pump, saving, memory, backpressure, delivery, signal } = this.#o
    while (!signal.aborted) {
      const drain = this.#o.drain()
      memory.stepWhenDue()
      const follows = drain?.follows !== false
      if (follows) await looking.lookWhenDue()
      else registry.lastLook()
      const more = pump.fill()
      backpressure.turned(more ? 'more' : pump.isBlocked ? 'blocked' : 'done')
      if (pump.batch?.documents === 0) delivery.settleEmpty(pump.discard())
      const sealMs = this.#sealAfter()
      if (sealMs === 0) pump.seal()
      saving.writeWhenDue().catch((error: unknown) => this.#o.failed(error))
      if (more) {
        await this.#o.yield()
        continue
      }
      const step = drain?.next(this.#isIdle(drain), clock.monotonicMs(), this.#newsAtMs())
      if (step?.do === 'stop') return
      if (step?.do === 'look') {
        await looking.look(true)
        continue
      }
      const nowMs = clock.monotonicMs()
      const drainMs = step?.do === 'wait' ? step.ms : Infinity
      const lookMs = follows ? looking.dueMs - nowMs : Infinity
      const dueMs = Math.min(saving.dueMs, memory.dueMs, backpressure.dueMs)
      await this.#o.bell.wait(Math.min(sealMs || Infinity, drainMs, lookMs, dueMs - nowMs))
    }
  }

  /** Everything that was seen is answered for. */
  #isIdle(drain: Drain): boolean {
    const { pump, schedule, registry, unpacking } = this.#o
    const { pending, size } = this.#o.requests
    if (pump.batch !== undefined || schedule.size > 0 || pending > 0 || size > 0) return false
    // What the state knows and nobody has found may turn up under another name, while somebody looks.
    if (drain.follows && registry.searching) return false
    const isUnpacking = ({ finished, packing, descriptor }: Generation) =>
      !finished && packing !== undefined && descriptor !== -1 && !unpacking.isWhole(descriptor)
    return ![...registry.generations].some(isUnpacking)
  }

  /** When a file grew last, came, or went. */
  #newsAtMs(): number {
    let newsAtMs = 0
    for (const { changedAtMs } of this.#o.registry.generations) newsAtMs = Math.max(newsAtMs, changedAtMs)
    return newsAtMs
  }

  #sealAfter(): number | undefined {
    const { clock, pump, requests, drain, batchLingerMs } = this.#o
    const { batch } = pump
    if (batch === undefined) return undefined
    return sealAfterMs(
      {
        documents: batch.documents,
        ageMs: clock.monotonicMs() - batch.openedAtMs,
        busy: requests.pending > 0,
        draining: drain() !== undefined,
      },
      batchLingerMs,
    )
  }
}
