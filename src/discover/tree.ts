import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { newDirectory, type Directory } from './directory.ts'
import { isWithin } from './globs.ts'
import type { Watch } from './watch.ts'

/** The directories that exist, and which of them have a hint or a watch. */
export class Tree {
  readonly directories = new Map<string, Directory>()
  readonly hints = new Set<string>()
  /** Directories that are there and could not be listed, or not all of them. */
  readonly unsure = new Set<string>()
  /** In all directories: files that were looked at although their name tells nothing. */
  strangers = 0
  /** How often a watch was let go: files that it spoke for are to be asked. */
  unwatchings = 0
  readonly #clock: Clock
  readonly #watch: Watch
  #watches = 0

  constructor(clock: Clock, watch: Watch) {
    this.#clock = clock
    this.#watch = watch
  }

  hint(directory: string): void {
    if (this.directories.has(directory)) this.hints.add(directory)
  }

  know(directory: string): void {
    if (this.directories.has(directory)) return
    this.directories.set(directory, newDirectory(directory, this.#clock.monotonicMs()))
  }

  /** A directory is gone, and with it what was in it. @returns all that are gone */
  forget(directory: string): Directory[] {
    const gone = [...this.directories.values()].filter((known) => isWithin(known.path, directory))
    for (const known of gone) {
      this.directories.delete(known.path)
      this.strangers -= known.strangers
      this.hints.delete(known.path)
      this.unsure.delete(known.path)
      this.unwatch(known)
    }
    return gone
  }

  isActive(known: Directory): boolean {
    return this.#clock.monotonicMs() - known.changedAtMs < limits.directoryQuietMs
  }

  /** Watches a quiet directory again, and hints at it once more: something may fall between look and watch. */
  settleDown(known: Directory, nowMs: number): void {
    if (known.watched || known.unwatchable || this.isActive(known)) return
    if (this.#watches >= limits.watchesMax) return
    known.watched = true
    this.hints.add(known.path)
    known.changedAtMs = nowMs
    this.#watches++
    this.#watch.add(known.path)
  }

  unwatch(known: Directory): void {
    if (!known.watched) return
    this.#watch.remove(known.path)
    known.watched = false
    this.unwatchings++
    this.#watches--
  }
}
