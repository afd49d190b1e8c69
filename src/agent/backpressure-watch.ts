import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Load, Throttle } from '../base/load.ts'
import type { Health, Outcome } from '../ship/shipper.ts'
import { flowing, step, type Condition, type Facts } from './backpressure.ts'

/** How the last turn of the loop has ended: `more` may be read at once, `blocked`: no slot is free, `done`: all that is known is read. */
export type Turned = 'more' | 'blocked' | 'done'

/** What others know at a moment. */
export interface Around {
  readonly server: Health['state']
  /** Since when the oldest batch waits for its verdict, and batches for a checkpoint; undefined: none does. Monotonic. */
  readonly heldSinceMs: number | undefined
  readonly stateSinceMs: number | undefined
  readonly slotsWithheld: number
  readonly serverLimited: boolean
}

export interface BackpressureFigures extends Pick<Condition, 'state' | 'cause'> {
  readonly forSeconds: number
  /** Something was readable and no slot was free: so long since the start. */
  readonly blockedSeconds: number
  /** Since all that was known had been read: no unread byte that can be read is known for longer. */
  readonly lagSeconds: number
  readonly heldSeconds: number
  readonly throttle: Throttle | undefined
}

/** Sums since the start; the difference of two is what happened between them. */
interface Sums {
  readonly atMs: number
  readonly blockedMs: number
  readonly behindMs: number
  readonly idleMs: number
  readonly cpuMs: number
  readonly periods: number
  readonly throttledPeriods: number
  readonly stoppedMs: number
  readonly quotaCores: number | undefined
  readonly taken: number
  readonly putOff: number
}

/**
 * Watches how what is written and what is shipped go together: once a second while there is something to do, never while
 * there is not, and a few additions for each turn of the loop.
 */
export class BackpressureWatch {
  readonly #clock: Clock
  readonly #load: (() => Load) | undefined
  readonly #around: () => Around
  readonly #changed: (condition: Condition) => void
  #condition: Condition
  #turned: Turned = 'done'
  #turnedAtMs: number
  #caughtUpAtMs: number
  #blockedMs = 0
  #behindMs = 0
  #taken = 0
  #putOff = 0
  /** One for each look, the oldest first; empty while nobody looks. */
  #window: Sums[] = []
  /** Shares are of so much time at least: at the beginning less was seen, and what was not seen counts as quiet. */
  #leastMs = 0
  #server: Health['state'] = 'unknown'
  #nextMs = Infinity

  /** @param load  undefined: reading is taken for work, all else for waiting  @param changed  told after each look, also when nothing changed */
  constructor(clock: Clock, load: (() => Load) | undefined, around: () => Around, changed: (now: Condition) => void) {
    this.#clock = clock
    this.#load = load
    this.#around = around
    this.#changed = changed
    const nowMs = clock.monotonicMs()
    this.#condition = flowing(nowMs)
    this.#turnedAtMs = this.#caughtUpAtMs = nowMs
  }

  /** When the loop has to turn so that this is looked at again, monotonic; Infinity: there is nothing to see. */
  get dueMs(): number {
    return this.#nextMs
  }

  request(outcome: Outcome): void {
    if (outcome === 'ok' || outcome === 'partial') this.#taken++
    else if (outcome === 'overloaded') this.#putOff++
  }

  /** The loop has turned. */
  turned(how: Turned): void {
    const nowMs = this.#clock.monotonicMs()
    this.#account(nowMs)
    this.#turned = how
    if (how === 'done') this.#caughtUpAtMs = nowMs
    if (this.#nextMs === Infinity) {
      if (how === 'done' && this.#around().heldSinceMs === undefined) return
      this.#window = [this.#sums(nowMs)]
      this.#leastMs = limits.backpressureWindowMs
      this.#nextMs = nowMs + limits.backpressureIntervalMs
    } else if (nowMs >= this.#nextMs) this.#look(nowMs)
  }

  figures(): BackpressureFigures {
    const nowMs = this.#clock.monotonicMs()
    this.#account(nowMs)
    const { state, cause, sinceMs } = this.#condition
    const { heldSinceMs } = this.#around()
    return {
      state,
      cause,
      forSeconds: (nowMs - sinceMs) / 1000,
      blockedSeconds: this.#blockedMs / 1000,
      lagSeconds: this.#turned === 'done' ? 0 : (nowMs - this.#caughtUpAtMs) / 1000,
      heldSeconds: (nowMs - (heldSinceMs ?? nowMs)) / 1000,
      throttle: this.#load?.().throttle,
    }
  }

  #account(nowMs: number): void {
    const ms = nowMs - this.#turnedAtMs
    this.#turnedAtMs = nowMs
    if (this.#turned === 'done') return
    this.#behindMs += ms
    if (this.#turned === 'blocked') this.#blockedMs += ms
  }

  #look(nowMs: number): void {
    const around = this.#around()
    const now = this.#sums(nowMs)
    this.#window.push(now)
    while (this.#window.length > 2 && this.#window[1]!.atMs <= nowMs - limits.backpressureWindowMs) this.#window.shift()
    // What was seen while nothing got through tells nothing of a server that takes documents again.
    if (around.server === 'ok' && (this.#server === 'holding' || this.#server === 'unreachable')) {
      this.#window = [now]
      this.#leastMs = limits.backpressureIntervalMs
    }
    this.#server = around.server
    this.#condition = step(this.#condition, factsOf(this.#window[0]!, now, around, this.#leastMs), nowMs)
    this.#changed(this.#condition)
    const { state, next } = this.#condition
    // What comes in bursts may be over at each look, and still be most of the time.
    const wasQuiet = now.behindMs === this.#window[0]!.behindMs
    const isQuiet = this.#turned === 'done' && around.heldSinceMs === undefined && wasQuiet
    // A look that comes late is not made up for.
    this.#nextMs =
      isQuiet && state === 'flowing' && next === undefined ? Infinity : nowMs + limits.backpressureIntervalMs
  }

  #sums(atMs: number): Sums {
    const load = this.#load?.()
    const readingMs = this.#behindMs - this.#blockedMs
    return {
      atMs,
      blockedMs: this.#blockedMs,
      behindMs: this.#behindMs,
      idleMs: load?.idleMs ?? atMs - readingMs,
      cpuMs: load?.cpuMs ?? readingMs,
      periods: load?.throttle?.periods ?? 0,
      throttledPeriods: load?.throttle?.throttledPeriods ?? 0,
      stoppedMs: load?.throttle?.throttledMs ?? 0,
      quotaCores: load?.throttle?.quotaCores,
      taken: this.#taken,
      putOff: this.#putOff,
    }
  }
}

/** @param leastMs  shares of reading are of so much time at least */
export function factsOf(from: Sums, to: Sums, around: Around, leastMs: number): Facts {
  const seenMs = Math.max(1, to.atMs - from.atMs)
  const windowMs = Math.max(seenMs, leastMs)
  const periods = to.periods - from.periods
  const cpuShare = Math.max(0, to.cpuMs - from.cpuMs) / seenMs
  const since = (ms: number | undefined) => (ms === undefined ? 0 : Math.max(1, to.atMs - ms))
  return {
    blockedShare: share(to.blockedMs - from.blockedMs, windowMs),
    behindShare: share(to.behindMs - from.behindMs, windowMs),
    idleShare: share(to.idleMs - from.idleMs, seenMs),
    cpuShare,
    throttledShare: periods === 0 ? 0 : share(to.throttledPeriods - from.throttledPeriods, periods),
    quotaShare: to.quotaCores === undefined ? 0 : cpuShare / to.quotaCores,
    stoppedShare: share(to.stoppedMs - from.stoppedMs, seenMs),
    server: around.server,
    taken: to.taken - from.taken,
    putOff: to.putOff - from.putOff,
    heldMs: since(around.heldSinceMs),
    stateMs: since(around.stateSinceMs),
    slotsWithheld: around.slotsWithheld,
    serverLimited: around.serverLimited,
  }
}

const share = (ms: number, ofMs: number) => Math.min(1, Math.max(0, ms / ofMs))
