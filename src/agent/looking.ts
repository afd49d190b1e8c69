import type { Clock } from '../base/clock.ts'
import { assert } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { inTurns, type Steps, type Turns } from '../base/steps.ts'
import type { Discovery } from '../discover/discovery.ts'
import type { Registry } from '../follow/registry.ts'
import { Growth } from './growth.ts'

/** When the disk is looked at: when a time has come, or a hint; never more often than the shortest poll interval. */
export class Looking {
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #discovery: Discovery
  readonly #registry: Registry
  readonly #grown: () => void
  readonly #saw: () => void
  readonly #growth = new Growth()
  #lookedAtMs = 0
  #nextMs = 0
  #unwatchings = 0
  #isLooking = false
  /** What must not happen in the middle of a look. */
  readonly #afterwards: (() => void)[] = []

  /**
   * @param grown  a file has another size than before: of what is lost later it tells how much
   * @param saw    a look at everything is over
   */
  constructor(turns: Turns, discovery: Discovery, registry: Registry, grown: () => void, saw: () => void = () => {}) {
    this.#clock = turns.clock
    this.#turns = turns
    this.#discovery = discovery
    this.#registry = registry
    this.#grown = grown
    this.#saw = saw
  }

  /** Something may have happened in a directory. @param isEvent  a watch has told so, and not that it stands now */
  hinted(directory: string, isEvent: boolean): void {
    this.#discovery.hint(directory)
    if (isEvent) this.#growth.hinted(directory)
  }

  async lookWhenDue(): Promise<void> {
    if (this.#discovery.hinted) this.#nextMs = Math.min(this.#nextMs, this.#lookedAtMs + limits.pollIntervalMinMs)
    if (this.#clock.monotonicMs() >= this.dueMs) await this.look(false)
  }

  /** Monotonic. */
  get dueMs(): number {
    return Math.min(this.#nextMs, Math.max(this.#registry.countsUntilMs, this.#lookedAtMs + limits.pollIntervalMinMs))
  }

  /** Resolves when the look that is under way is over: until then it is not decided which file is which. Undefined: none is. */
  get over(): Promise<void> | undefined {
    return this.#isLooking ? new Promise((resolve) => this.#afterwards.push(resolve)) : undefined
  }

  /** Acts now, or when the look that is under way is over. */
  between(act: () => void): void {
    if (this.#isLooking) this.#afterwards.push(act)
    else act()
  }

  /** In turns: many files take seconds of a tenth of a core. @returns false: it was over before it had seen all */
  async look(everything: boolean): Promise<boolean> {
    assert(!this.#isLooking, 'one look at a time')
    this.#isLooking = true
    try {
      return (await inTurns(this.#steps(everything), this.#turns)) === true
    } finally {
      this.#isLooking = false
      for (const act of this.#afterwards.splice(0)) act()
    }
  }

  *#steps(everything: boolean): Steps<true> {
    const [discovery, registry] = [this.#discovery, this.#registry]
    const listings = yield* discovery.steps(everything || registry.searching, registry.searching)
    for (const { directory, entries } of listings) this.#growth.listed(directory, entries.length)
    if (listings.length > 0) yield* registry.observe(listings, discovery.sawEverything)
    if (discovery.sawEverything) this.#saw()
    const watched = (directory: string) => discovery.isWatched(directory)
    const { unwatchings } = discovery
    if (unwatchings !== this.#unwatchings) registry.sweep()
    for (const directory of yield* registry.poll(watched, everything)) {
      const wasWatched = watched(directory)
      if (this.#growth.grown(directory, wasWatched, this.#clock.monotonicMs())) discovery.busy(directory)
      if (wasWatched && this.#growth.isDeaf(directory)) discovery.unwatchable(directory)
      this.#grown()
    }
    // The files that the watch spoke for are asked from now on.
    if (discovery.unwatchings !== unwatchings) registry.findSoon(watched)
    this.#unwatchings = discovery.unwatchings
    const nowMs = this.#clock.monotonicMs()
    this.#lookedAtMs = nowMs
    // Whoever takes up a watch hints at it: what was written before it stood gives no event.
    const isAwaited = registry.searching || discovery.hinted
    const nextMs = Math.min(discovery.nextLookMs(), registry.nextPollMs(watched))
    this.#nextMs = Math.max(nowMs + limits.pollIntervalMinMs, isAwaited ? 0 : nextMs)
    return true
  }
}
