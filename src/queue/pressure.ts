import { assert } from '../base/errors.ts'
import { limits } from '../base/limits.ts'

/** How the process stands with its memory, and what it holds of it. */
export interface PressureFacts {
  /** Monotonic. */
  readonly nowMs: number
  readonly limitBytes: number
  /** Until the limit is reached; below 0 when it is passed. */
  readonly roomBytes: number
  /** How often the kernel found no memory; it never falls. */
  readonly ooms: number
  /** For how long in all nothing could go on for want of memory, milliseconds; undefined where nobody says. */
  readonly stalledMs: number | undefined
  /** Of the memory plan. */
  readonly slotsMax: number
  readonly slotBytes: number
  /** That exist, taken or not. */
  readonly slotsMade: number
}

export type Why = 'room' | 'oom' | 'stalled'

export type Step =
  | { readonly do: 'nothing' }
  /** Garbage may be all that is in the way. */
  | { readonly do: 'collect' }
  /** So many slots there may be from now on; fewer than before, or one more. */
  | { readonly do: 'give back'; readonly slots: number; readonly why: Why }
  | { readonly do: 'take again'; readonly slots: number }

const mib = 1024 * 1024

/** Room that is kept below a limit, bytes: from there on memory is given back before the kernel takes the process. */
export function marginBytes(limitBytes: number): number {
  return Math.min(32 * mib, Math.max(3 * mib, limitBytes / 16))
}

/** A slot that has to be given back before so many times the time of room that was waited for was taken too soon. */
const tooSoon = 6

const nothing: Step = { do: 'nothing' }

/**
 * How many slots there may be. Memory that is not given back shows only after a collection, so each step waits for what
 * the one before has brought. A slot that had to be given back soon after it was taken again is not taken again so soon.
 *
 *              no room, still none after a collection; oom; stalled
 *   ┌──────┐ ─────────────────────────────────────────────────────▶ ┌───────┐
 *   │ calm │                                                        │ fewer │ ──┐ the same: fewer still, at least one
 *   └──────┘ ◀───────────────────────────────────────────────────── └───────┘ ◀─┘
 *              room for one more, all through `calmMs`: one more
 */
export class Pressure {
  #slots: number
  #max: number
  /** At the step before; undefined: there was none. */
  #ooms: number | undefined
  /** Stalls are measured from there. */
  #stall: { readonly stalledMs: number; readonly atMs: number } | undefined
  #collectedAtMs = -Infinity
  #gaveAtMs = -Infinity
  #tookAtMs = -Infinity
  /** Since then there was always room for one more. */
  #easySinceMs: number | undefined
  #calmMs: number = limits.pressureCalmMinMs

  constructor(slotsMax: number) {
    assert(slotsMax >= 1, 'at least one slot')
    this.#max = slotsMax
    this.#slots = slotsMax
  }

  /** How many there may be. */
  get slots(): number {
    return this.#slots
  }

  /** The plan is another one: whatever was given back is in it. */
  replanned(slotsMax: number, nowMs: number): void {
    assert(slotsMax >= 1, 'at least one slot')
    this.#max = slotsMax
    this.#slots = slotsMax
    this.#easySinceMs = undefined
    // Its slots are made one after the other, and old ones collected.
    this.#gaveAtMs = nowMs
  }

  next(facts: PressureFacts): Step {
    const { nowMs, ooms } = facts
    const before = this.#ooms
    this.#ooms = ooms
    if (before !== undefined && ooms > before) return this.#give(facts, Math.floor(this.#slots / 2), 'oom')
    const stalled = this.#isStalled(facts)
    if (facts.roomBytes >= marginBytes(facts.limitBytes) && !stalled) return this.#calm(facts)
    this.#easySinceMs = undefined
    if (nowMs - this.#gaveAtMs < limits.pressureSettleMs) return nothing
    // What was to be given back is still in use: it goes when its request is over.
    if (facts.slotsMade > this.#slots) return nothing
    if (stalled) {
      // Page cache that comes and goes stalls too: half of the slots are kept whatever it says.
      const least = Math.ceil(this.#max / 2)
      return this.#slots > least ? this.#give(facts, this.#slots - 1, 'stalled') : nothing
    }
    // Garbage first: one collection, and a look at what it has brought.
    const sinceMs = nowMs - this.#collectedAtMs
    if (sinceMs > limits.pressureCollectMs) return this.#collect(nowMs)
    if (sinceMs < limits.pressureSettleMs) return nothing
    if (this.#slots === 1) return nothing
    const missingBytes = marginBytes(facts.limitBytes) - facts.roomBytes
    return this.#give(facts, this.#slots - Math.max(1, Math.floor(missingBytes / facts.slotBytes)), 'room')
  }

  #collect(nowMs: number): Step {
    this.#collectedAtMs = nowMs
    return { do: 'collect' }
  }

  #give({ nowMs, slotsMade }: PressureFacts, slots: number, why: Why): Step {
    this.#easySinceMs = undefined
    // Those that were never made are given back first, all at once: none is made while there is no room.
    const least = Math.max(1, Math.min(slots, slotsMade))
    if (least >= this.#slots) return this.#collect(nowMs)
    // It was taken again too soon.
    if (nowMs - this.#tookAtMs < this.#calmMs * tooSoon)
      this.#calmMs = Math.min(limits.pressureCalmMaxMs, this.#calmMs * 2)
    this.#slots = least
    this.#gaveAtMs = nowMs
    this.#collectedAtMs = nowMs
    return { do: 'give back', slots: least, why }
  }

  #calm({ nowMs, roomBytes, limitBytes, slotBytes }: PressureFacts): Step {
    if (nowMs - Math.max(this.#gaveAtMs, this.#tookAtMs) > limits.pressureForgetMs) {
      this.#calmMs = limits.pressureCalmMinMs
    }
    if (this.#slots === this.#max || roomBytes < marginBytes(limitBytes) * 1.25 + slotBytes) {
      this.#easySinceMs = undefined
      return nothing
    }
    this.#easySinceMs ??= nowMs
    if (nowMs - this.#easySinceMs < this.#calmMs) return nothing
    this.#easySinceMs = undefined
    this.#tookAtMs = nowMs
    this.#slots++
    return { do: 'take again', slots: this.#slots }
  }

  /** A quarter of the time or more, over some seconds. */
  #isStalled({ nowMs, stalledMs }: PressureFacts): boolean {
    if (stalledMs === undefined) return false
    this.#stall ??= { stalledMs, atMs: nowMs }
    const tookMs = nowMs - this.#stall.atMs
    if (tookMs < limits.pressureStallWindowMs) return false
    const share = (stalledMs - this.#stall.stalledMs) / tookMs
    this.#stall = { stalledMs, atMs: nowMs }
    return share >= limits.pressureStallShare
  }
}
