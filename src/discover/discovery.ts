import path from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Disk, FileFacts } from '../base/disk.ts'
import { backOffMs } from '../base/backing-off.ts'
import { codeOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { OwnOutput } from '../base/own-output.ts'
import { inOneGo } from '../base/steps.ts'
import type { Directory } from './directory.ts'
import type { Listing, Obstacle } from './entry.ts'
import { isWithin, type Globs } from './globs.ts'
import { Lister } from './lister.ts'
import { Matching } from './matching.ts'
import * as obstacles from './obstacles.ts'
import { Tree } from './tree.ts'
import type { Watch } from './watch.ts'

export type { Entry, Listing, Obstacle } from './entry.ts'

export interface DiscoveryOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly globs: Globs
  readonly watch: Watch
  readonly scanIntervalMs: number
  readonly obstacle: (obstacle: Obstacle) => void
  /** What Remora itself says, where that goes to files. */
  readonly ownOutput?: OwnOutput | undefined
}

/**
 * Which files exist. The disk is the truth: a directory is listed when its modification time moved, when a hint came,
 * and at each rescan in case a hint was lost. While its files are busy the watch of a directory is let go, for it
 * would make an event of each write; the look on a timer costs less (ARCHITECTURE.md).
 */
export class Discovery {
  readonly #o: DiscoveryOptions
  readonly #tree: Tree
  readonly #matching: Matching
  readonly #lister: Lister
  /** Where each glob's root really is. */
  readonly #roots = new Map<string, string>()
  #rescanAtMs = 0
  #sawEverything = false
  #widely = true

  constructor(options: DiscoveryOptions) {
    const { clock, disk, globs, obstacle, ownOutput, watch } = options
    this.#o = options
    this.#tree = new Tree(clock, watch)
    this.#matching = new Matching(globs)
    const [tree, matching] = [this.#tree, this.#matching]
    this.#lister = new Lister({ disk, clock, globs, tree, matching, roots: () => this.roots, obstacle, ownOutput })
  }

  /** Directories that exist below the globs' roots now. */
  get directories(): number {
    return this.#tree.directories.size
  }

  /** Of these, the ones that could not be listed, or not wholly. */
  get unreadableDirectories(): number {
    return this.#tree.unsure.size
  }

  /** Of these, the ones that cannot be watched, or whose watch tells nothing. */
  get unwatchableDirectories(): number {
    let count = 0
    for (const { unwatchable } of this.#tree.directories.values()) if (unwatchable) count++
    return count
  }

  /** The real directories that nothing is read outside of. */
  get roots(): readonly string[] {
    return [...this.#roots.values()]
  }

  /** The same path, with its root as that really is: below that there is no symlink. */
  realPathOf(at: string): string {
    for (const [root, real] of this.#roots)
      if (root !== real && isWithin(at, root)) return `${real === '/' ? '' : real}${at.slice(root.length)}`
    return at
  }

  /** Whether a path may be there although no listing shows it. */
  isUnsure(at: string): boolean {
    return [...this.#tree.unsure].some((directory) => isWithin(at, directory))
  }

  hint(directory: string): void {
    this.#tree.hint(directory)
  }

  /** The directory cannot be watched: from now on it is looked at on a timer. */
  unwatchable(directory: string): void {
    const known = this.#tree.directories.get(directory)
    if (known === undefined) return
    this.busy(directory)
    known.unwatchable = true
    // What happened since the watch was asked for shows in the next look.
    this.#tree.hint(directory)
  }

  /** Lets go of a directory's watch while files in it grow; `look` takes it up again when it was quiet for a while. */
  busy(directory: string): void {
    const known = this.#tree.directories.get(directory)
    if (known === undefined) return
    known.changedAtMs = this.#o.clock.monotonicMs()
    known.nextLookMs = 0
    this.#tree.unwatch(known)
  }

  /** How often a watch was let go: files that it spoke for are to be asked. */
  get unwatchings(): number {
    return this.#tree.unwatchings
  }

  /** When `look` has something to do without any hint: for the caller's one timer. Milliseconds, monotonic. */
  nextLookMs(): number {
    let nextMs = this.#rescanAtMs
    for (const directory of this.#tree.directories.values()) {
      if (!directory.watched && directory.nextLookMs < nextMs) nextMs = directory.nextLookMs
    }
    return nextMs
  }

  /** Whether a hint would come from this directory. */
  isWatched(directory: string): boolean {
    return this.#tree.directories.get(directory)?.watched ?? false
  }

  /** The last look was at every directory. */
  get sawEverything(): boolean {
    return this.#sawEverything
  }

  /** The names that a file may have had before it was rotated, of those that a glob matches. */
  namesBefore(at: string): readonly string[] {
    return this.#matching.of(at, this.#tree.directories.get(path.dirname(at))).before
  }

  /** Whether any directory has a hint that was not followed yet. */
  get hinted(): boolean {
    return this.#tree.hints.size > 0
  }

  /** All steps of a look at once. */
  look(everything = false, widely = false): Listing[] {
    return inOneGo(this.steps(everything, widely))
  }

  /**
   * Lists what may have changed since the last call; everything when the rescan is due or `everything` is asked for. Between two
   * steps others may have their turn, but not another look.
   *
   * @param widely  something is missing: directories beside the watched ones may hold it
   */
  *steps(everything: boolean, widely: boolean): Generator<void, Listing[]> {
    const nowMs = this.#o.clock.monotonicMs()
    const { directories, hints } = this.#tree
    this.#widely ||= widely
    const manner = { recurse: true, widely: this.#widely }
    const listings: Listing[] = []
    this.#sawEverything = everything || nowMs >= this.#rescanAtMs
    if (this.#sawEverything) {
      this.#rescanAtMs = nowMs + this.#o.scanIntervalMs
      hints.clear()
      this.#findRoots()
      // The loop comes to those that are found meanwhile.
      for (const directory of directories.keys())
        yield* this.#lister.list(directory, listings, { ...manner, recurse: false })
      this.#widely = false
      return listings
    }
    for (const directory of directories.values()) {
      const hinted = hints.delete(directory.path)
      if (!hinted && (directory.watched || !this.#isDue(directory, nowMs) || !this.#moved(directory))) {
        this.#tree.settleDown(directory, nowMs)
        continue
      }
      yield* this.#lister.list(directory.path, listings, manner)
    }
    return listings
  }

  /** Whether an unwatched directory is looked at now; the next time is that much later the longer it was quiet. */
  #isDue(directory: Directory, nowMs: number): boolean {
    const { directories } = this
    // A look that others have asked for costs little where files grow, and shows a rotation sooner.
    const isActive = this.#tree.isActive(directory)
    if (directory.nextLookMs > nowMs && !(isActive && directories <= activeDirectoriesMax)) return false
    const leastMs = isActive ? limits.pollIntervalMaxMs : limits.unwatchedIntervalMs
    directory.nextLookMs = nowMs + backOffMs(nowMs - directory.changedAtMs, directories, leastMs)
    return true
  }

  #moved(directory: Directory): boolean {
    let facts: FileFacts | undefined
    try {
      facts = this.#lister.lookInto(directory.path)
    } catch {
      // To be listed, which says what is wrong.
      return true
    }
    return (
      facts === undefined ||
      facts.modifiedMs !== directory.modifiedMs ||
      directory.lookedAtMs - facts.modifiedMs < limits.tickMs
    )
  }

  #findRoots(): void {
    const { disk, globs, obstacle } = this.#o
    for (const root of globs.roots()) {
      try {
        const real = disk.resolve(root)
        // Where a root is was decided when it was first seen: whoever may write above it must not move it elsewhere.
        const first = this.#roots.get(root)
        if (first !== undefined && first !== real) {
          obstacle(obstacles.rootMoved(root, first, real))
          continue
        }
        this.#roots.set(root, real)
        this.#tree.know(root)
      } catch (error) {
        // What cannot be asked now is still where it was.
        if (codeOf(error) !== 'ENOENT') this.#tree.unsure.add(root)
        obstacle(obstacles.failed(disk, root, error))
      }
    }
  }
}

/** With no more than these, busy ones are looked at whenever anything is. */
const activeDirectoriesMax = 64
