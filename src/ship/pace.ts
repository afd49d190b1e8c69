import PQueue from 'p-queue'
import type { Clock, Timer } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { Window, type Refused, type WindowSizes } from './window.ts'

/** From so many failures in a row on the waiting does not grow: so many successes and it is forgotten. */
const failuresMax = 8

/**
 * Whose turn it is to send, and how much: one for all batches, for it is one server that they go to. What is in its way
 * pauses all of them; a batch that waits for reasons of its own takes no turn.
 */
export class Pace {
  readonly #clock: Clock
  readonly #window: Window
  readonly #turns = new PQueue({ concurrency: 1 })
  #pausedUntilMs = -Infinity
  #timer: Timer | undefined
  /** Requests in a row that the server did not take, those that were on their way together counted once. */
  #failures = 0
  #failedAtMs = -Infinity
  /** The last request that was taken. */
  #tookMs = 0

  constructor(clock: Clock, sizes: WindowSizes) {
    this.#clock = clock
    this.#window = new Window(sizes)
  }

  get concurrency(): number {
    return this.#window.concurrency
  }

  get requestBytesMax(): number {
    return this.#window.requestBytesMax
  }

  get failures(): number {
    return this.#failures
  }

  resize(sizes: WindowSizes): void {
    this.#window.resize(sizes)
    this.#turns.concurrency = this.#window.concurrency
  }

  /** Runs `attempt` when it is its turn. @returns undefined when the signal aborted before that */
  async turn<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T | undefined> {
    // Not the signal itself: an attempt under way ends in its own time, for its body is being sent out of a slot.
    const waiting = new AbortController()
    const leave = () => waiting.abort()
    if (signal.aborted) return undefined
    signal.addEventListener('abort', leave)
    try {
      return await this.#turns.add(
        () => {
          signal.removeEventListener('abort', leave)
          return signal.aborted ? Promise.resolve(undefined) : attempt()
        },
        { signal: waiting.signal },
      )
    } catch (error) {
      if (waiting.signal.aborted) return undefined
      throw error
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  taken(bytes: number, startedMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    // One that was taken is not yet a server with room: each failure is made up for by one.
    this.#failures = Math.max(0, Math.min(failuresMax, this.#failures) - 1)
    this.#tookMs = nowMs - startedMs
    this.#window.taken(bytes, nowMs - startedMs, nowMs, this.#turns.size > 0)
    this.#turns.concurrency = this.#window.concurrency
    if (this.#window.gapMs > 0) this.pause(this.#window.gapMs)
  }

  /** It took some of what it was sent, though not all: it is there, and works. */
  answered(): void {
    this.#failures = 0
  }

  /**
   * The server has too much to do (429: `busy`), or did not answer as it should (5xx, a time-out).
   *
   * @returns whether it was too much for it; see `Window`
   */
  refused(request: Refused): boolean {
    const tooMuch = this.#window.refused(request, this.#clock.monotonicMs())
    this.#turns.concurrency = this.#window.concurrency
    return tooMuch
  }

  /** There is no server, or a target that takes nothing: one small request at a time finds out when that has changed. */
  away(): void {
    this.#window.away(this.#clock.monotonicMs())
    this.#turns.concurrency = this.#window.concurrency
  }

  /** @returns whether it is believed; see `Window` */
  tooLarge(bytes: number): boolean {
    const believed = this.#window.tooLarge(bytes, this.#clock.monotonicMs())
    this.#turns.concurrency = this.#window.concurrency
    return believed
  }

  /** A request failed as a whole. @param waitMs  of the failures in a row before this one, how long all wait now */
  failed(startedMs: number, waitMs: (failures: number) => number): void {
    if (startedMs < this.#failedAtMs) return
    this.#failedAtMs = this.#clock.monotonicMs()
    const ms = waitMs(this.#failures++)
    // A server that takes a second for each answer has not changed in a quarter of one.
    this.pause(Math.max(ms, Math.min(limits.overloadCapMs, (ms * this.#tookMs) / limits.retryBaseMs)))
  }

  /** No new request before `ms` have passed. */
  pause(ms: number): void {
    const untilMs = this.#clock.monotonicMs() + ms
    if (ms <= 0 || untilMs <= this.#pausedUntilMs) return
    this.#pausedUntilMs = untilMs
    this.#turns.pause()
    this.#timer?.cancel()
    this.#timer = this.#clock.after(ms, () => this.resume())
  }

  /** Goes on at once: something has changed that was in the way. Also for a stop: nobody waits for a timer then. */
  resume(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#pausedUntilMs = -Infinity
    this.#turns.start()
  }
}
