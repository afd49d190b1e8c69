import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'

interface Tally {
  readonly sinceMs: number
  said: number
  unsaid: number
}

/**
 * Lets so many messages of one code through in a while, and counts the others: what an application can make Remora say a
 * thousand times (a file deleted unread, say) must not fill the disk that the log goes to.
 */
export class Quieting {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #tallies = new Map<string, Tally>()
  #unsaid = 0

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Since the start, of all codes. */
  get unsaid(): number {
    return this.#unsaid
  }

  /** Whether one more message with this code may be said. */
  allows(code: string): boolean {
    const tally = this.#tallies.get(code) ?? { sinceMs: this.#clock.monotonicMs(), said: 0, unsaid: 0 }
    this.#tallies.set(code, tally)
    if (tally.said < limits.messagesMax) {
      tally.said++
      return true
    }
    tally.unsaid++
    this.#unsaid++
    return false
  }

  /** The codes whose while is over, each with the number of its messages that were not said: asked for before `allows`. */
  over(): { readonly code: string; readonly unsaid: number }[] {
    const before = this.#clock.monotonicMs() - limits.messagesWindowMs
    const over: { code: string; unsaid: number }[] = []
    for (const [code, { sinceMs, unsaid }] of this.#tallies) {
      if (sinceMs > before) continue
      this.#tallies.delete(code)
      if (unsaid > 0) over.push({ code, unsaid })
    }
    return over
  }
}
