import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'

/**
 * What costs more than a moment to make: made once for all who ask for the same within `limits.adminFreshMs`, and no more
 * often than `limits.adminMakesMax` times a second, whatever they ask for. What fails is not kept.
 */
export class Kept<T> {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  /** By question, the newest last. */
  readonly #kept = new Map<string, { readonly value: T; readonly madeAtMs: number }>()
  #madeAtMs: readonly number[] = []

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** @returns undefined: too much is asked for at once */
  get(question: string, make: () => T): T | undefined {
    const nowMs = this.#clock.monotonicMs()
    const kept = this.#kept.get(question)
    if (kept !== undefined && nowMs - kept.madeAtMs < limits.adminFreshMs) return kept.value
    this.#madeAtMs = this.#madeAtMs.filter((atMs) => nowMs - atMs < 1_000)
    if (this.#madeAtMs.length >= limits.adminMakesMax) return undefined
    this.#madeAtMs = [...this.#madeAtMs, nowMs]
    const value = make()
    this.#kept.delete(question)
    this.#kept.set(question, { value, madeAtMs: nowMs })
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > limits.adminKeptMax && oldest !== undefined) this.#kept.delete(oldest)
    return value
  }
}
