import type { Clock, Timer } from '../../src/base/clock.ts'

interface Pending {
  readonly dueMs: number
  readonly run: () => void
}

/** Lets everything that needs no timer, no disk and no network take place. */
export function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Time that passes only when it is told to. Timers fire in the order in which they are due. */
export class VirtualClock {
  #nowMs = 1_000
  #pending: Pending[] = []
  #epochMs: number

  /** @param epochMs  wall clock when virtual time is 0 */
  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.#epochMs = epochMs
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get wallMs(): number {
    return this.#epochMs + this.#nowMs
  }

  /** Somebody sets the wall clock; durations do not notice. */
  stepWall(byMs: number): void {
    this.#epochMs += byMs
  }

  /** Something takes so long, and nothing else happens meanwhile. */
  take(ms: number): void {
    this.#nowMs += ms
  }

  /** When the next timer is due; Infinity without one. */
  get nextMs(): number {
    return this.#pending[0]?.dueMs ?? Infinity
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), run }
    const at = this.#pending.findIndex(({ dueMs }) => dueMs > timer.dueMs)
    this.#pending.splice(at === -1 ? this.#pending.length : at, 0, timer)
    return { cancel: () => void (this.#pending = this.#pending.filter((other) => other !== timer)) }
  }

  /**
   * A clock for one process: its timers never fire once it is dead.
   *
   * @param wallMs  a wall clock other than this one
   * @param fired   before a timer takes effect: the process may die here
   */
  view(alive: () => boolean, wallMs?: () => number, fired?: () => void): Clock {
    return {
      nowMs: wallMs ?? (() => this.wallMs),
      monotonicMs: () => this.#nowMs,
      after: (delayMs, run) =>
        this.after(delayMs, () => {
          if (alive()) fired?.()
          if (alive()) run()
        }),
    }
  }

  /**
   * Moves on to `toMs` and fires what is due on the way.
   *
   * @param rest  awaited before each move, so that all that could happen at a moment happens at it
   */
  async advanceTo(toMs: number, rest: () => Promise<void> = drained): Promise<void> {
    await rest()
    while (this.nextMs <= toMs) {
      const { dueMs, run } = this.#pending.shift()!
      this.#nowMs = Math.max(this.#nowMs, dueMs)
      run()
      await rest()
    }
    this.#nowMs = Math.max(this.#nowMs, toMs)
  }
}
