import type { Clock } from '../base/clock.ts'

/** Where the loop sleeps until its time has come or somebody rings. A ring while nobody sleeps is not lost. */
export class Bell {
  readonly #clock: Clock
  #rung = false
  #wake: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /** @param mostMs  Infinity: until it rings */
  async wait(mostMs: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = mostMs === Infinity ? undefined : this.#clock.after(Math.max(1, mostMs), resolve)
        this.#wake = () => {
          timer?.cancel()
          resolve()
        }
      })
      this.#wake = undefined
    }
    this.#rung = false
  }
}
