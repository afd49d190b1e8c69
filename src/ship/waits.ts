import { sleep, type Clock } from '../base/clock.ts'
import type { Wait } from './range.ts'

/** Batches that wait, each for its own reason; some of the reasons end before their time. */
export class Waits {
  readonly #clock: Clock
  readonly #waiting = new Map<() => void, Wait>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async until(dueMs: number, wait: Wait, signal: AbortSignal): Promise<void> {
    const ms = dueMs - this.#clock.monotonicMs()
    if (ms <= 0 || signal.aborted) return
    const woken = new AbortController()
    const wake = () => woken.abort()
    signal.addEventListener('abort', wake)
    this.#waiting.set(wake, wait)
    await sleep(this.#clock, ms, woken.signal)
    this.#waiting.delete(wake)
    signal.removeEventListener('abort', wake)
  }

  has(reason: Wait): boolean {
    return [...this.#waiting.values()].includes(reason)
  }

  /** What these wait for has come. */
  wake(...reasons: readonly Wait[]): void {
    for (const [wake, wait] of this.#waiting) if (reasons.includes(wait)) wake()
  }
}
