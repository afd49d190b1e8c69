import type { SavedGeneration } from '../base/state.ts'

/** Generations of the state that no file was found for yet. */
export class Saved {
  readonly #byInode = new Map<string, SavedGeneration[]>()
  /** How many have a path. */
  readonly #paths = new Map<string, number>()
  /** Those that one look at everything has not shown: a rename during it may have hidden them. */
  readonly #absent = new Set<SavedGeneration>()
  /** Inodes that are there in this look, and could not be opened. */
  readonly #unopened = new Set<string>()

  constructor(saved: readonly SavedGeneration[]) {
    // The last life of an inode first: that is the one which may go on.
    const ordered = saved.toSorted((a, b) => b.epoch - a.epoch)
    for (const entry of ordered) {
      this.#byInode.set(entry.inode, [...this.of(entry.inode), entry])
      this.#paths.set(entry.path, (this.#paths.get(entry.path) ?? 0) + 1)
    }
  }

  get waiting(): SavedGeneration[] {
    return [...this.#byInode.values()].flat()
  }

  /** Something was not found: the next look must bring everything. What that does not hold either is gone. */
  get searching(): boolean {
    return this.#absent.size > 0
  }

  hasPath(path: string): boolean {
    return this.#paths.has(path)
  }

  of(inode: string): readonly SavedGeneration[] {
    return this.#byInode.get(inode) ?? []
  }

  beginLook(): void {
    this.#unopened.clear()
  }

  /** Its inode is there; `opened` follows unless it may not be read. */
  seen(saved: SavedGeneration): void {
    this.#unopened.add(saved.inode)
  }

  opened(saved: SavedGeneration): void {
    this.#unopened.delete(saved.inode)
  }

  /** Another file has its inode: a look at everything has to tell where it is, if anywhere. */
  outlived(saved: SavedGeneration): void {
    this.#absent.add(saved)
  }

  remove(saved: SavedGeneration): void {
    this.#absent.delete(saved)
    const before = this.of(saved.inode)
    const rest = before.filter((other) => other !== saved)
    if (rest.length === before.length) return
    const count = (this.#paths.get(saved.path) ?? 1) - 1
    if (count > 0) this.#paths.set(saved.path, count)
    else this.#paths.delete(saved.path)
    if (rest.length > 0) this.#byInode.set(saved.inode, rest)
    else this.#byInode.delete(saved.inode)
  }

  /**
   * After a look at everything: what neither this one nor the one before has shown.
   *
   * @param isUnsure  whether a path may be there although no listing shows it
   */
  missing(isUnsure: (path: string) => boolean): SavedGeneration[] {
    const missing: SavedGeneration[] = []
    for (const saved of this.waiting) {
      if (this.#unopened.has(saved.inode) || isUnsure(saved.currentPath ?? saved.path)) {
        // Looking once more would not tell more.
        this.#absent.delete(saved)
        continue
      }
      if (this.#absent.has(saved)) missing.push(saved)
      else this.#absent.add(saved)
    }
    return missing
  }
}
