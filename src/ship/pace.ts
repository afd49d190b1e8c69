import PQueue from 'p-queue'
import type { Clock, Timer } from '../base/clock.ts'
import { Window, type WindowSizes } from './window.ts'

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
    this.#failures = 0
    this.#window.taken(bytes, nowMs - startedMs, nowMs, this.#turns.size > 0)
    this.#turns.concurrency = this.#window.concurrency
    if (this.#window.gapMs > 0) this.pause(this.#window.gapMs)
  }

  /** It took some of what it was sent, though not all: it is there, and works. */
  answered(): void {
    this.#failures = 0
  }

  /** The server has too much to do (429, 5xx), or did not answer in time. */
  refused(startedMs: number): void {
    this.#window.refused(startedMs, this.#clock.monotonicMs())
    this.#turns.concurrency = this.#window.concurrency
  }

  /** There is no server, or a target that takes nothing: one small request at a time finds out when that has changed. */
  away(): void {
    this.#window.away(this.#clock.monotonicMs())
    this.#turns.concurrency = this.#window.concurrency
  }

  tooLarge(bytes: number): void {
    this.#window.tooLarge(bytes, this.#clock.monotonicMs())
    this.#turns.concurrency = this.#window.concurrency
  }

  /** A request failed as a whole. @param waitMs  of the failures in a row before this one, how long all wait now */
  failed(startedMs: number, waitMs: (failures: number) => number): void {
    if (startedMs < this.#failedAtMs) return
    this.#failedAtMs = this.#clock.monotonicMs()
    this.pause(waitMs(this.#failures++))
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
