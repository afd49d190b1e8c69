import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'

interface Made<T> {
  readonly value: T
  /** Until then it is fresh enough. */
  freshUntilMs: number
}

/**
 * What costs more than a moment to make: made once for all who ask for the same within `limits.adminFreshMs`, no more often
 * than `limits.adminMakesMax` times a second, and never for more than about a part in `limits.adminRest` of the time, whatever
 * is asked for and however long it takes: the processor is there to ship. What fails is not kept.
 */
export class Kept<T> {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  /** By question, the newest last. */
  readonly #kept = new Map<string, Made<T>>()
  #madeAtMs: readonly number[] = []
  /** It rests until then from what it has made. */
  #restUntilMs = -Infinity

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** @returns undefined: too much is asked for at once */
  get(question: string, make: () => T): T | undefined {
    const nowMs = this.#clock.monotonicMs()
    const kept = this.#kept.get(question)
    if (kept !== undefined && nowMs < kept.freshUntilMs) return kept.value
    this.#madeAtMs = this.#madeAtMs.filter((atMs) => nowMs - atMs < 1_000)
    if (nowMs < this.#restUntilMs || this.#madeAtMs.length >= limits.adminMakesMax) return undefined
    this.#madeAtMs = [...this.#madeAtMs, nowMs]
    const made: Made<T> = { value: make(), freshUntilMs: nowMs + limits.adminFreshMs }
    this.#rest(made, nowMs)
    this.#kept.delete(question)
    this.#kept.set(question, made)
    if (made.value instanceof Promise) {
      made.value.then(
        () => this.#rest(made, nowMs),
        () => {
          this.#rest(made, nowMs)
          if (this.#kept.get(question) === made) this.#kept.delete(question)
        },
      )
    }
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > limits.adminKeptMax && oldest !== undefined) this.#kept.delete(oldest)
    return made.value
  }

  /** After what took long: so that who asks again for the same has an answer meanwhile, it is fresh as long as that lasts. */
  #rest(made: Made<T>, beganMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    const restMs = Math.min((nowMs - beganMs) * (limits.adminRest - 1), limits.adminRestMaxMs)
    this.#restUntilMs = Math.max(this.#restUntilMs, nowMs + restMs)
    made.freshUntilMs = Math.max(made.freshUntilMs, nowMs + restMs)
  }
}
