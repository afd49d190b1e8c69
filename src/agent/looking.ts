import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Discovery } from '../discover/discovery.ts'
import type { Registry } from '../follow/registry.ts'
import { Growth } from './growth.ts'

/** When the disk is looked at: when a time has come, or a hint; never more often than the shortest poll interval. */
export class Looking {
  readonly #clock: Clock
  readonly #discovery: Discovery
  readonly #registry: Registry
  readonly #grown: () => void
  readonly #growth = new Growth()
  #lookedAtMs = 0
  #nextMs = 0
  #unwatchings = 0

  /** @param grown  a file has another size than before: of what is lost later it tells how much */
  constructor(clock: Clock, discovery: Discovery, registry: Registry, grown: () => void) {
    this.#clock = clock
    this.#discovery = discovery
    this.#registry = registry
    this.#grown = grown
  }

  /** Something may have happened in a directory. @param isEvent  a watch has told so, and not that it stands now */
  hinted(directory: string, isEvent: boolean): void {
    this.#discovery.hint(directory)
    if (isEvent) this.#growth.hinted(directory)
  }

  lookWhenDue(): void {
    if (this.#discovery.hinted) this.#nextMs = Math.min(this.#nextMs, this.#lookedAtMs + limits.pollIntervalMinMs)
    if (this.#clock.monotonicMs() >= this.dueMs) this.look(false)
  }

  /** Monotonic. */
  get dueMs(): number {
    return Math.min(this.#nextMs, Math.max(this.#registry.countsUntilMs, this.#lookedAtMs + limits.pollIntervalMinMs))
  }

  look(everything: boolean): void {
    const [discovery, registry] = [this.#discovery, this.#registry]
    const listings = discovery.look(everything || registry.searching, registry.searching)
    for (const { directory, entries } of listings) this.#growth.listed(directory, entries.length)
    if (listings.length > 0) registry.observe(listings, discovery.sawEverything)
    const watched = (directory: string) => discovery.isWatched(directory)
    const { unwatchings } = discovery
    if (unwatchings !== this.#unwatchings) registry.sweep()
    for (const directory of registry.poll(watched, everything)) {
      if (this.#growth.grown(directory, watched(directory), this.#clock.monotonicMs())) discovery.busy(directory)
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
  }
}
