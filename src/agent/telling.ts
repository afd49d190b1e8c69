import { causeTexts, stateTexts, type Cause } from '../admin/backpressure-words.ts'
import type { Notice } from '../admin/logger.ts'
import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Health } from '../ship/shipper.ts'
import type { Condition } from './backpressure.ts'
import { Troubles, type Said } from './troubles.ts'

/**
 * What is said where it happens: by `Troubles` at the first request that fails, in the server's own words; and slots that
 * are given back, one by one.
 */
const saidElsewhere: ReadonlySet<Cause> = new Set([
  'target',
  'server_unreachable',
  'server_refusing',
  'memory_pressure',
])

/**
 * What is worth a line in the log of the server's health and of backpressure, each trouble once. The server's own troubles
 * are said when its first request fails, which is before anything fills up; backpressure says what comes on top of that:
 * that reading has stopped. Troubles that no request shows (slow answers, CPU) are said by backpressure alone.
 *
 * Backpressure says one line a minute at most, and that it flows again if it has said that it does not. What was not said
 * for want of that minute is said after it, if it still holds.
 */
export class Telling {
  readonly #clock: Clock
  readonly #troubles: Troubles
  #said: Pick<Condition, 'state' | 'cause'> = { state: 'flowing', cause: 'none' }
  #saidAtMs = -Infinity
  /** Since when it does not flow, said or not. */
  #wentWrongAtMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#troubles = new Troubles(clock)
  }

  health(health: Health): Said | undefined {
    return this.#troubles.take(health)
  }

  /** @param unreadBytes  counted only for a line: it costs a look at each file */
  backpressure({ state, cause, sinceMs }: Condition, unreadBytes: () => number): Said | undefined {
    const nowMs = this.#clock.monotonicMs()
    const said = this.#said
    const wentWrongAtMs = this.#wentWrongAtMs ?? sinceMs
    this.#wentWrongAtMs = state === 'flowing' ? undefined : wentWrongAtMs
    if (state === said.state && cause === said.cause) return undefined
    if (state === 'flowing') {
      this.#said = { state, cause }
      return { level: 'info', notice: flowsAgain(nowMs - wentWrongAtMs) }
    }
    if (saidElsewhere.has(cause) && (state !== 'full' || said.state === 'full')) return undefined
    if (nowMs - this.#saidAtMs < limits.troubleIntervalMs) return undefined
    this.#said = { state, cause }
    this.#saidAtMs = nowMs
    // A backlog that is worked off is nothing to mend.
    const level = cause === 'one_core' ? 'info' : 'warn'
    return { level, notice: flowsNot({ state, cause }, unreadBytes()) }
  }
}

/** @param behindMs  how long it has not flowed */
const flowsAgain = (behindMs: number): Notice => ({
  code: 'BACKPRESSURE_FLOWING',
  message: `what is written is shipped at once again, after ${Math.round(behindMs / 1000)} s`,
})

/** @param unreadBytes  in all files */
const flowsNot = ({ state, cause }: Pick<Condition, 'state' | 'cause'>, unreadBytes: number): Notice => {
  const [what, wayOut] = cause === 'none' ? [stateTexts[state], ''] : causeTexts[cause]
  return {
    code: `BACKPRESSURE_${state.toUpperCase()}`,
    message: `${stateTexts[state]} (${unreadBytes} bytes unread): ${what}. Lines wait in their files; nothing is given up`,
    ...(wayOut !== '' && { wayOut }),
  }
}
