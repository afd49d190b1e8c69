import type { Clock } from '../base/clock.ts'
import type { FileFacts } from '../base/disk.ts'
import { limits } from '../base/limits.ts'
import { Generation } from './generation.ts'
import { keyOf } from './identity.ts'
import { mayHold, type SeenFile } from './seen.ts'

export interface FamilyOptions {
  readonly clock: Clock
  /** The names that a file may have had before it was rotated, of those that a glob matches. */
  readonly namesBefore: (path: string) => readonly string[]
}

/** The generations that are known, by inode and by name, in the order in which they are read. */
export class Family {
  readonly #o: FamilyOptions
  readonly #generations = new Set<Generation>()
  readonly #byKey = new Map<string, Generation>()
  readonly #latest = new Map<string, Generation>()
  /** Those that are looked for, and some that were. */
  readonly #wanting = new Set<Generation>()
  #serial = 0
  /** How many have each path. */
  readonly #paths = new Map<string, number>()

  constructor(options: FamilyOptions) {
    this.#o = options
  }

  get generations(): ReadonlySet<Generation> {
    return this.#generations
  }

  withKey(key: string): Generation | undefined {
    return this.#byKey.get(key)
  }

  hasPath(path: string): boolean {
    return this.#paths.has(path)
  }

  /** Generations that a file may be a copy of, going by names. */
  ofNames(file: SeenFile): Generation[] {
    // Most have their first name, and nothing is known under it: no look at all that is known for each of them.
    if (file.before.length === 0 && !this.hasPath(file.path)) return []
    return [...this.#generations].filter((generation) => mayHold(file, generation))
  }

  /** What is looked for, in the order in which it became known: few as a rule, whatever the number of files. */
  wanting(): Generation[] {
    for (const generation of this.#wanting) {
      if (generation.wanted === undefined || !this.#generations.has(generation)) this.#wanting.delete(generation)
    }
    return this.#wanting.size === 0 ? [] : [...this.#wanting].toSorted((a, b) => a.serial - b.serial)
  }

  /** The content of this one is looked for. */
  want(generation: Generation, wanted: 'copy' | 'archive'): void {
    generation.wanted = wanted
    this.#wanting.add(generation)
  }

  /** The name before any rotation, as far as names tell. */
  basePathOf(path: string): string {
    return this.#o.namesBefore(path).toSorted((a, b) => a.length - b.length)[0] ?? path
  }

  /** The next one under a name: it waits for those before it. */
  make(path: string, epoch: number): Generation {
    const generation = this.#new(path, epoch)
    generation.predecessor = this.#latest.get(path)
    this.#latest.set(path, generation)
    return generation
  }

  /** One that was rotated away unseen: before the one that has the name now, unless that is the older one. */
  makeRotated(path: string, birthNs: bigint, isThere: (generation: Generation) => boolean, epoch = 0): Generation {
    const live = this.#latest.get(path)
    if (live === undefined) return this.make(path, epoch)
    // Also of a copy, which is younger than the file that was emptied behind it.
    const hasName = live.currentPath === path && isThere(live)
    // What has lost its name was seen when it had it, and so came before what nobody has seen yet, unless births tell.
    const told = live.birthNs > 0n && birthNs > 0n && birthNs < live.birthNs
    if (!hasName && !told) return this.make(path, epoch)
    return this.makeBefore(path, epoch, birthNs)
  }

  /** One that is older than the last under its name; and than those before it that were born later. */
  makeBefore(path: string, epoch: number, birthNs = 0n): Generation {
    const latest = this.#latest.get(path)
    if (latest === undefined) return this.make(path, epoch)
    const generation = this.#new(path, epoch)
    let successor = latest
    for (let before = latest.predecessor; before !== undefined; before = before.predecessor) {
      if (birthNs === 0n || before.birthNs <= birthNs) break
      successor = before
    }
    generation.predecessor = successor.predecessor
    successor.predecessor = generation
    return generation
  }

  /** One whose inode is gone: in the place that its birth gives it; where that is not known, before all others. */
  makeGone(path: string, epoch: number, birthNs: bigint): Generation {
    const latest = this.#latest.get(path)
    const isLast = latest !== undefined && latest.birthNs > 0n && latest.birthNs < birthNs
    return isLast ? this.make(path, epoch) : this.makeBefore(path, epoch, birthNs)
  }

  /** What follows in its inode, which may have been rotated away: others have its name then. */
  makeAfter(generation: Generation): Generation {
    const { path, epoch } = generation
    const next = [...this.#generations].find(({ predecessor }) => predecessor === generation)
    if (next === undefined) return this.make(path, epoch + 1)
    const successor = this.#new(path, epoch + 1)
    successor.predecessor = generation
    next.predecessor = successor
    return successor
  }

  /** The content of a generation is in this inode. */
  own(generation: Generation, facts: FileFacts, path: string): void {
    generation.key = keyOf(facts)
    generation.inode = facts.inode
    generation.birthNs = facts.birthNs
    generation.former = undefined
    generation.place(path)
    this.#byKey.set(generation.key, generation)
  }

  /** Gives the inode of one generation to its successor. */
  pass(from: Generation, to: Generation): void {
    to.key = from.key
    to.inode = from.inode
    to.birthNs = from.birthNs
    to.place(from.currentPath)
    to.stage = from.stage === 'rotated' || from.stage === 'deleted' ? from.stage : 'live'
    this.#byKey.set(to.key, to)
    from.key = ''
    from.place(undefined)
  }

  /** Its inode is gone, or another's. */
  disown(generation: Generation): void {
    if (this.#byKey.get(generation.key) === generation) this.#byKey.delete(generation.key)
    generation.key = ''
    generation.place(undefined)
  }

  forget(generation: Generation): void {
    this.disown(generation)
    if (this.#generations.delete(generation)) this.#count(generation.path, -1)
    if (this.#latest.get(generation.path) !== generation) return
    // Those before it are read before the next one all the same.
    let before = generation.predecessor
    while (before !== undefined && !this.#generations.has(before)) before = before.predecessor
    if (before?.path === generation.path) this.#latest.set(generation.path, before)
    else this.#latest.delete(generation.path)
  }

  #new(path: string, epoch: number): Generation {
    const generation = new Generation(
      path,
      this.basePathOf(path),
      epoch,
      this.#o.clock.monotonicMs(),
      limits.pollIntervalMinMs,
    )
    // A clock that is set may be anywhere; the state takes no such time.
    generation.seenMs = Math.min(Math.max(0, Math.floor(this.#o.clock.nowMs())), limits.wallMsMax)
    generation.serial = this.#serial++
    this.#generations.add(generation)
    this.#count(path, 1)
    return generation
  }

  #count(path: string, more: number): void {
    const count = (this.#paths.get(path) ?? 0) + more
    if (count > 0) this.#paths.set(path, count)
    else this.#paths.delete(path)
  }
}
