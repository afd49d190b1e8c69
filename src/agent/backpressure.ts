import type { Cause, State } from '../admin/backpressure-words.ts'
import { limits } from '../base/limits.ts'
import type { Health } from '../ship/shipper.ts'

/** What was seen in the last seconds. Shares are of that time, 0 to 1. */
export interface Facts {
  /** Something was readable and no slot was free. */
  readonly blockedShare: number
  /** Something was readable, and not read yet. */
  readonly behindShare: number
  /** The event loop had nothing to do: Remora waited for others. */
  readonly idleShare: number
  /** On a CPU, all threads together; of one core. */
  readonly cpuShare: number
  /** Of the quota's periods in which something ran, those in which it was used up; 0 without a quota. */
  readonly throttledShare: number
  /** Of the quota, what this process has used. */
  readonly quotaShare: number
  /** For so long the kernel let nothing run. */
  readonly stoppedShare: number
  readonly server: Health['state']
  /** Requests that were taken, and that were put off (429, 5xx). */
  readonly taken: number
  readonly putOff: number
  /** Age of the oldest batch without a verdict; 0: there is none. */
  readonly heldMs: number
  /** Batches wait for so long for a checkpoint, before they are sent. */
  readonly stateMs: number
  /** Slots of the plan that memory pressure has taken. */
  readonly slotsWithheld: number
  /** There are as many batches under way as the server takes requests at once: more slots would not help. */
  readonly serverLimited: boolean
}

export interface Condition {
  readonly state: State
  readonly cause: Cause
  /** Monotonic. */
  readonly sinceMs: number
  /** What the facts say instead, and since when: taken over when they go on saying so. */
  readonly next: { readonly state: State; readonly cause: Cause; readonly sinceMs: number } | undefined
}

export const flowing = (nowMs: number): Condition => ({
  state: 'flowing',
  cause: 'none',
  sinceMs: nowMs,
  next: undefined,
})

/** Into a state one comes at the first value, out of it below the second: between them nothing changes. */
const blocked = { enter: 0.5, leave: 0.2 }
const behind = { enter: 0.9, leave: 0.5 }
const throttled = { enter: 0.25, leave: 0.1 }
const idle = { enter: 0.4, leave: 0.25 }
const used = { enter: 0.7, leave: 0.5 }
const stopped = { enter: 0.5, leave: 0.3 }
/** Less of the busy time than this on a CPU: it is not Remora's work that takes the time. */
const working = { enter: 0.5, leave: 0.7 }

const above = (value: number, { enter, leave }: { enter: number; leave: number }, was: boolean) =>
  value >= (was ? leave : enter)

export function stateOf(facts: Facts, was: State): State {
  if (facts.server === 'holding' && facts.heldMs > 0) return 'holding'
  if (above(facts.blockedShare, blocked, was === 'full')) return 'full'
  const slow = was === 'flowing' ? limits.heldLongMs : limits.heldLongMs / 2
  if (above(facts.behindShare, behind, was !== 'flowing') || facts.heldMs >= slow) return 'filling'
  return 'flowing'
}

/** @param was  the cause so far: of two that are nearly as true it stays */
export function causeOf(facts: Facts, state: State, was: Cause): Cause {
  if (state === 'flowing') return 'none'
  if (state === 'holding') return 'target'
  // Before all that is made of waiting: who is stopped while an answer comes in seems to wait for it.
  if (isThrottled(facts, was === 'cpu_throttled') && facts.taken > 0) return 'cpu_throttled'
  const own = was === 'cpu_throttled' || was === 'stalled' || was === 'one_core'
  const waits = above(facts.idleShare, idle, was !== 'none' && !own)
  // Where Remora has enough to do, that a request fails now and then is not what keeps it back.
  if (waits || facts.taken === 0) {
    if (facts.server === 'holding') return 'target'
    if (facts.server === 'unreachable') return 'server_unreachable'
    if (facts.server === 'overloaded' || facts.putOff > 0) return 'server_refusing'
  }
  if (waits) {
    if (facts.stateMs >= limits.heldLongMs / 2) return 'state_disk'
    if (facts.slotsWithheld > 0 && !facts.serverLimited) return 'memory_pressure'
    return 'server_slow'
  }
  if (isThrottled(facts, was === 'cpu_throttled')) return 'cpu_throttled'
  const busyShare = 1 - facts.idleShare
  const share = was === 'stalled' ? working.leave : working.enter
  return facts.cpuShare < busyShare * share ? 'stalled' : 'one_core'
}

/** By its own use, or by that of others in the same Pod. */
function isThrottled(facts: Facts, was: boolean): boolean {
  const spent = above(facts.quotaShare, used, was) || above(facts.stoppedShare, stopped, was)
  return spent && above(facts.throttledShare, throttled, was)
}

/** What holds after one more look at the facts. Another state or cause is believed when it was seen for a while. */
export function step(was: Condition, facts: Facts, nowMs: number): Condition {
  const state = stateOf(facts, was.state)
  const cause = causeOf(facts, state, was.cause)
  if (state === was.state && cause === was.cause) return was.next === undefined ? was : { ...was, next: undefined }
  const { next } = was
  const goesOn = next?.state === state && next.cause === cause
  const sinceMs = goesOn ? next.sinceMs : nowMs
  if (nowMs - sinceMs < limits.backpressureBelieveMs) return goesOn ? was : { ...was, next: { state, cause, sinceMs } }
  // As long as the state is the same it is the same trouble.
  return { state, cause, sinceMs: state === was.state ? was.sinceMs : sinceMs, next: undefined }
}
