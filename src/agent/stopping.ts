import type { Clock, Timer } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { StopTimes } from './drain.ts'

/** The deadlines of a stop: when shipping is cut off, and when nothing is waited for any more. */
export class Stopping {
  readonly #clock: Clock
  readonly #cut: () => void
  readonly #late = Promise.withResolvers<'hanging'>()
  readonly #timers: Timer[]
  readonly #hurry = () => this.hurry()
  readonly #now: AbortSignal | undefined
  /** Somebody wants it over at once. */
  hurried = false

  /** @param cut  ends the shipping @param now  aborts: stop at once */
  constructor(clock: Clock, { cutMs, endMs }: StopTimes, cut: () => void, now?: AbortSignal) {
    this.#clock = clock
    this.#cut = cut
    this.#now = now
    this.#timers = [clock.after(cutMs, cut), clock.after(endMs, () => this.#late.resolve('hanging'))]
    if (now?.aborted === true) this.hurry()
    else now?.addEventListener('abort', this.#hurry)
  }

  hurry(): void {
    this.hurried = true
    this.#cut()
    this.#timers.push(this.#clock.after(limits.shutdownReserveMs, () => this.#late.resolve('hanging')))
  }

  /** What it comes to, or `hanging` when it does not in time. */
  inTime<T>(outcome: Promise<T>): Promise<T | 'hanging'> {
    return Promise.race([outcome, this.#late.promise])
  }

  over(): void {
    this.#now?.removeEventListener('abort', this.#hurry)
    for (const timer of this.#timers) timer.cancel()
  }
}
