import type { Clock } from '../base/clock.ts'
import type { SavedGeneration } from '../base/state.ts'
import type { Generation } from '../follow/generation.ts'
import type { Registry } from '../follow/registry.ts'
import { checkpointDelayMs, type Checkpoint, type State } from '../settle/checkpoint.ts'
import type { Unwritten } from '../settle/state-text.ts'
import type { Frontiers } from './frontiers.ts'

export interface SavingOptions {
  readonly clock: Clock
  readonly checkpoint: Checkpoint
  readonly registry: Registry
  readonly frontiers: Frontiers
  /** All of the state but the generations. */
  readonly head: () => Omit<State, 'generations'>
  /** A write is over, well or not: the next one may be due at another time. */
  readonly written: (durationMs: number) => void
}

/** When the checkpoint is written, and of what: at most once a second after a change, at once for a new generation. */
export class Saving {
  readonly #o: SavingOptions
  /** Up to where the checkpoint on disk says that a content has ended, with a final verdict on every line. */
  readonly #endedAt = new WeakMap<Generation, number>()
  #dirty = false
  #nextMs = 0
  /** A write that several batches wait for. */
  #shared: Promise<unknown> | undefined
  #sharedSinceMs: number | undefined

  constructor(options: SavingOptions) {
    this.#o = options
  }

  /** Something that the checkpoint holds has changed. */
  touch(): void {
    this.#dirty = true
  }

  /** When the next write is due, monotonic; Infinity: nothing has changed, or one is under way. */
  get dueMs(): number {
    return this.#dirty ? this.#nextMs : Infinity
  }

  /** Since when batches wait for a write, monotonic; undefined: none does. */
  get awaitedSinceMs(): number | undefined {
    return this.#sharedSinceMs
  }

  /** Begins a write when its time has come. */
  async writeWhenDue(): Promise<void> {
    if (this.#o.clock.monotonicMs() < this.dueMs) return
    this.#dirty = false
    this.#nextMs = Infinity
    await this.save()
  }

  /**
   * Returns when the state knows these generations, if it can be written: after a crash one that it does not know would
   * be a stranger, and rotated or truncated meanwhile would get other ids. One write serves all that wait for it.
   */
  async knows(generations: readonly Generation[]): Promise<void> {
    const known = this.#o.registry.generations
    while (generations.some((generation) => !generation.durable && known.has(generation))) {
      this.#sharedSinceMs ??= this.#o.clock.monotonicMs()
      await (this.#shared ??= this.save().finally(() => (this.#shared = this.#sharedSinceMs = undefined)))
    }
  }

  /** Writes a checkpoint of this moment. A failure was reported and is tried again; nothing waits for it. */
  async save(): Promise<boolean> {
    const { clock, checkpoint, registry } = this.#o
    const ends = new Map<Generation, number>()
    const renamings = new Map<Generation, number>()
    for (const generation of registry.generations) {
      if (generation.id !== undefined && !generation.durable) renamings.set(generation, generation.renamings)
      if (this.#hasEnded(generation)) ends.set(generation, generation.offset)
    }
    const beganAtMs = clock.monotonicMs()
    const written = await checkpoint.write(() => this.#snapshot())
    if (written) for (const [generation, offset] of ends) this.#endedAt.set(generation, offset)
    for (const [generation, count] of renamings) if (generation.renamings === count) generation.durable = true
    if (!written) this.#dirty = true
    this.#nextMs = clock.monotonicMs() + checkpointDelayMs(checkpoint.failuresInARow, checkpoint.writtenBytes)
    this.#o.written(clock.monotonicMs() - beganAtMs)
    return written
  }

  /** Whether the checkpoint on disk has all of a content as shipped: after a crash nobody misses its file. */
  hasSavedEnd(generation: Generation): boolean {
    return this.#endedAt.get(generation) === generation.offset
  }

  /** The last checkpoint could not be written. */
  get isFailing(): boolean {
    return this.#o.checkpoint.failuresInARow > 0
  }

  #hasEnded(generation: Generation): boolean {
    return generation.finished && this.#o.frontiers.isSettled(generation)
  }

  /** Each generation is looked at when its turn to be written as text comes: before anything else happens. */
  #snapshot(): Unwritten {
    return { ...this.#o.head(), generations: this.#saved() }
  }

  *#saved(): Generator<SavedGeneration> {
    const { registry } = this.#o
    yield* registry.waiting
    for (const generation of registry.generations) yield this.#savedOf(generation)
  }

  #savedOf(generation: Generation): SavedGeneration {
    const { frontiers } = this.#o
    const mark = frontiers.markOf(generation)
    const { inode, birthNs } = generation.former ?? generation
    return {
      id: generation.id ?? null,
      path: generation.path,
      currentPath: generation.currentPath ?? null,
      epoch: generation.epoch,
      inode: String(inode),
      birthNs: String(birthNs),
      fingerprint: generation.fingerprint ?? null,
      offset: mark?.offset ?? generation.offset,
      skipping: mark?.skipping ?? generation.skipping,
      guardHash: mark?.guardHash ?? generation.guardHash(),
      // Only a file that may still be truncated behind a copy needs them.
      marks: generation.stage === 'live' || generation.wanted === 'copy' ? generation.marks : [],
      // Where it goes on in a copy that is shorter, what is missing there is still to be reported.
      sizeBytes: Math.max(generation.sizeBytes, generation.provenBytes),
      finished: this.#hasEnded(generation),
      anchor: generation.anchor ?? null,
      bannerTo: generation.bannerTo === Infinity ? 0 : generation.bannerTo,
      packing: generation.packing ?? null,
      seenMs: generation.seenMs,
    }
  }
}
