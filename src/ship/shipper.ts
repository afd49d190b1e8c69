import { Attempts } from './attempts.ts'
import { look } from './looking.ts'
import { Pace } from './pace.ts'
import { noDelivery, splitOff, wholeOf, type Delivered, type Range, type Wait } from './range.ts'
import { backoffMs, overload, unreachable } from './retry.ts'
import type { Batch, ShipperOptions } from './shipper-options.ts'
import { Waits } from './waits.ts'
import type { WindowSizes } from './window.ts'

export type { Delivered } from './range.ts'
export type { Health, Outcome, ShipperOptions } from './shipper-options.ts'

/** Brings the documents of a batch to their final verdict, however long it takes. */
export class Shipper {
  readonly #o: ShipperOptions
  readonly #pace: Pace
  readonly #waits: Waits
  readonly #attempts: Attempts

  constructor(options: ShipperOptions) {
    this.#o = options
    this.#pace = new Pace(options.clock, options)
    this.#waits = new Waits(options.clock)
    this.#attempts = new Attempts(options, this.#pace, this.#waits)
  }

  /** What may be sent at once, as of now: requests, and bytes in each. */
  get pace(): { readonly concurrency: number; readonly requestBytesMax: number } {
    return this.#pace
  }

  /** The memory plan is another one. Batches that were filled before are sent in smaller pieces where that is needed. */
  resize(sizes: WindowSizes): void {
    this.#pace.resize(sizes)
  }

  /** Something has changed that may have been in the way, such as the credentials: whoever waits tries again at once. */
  wake(): void {
    this.#pace.resume()
    this.#waits.wake('server', 'mending')
  }

  /**
   * @param body       a slot's output; documents that were taken are squeezed out of it
   * @param to         where the NDJSON ends
   * @param documents  of each span of the batch, in the order of the body
   * @param signal     stops the waiting and the attempt under way
   * @param doubtful   an earlier process may have sent some of them
   * @returns          an account for each span
   */
  async deliver(
    body: Buffer,
    to: number,
    documents: readonly number[],
    signal: AbortSignal,
    doubtful: boolean,
  ): Promise<readonly Delivered[]> {
    const { clock, doubts } = this.#o
    const accounts = documents.map(noDelivery)
    const underWay = doubts?.begin(doubtful)
    const whole = wholeOf(to, documents, clock.monotonicMs(), this.#attempts.passed)
    if (doubtful && doubts !== undefined) whole.doubt = 'crash'
    await this.#work({ body, accounts, underWay, signal }, whole)
    if (underWay !== undefined && accounts.every(({ held }) => held === 0)) doubts?.end(underWay)
    return accounts
  }

  async #work(batch: Batch, whole: Range): Promise<void> {
    const { body, accounts, signal } = batch
    const parts = [whole]
    for (let range = parts.shift(); range !== undefined; range = parts.shift()) {
      if (range.documents === 0) continue
      await this.#waits.until(range.dueMs, range.wait, signal)
      range.dueMs = -Infinity
      if (signal.aborted) {
        this.#pace.resume()
        for (const [span, count] of range.left.entries()) accounts[span]!.held += count
        continue
      }
      if (range.doubt !== undefined) {
        await this.#look(batch, range, range.doubt)
        parts.unshift(range)
        continue
      }
      const rest = range
      const part = await this.#pace.turn(signal, async () => {
        const first = splitOff(body, rest, this.#pace.requestBytesMax)
        await this.#attempts.send(batch, first)
        return first
      })
      if (part !== rest) parts.unshift(rest)
      if (part === undefined) continue
      // One document that is put off by itself does not keep the others waiting.
      if (part.stuck !== undefined && part.documents === 1) parts.push(part)
      else parts.unshift(part)
    }
  }

  /** Takes out what is there already, or notes when to look again. */
  async #look(batch: Batch, range: Range, doubt: NonNullable<Range['doubt']>): Promise<void> {
    const { clock, blind, random } = this.#o
    const looked = await look(this.#o.doubts!, batch, range, doubt, this.#attempts.passed, clock)
    if (looked.kind === 'blind') blind(looked.why)
    if (looked.kind === 'early') this.#wait(range, 'time', looked.waitMs)
    if (looked.kind !== 'failed') return
    const { state, message: detail } = looked
    this.#o.health({ state: state === 'unreachable' ? state : 'overloaded', detail })
    this.#wait(range, 'server', backoffMs(state === 'unreachable' ? unreachable : overload, range.looks - 1, random()))
  }

  #wait(range: Range, wait: Wait, ms: number): void {
    range.wait = wait
    range.dueMs = this.#o.clock.monotonicMs() + ms
  }
}
