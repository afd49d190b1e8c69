import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Asked, Lookup } from './lookup.ts'
import { searchFor, type Indices } from './write-index.ts'

/** Why documents may be there already: an attempt that was not answered, or a process that ended. */
export type Doubt = 'attempt' | 'crash'

/** What was found of documents in doubt. */
export type Found =
  /** `present` by position, undefined: none. `blind`: why some that are there may not have been found. */
  | { readonly kind: 'answered'; readonly present: readonly boolean[] | undefined; readonly blind: string | undefined }
  /** Some are not there, but may be on their way to an older index still: to be looked for again. */
  | { readonly kind: 'early'; readonly waitMs: number }
  | Extract<Asked<never>, { kind: 'failed' }>

/** Documents under way, with the indices behind the target at some time before they were sent first. */
export interface UnderWay {
  readonly before: Indices
}

/** Knows the indices behind the target, and finds documents that an older one has. */
export class Doubts {
  readonly #lookup: Lookup
  readonly #clock: Clock
  readonly #target: string
  #saved: Indices = null
  #known: Indices = null
  #dueMs = -Infinity
  #asking = false
  #thorough = limits.lookupThoroughDocuments
  readonly #begunMs: number
  /** In the order in which they were begun. */
  readonly #underWay = new Set<UnderWay>()

  constructor(lookup: Lookup, clock: Clock, target: string) {
    this.#lookup = lookup
    this.#clock = clock
    this.#target = target
    this.#begunMs = clock.monotonicMs()
  }

  /** Goes on with what an earlier process knew: old, but not younger than what it sent first. */
  resume(saved: Indices): void {
    this.#saved = this.#known = saved
  }

  /** @param resumed  begun, maybe, by the process before */
  begin(resumed: boolean): UnderWay {
    const batch = { before: resumed ? this.#saved : this.#known }
    this.#underWay.add(batch)
    return batch
  }

  /** All of it has its verdict. Otherwise it stays in doubt for the process to come. */
  end(batch: UnderWay): void {
    this.#underWay.delete(batch)
  }

  /**
   * What a process to come must know: the indices as of before the oldest batch that has no verdict, not those of now.
   *
   * @param resuming  not all that the process before may have sent has its verdict
   */
  toSave(resuming: boolean): Indices {
    if (resuming) return this.#saved
    const [oldest] = this.#underWay
    return oldest === undefined ? this.#known : oldest.before
  }

  /** Asks for the indices in the background, when it is time; nothing waits for the answer. */
  refresh(signal: AbortSignal): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#asking || nowMs < this.#dueMs || signal.aborted) return
    void this.#refresh(nowMs, signal)
  }

  async #refresh(nowMs: number, signal: AbortSignal): Promise<void> {
    this.#asking = true
    const asked = await this.#indices(signal)
    this.#asking = false
    // With the first document the target comes to be.
    const wanted = asked.kind === 'answered' && asked.value.length === 0
    const told = asked.kind === 'answered' ? limits.indicesIntervalMs : limits.indicesRetryMs
    this.#dueMs = nowMs + (wanted ? limits.indicesWantedMs : told)
  }

  async #indices(signal: AbortSignal): Promise<Asked<readonly string[]>> {
    const asked = await this.#lookup.indices(signal)
    // What failed leaves the older list, which is as good.
    if (asked.kind === 'answered') this.#known = asked.value
    return asked
  }

  /**
   * Finds which documents are there: what is not, and is sent then, is nowhere else. A request that was not answered may
   * still be in a queue of the server. While one index is written to, what it brings is answered 409; when that was rolled
   * over, it gets some time to arrive.
   *
   * @param sinceMs  when the doubt arose, monotonic; of a crash, this process began later
   * @param ids      read only when there is somebody to ask
   */
  async find(
    batch: UnderWay,
    doubt: Doubt,
    sinceMs: number,
    documents: number,
    ids: () => readonly string[],
    signal: AbortSignal,
  ): Promise<Found> {
    const now = await this.#indices(signal)
    if (now.kind === 'failed') return now
    if (now.kind === 'refused') return { kind: 'answered', present: undefined, blind: now.why }
    const thorough = doubt === 'attempt' || (this.#thorough -= documents) >= 0
    const { indices, cut } = searchFor(this.#target, batch.before, now.value, thorough)
    let blind = cut ? `${this.#target} has more indices than are asked` : undefined
    if (indices.length === 0) return { kind: 'answered', present: undefined, blind }
    const all = ids()
    const present = all.map(() => false)
    for (const index of indices) {
      for (let from = 0; from < all.length; from += limits.lookupIdsMax) {
        const asked = await this.#lookup.present(index, all.slice(from, from + limits.lookupIdsMax), signal)
        if (asked.kind === 'failed') return asked
        if (asked.kind === 'refused') {
          blind ??= asked.why
          break
        }
        for (const [at, found] of asked.value.entries()) if (found) present[from + at] = true
      }
      if (present.every(Boolean)) return { kind: 'answered', present, blind: undefined }
    }
    const arrivedMs = (doubt === 'crash' ? this.#begunMs : sinceMs) + limits.lookupArrivalMs
    const waitMs = arrivedMs - this.#clock.monotonicMs()
    if (waitMs > 0 && indices.length > 1) return { kind: 'early', waitMs }
    return { kind: 'answered', present: present.includes(true) ? present : undefined, blind }
  }
}
