/** Brings letters from their directory to an index, in the background: a replay with another target and another shape. */
import { sleep, type Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { limits } from '../../base/limits.ts'
import { backoffMs } from '../retry.ts'
import { replay, type Replayed } from './replay.ts'
import { Sending, type Wire } from './sending.ts'
import { segmentsIn, lettersDirectory } from './segments.ts'
import { asReport } from './shapes.ts'

export interface MoverOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: () => number
  readonly stateDir: string
  readonly index: string
  readonly wire: Wire
  /** Why the index takes none, or not all: they are still in the directory. Undefined: it has taken all of them. */
  readonly stuck: (why: string | undefined) => void
}

/**
 * A letter is in the directory before anybody tries to send it, and leaves it when the index has it: so neither a crash nor an
 * index that refuses or is not there costs one, and no batch of lines waits for either.
 */
export class Mover {
  readonly #o: MoverOptions
  readonly #stop = new AbortController()
  /** Segments of which the index has refused something, by name and inode, and when to try again. */
  readonly #refused = new Map<string, number>()
  /** The requests of the last pass, which has no time for more. */
  readonly #cut = new AbortController()
  #wake: (() => void) | undefined
  #wanted = true
  #loop: Promise<void> = Promise.resolve()
  moved = 0

  constructor(options: MoverOptions) {
    this.#o = options
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** There is a letter. */
  ring(): void {
    this.#wanted = true
    this.#wake?.()
  }

  /** Ends after what is there now was tried once more. @param signal  aborts: at once */
  async stop(signal: AbortSignal): Promise<void> {
    const cut = () => this.#cut.abort()
    if (signal.aborted) cut()
    signal.addEventListener('abort', cut, { once: true })
    const timer = this.#o.clock.after(limits.letterLastMs, cut)
    this.#stop.abort()
    this.#wake?.()
    await this.#loop
    timer.cancel()
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#o
    const { signal } = this.#stop
    let failures = 0
    for (;;) {
      if (!signal.aborted) await this.#called()
      // A batch has many of them.
      if (!signal.aborted) await sleep(clock, limits.letterMoveDelayMs, signal)
      const last = signal.aborted
      this.#wanted = false
      const result = await this.#pass(last)
      if (last) return
      const isOpen = result.left > 0 || result.failure !== undefined
      if (!isOpen && result.refused === 0) {
        failures = 0
        continue
      }
      // One that refuses is left in peace too: each pass makes a segment of what it has refused.
      if (isOpen) this.#wanted = true
      const backoff = { baseMs: limits.letterMoveRetryMs, capMs: limits.letterMoveRetryMaxMs }
      await sleep(clock, backoffMs(backoff, failures++, random()), signal)
    }
  }

  /** Returns when there may be a letter, or something that was refused is due again, or it is to stop. */
  async #called(): Promise<void> {
    if (this.#wanted) return
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    const dueMs = Math.min(...this.#refused.values(), Infinity)
    if (dueMs === Infinity)
      await new Promise<void>((resolve) => woken.signal.addEventListener('abort', () => resolve()))
    else await sleep(this.#o.clock, Math.max(0, dueMs - this.#o.clock.monotonicMs()), woken.signal)
    this.#wake = undefined
  }

  async #pass(last: boolean): Promise<Replayed> {
    const { disk, clock, random, stateDir, index, wire, stuck } = this.#o
    const nowMs = clock.monotonicMs()
    for (const [key, dueMs] of this.#refused) if (dueMs <= nowMs) this.#refused.delete(key)
    const sending = new Sending({
      clock,
      random,
      wireTo: () => wire,
      triesMax: last ? 1 : limits.replayTriesMax,
      signal: last ? this.#cut.signal : this.#stop.signal,
    })
    const result = await replay({
      disk,
      clock,
      stateDir,
      sending,
      batchBytes: limits.letterMoveBatchBytes,
      shape: (letter) => asReport(letter, index),
      skip: ({ inode, name }) => this.#refused.has(`${name} ${inode}`),
      // What the target said of the line stays: the index has refused the report of it.
      refusedAgain: (letter) => letter,
    })
    sending.end()
    this.moved += result.taken
    if (result.left === 0 && result.failure === undefined) this.#leave(nowMs)
    const { health } = sending
    if (result.failure !== undefined) stuck(result.failure)
    else if (result.refused > 0) stuck(`it refuses them: ${[...result.reasons.keys()].slice(0, 3).join(', ')}`)
    else if (result.left === 0) stuck(undefined)
    else if (!this.#stop.signal.aborted) stuck('detail' in health ? health.detail : 'it does not answer')
    return result
  }

  /** What is still there after a pass that got a verdict on everything is left alone for a time. */
  #leave(nowMs: number): void {
    const { disk, stateDir } = this.#o
    try {
      for (const { name, inode, closed } of segmentsIn(disk, lettersDirectory(stateDir))) {
        const key = `${name} ${inode}`
        if (closed && !this.#refused.has(key)) this.#refused.set(key, nowMs + limits.letterRefusedRetryMs)
      }
    } catch {
      // They are tried again sooner.
    }
  }
}
