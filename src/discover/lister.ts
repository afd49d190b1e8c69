import path from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Disk, FileFacts } from '../base/disk.ts'
import { codeOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { OwnOutput } from '../base/own-output.ts'
import type { Directory } from './directory.ts'
import type { Entry, Listing, Obstacle } from './entry.ts'
import { isWithin, type Globs } from './globs.ts'
import type { Matching } from './matching.ts'
import * as obstacles from './obstacles.ts'
import type { Tree } from './tree.ts'

export interface ListerOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly globs: Globs
  readonly tree: Tree
  readonly matching: Matching
  /** The real directories that nothing is read outside of. */
  readonly roots: () => readonly string[]
  readonly obstacle: (obstacle: Obstacle) => void
  /** What Remora itself says, where that goes to files. */
  readonly ownOutput?: OwnOutput | undefined
}

/** What one look asks of each listing. */
export interface Manner {
  /** Directories that are found are listed at once; otherwise the look comes to them by itself. */
  readonly recurse: boolean
  /** Directories beside the watched ones are asked, too: something is missing. */
  readonly widely: boolean
}

/** Lists a directory: what is in it, which of that could be a log, and what cannot be one. */
export class Lister {
  readonly #o: ListerOptions

  constructor(options: ListerOptions) {
    this.#o = options
  }

  /** Facts of the directory itself where the path is a symlink to it, as a root may be. */
  lookInto(directory: string): FileFacts | undefined {
    return this.#o.disk.look(`${directory}/.`)
  }

  /** Adds to `listings`: the directory, those below it that are new, or those that are gone. One step for each entry. */
  *list(directory: string, listings: Listing[], manner: Manner): Generator<void, void> {
    const { disk, globs, obstacle, tree } = this.#o
    const known = tree.directories.get(directory)
    if (known === undefined) return
    const entries: Entry[] = []
    const unknown = new Set<string>()
    try {
      const before = this.lookInto(directory)
      const names = disk.list(directory)
      if (names.length > limits.directoryEntriesMax) {
        obstacle(obstacles.directoryTooLarge(directory, names.length))
        names.length = limits.directoryEntriesMax
      }
      known.lookedAtMs = this.#o.clock.nowMs()
      tree.strangers -= known.strangers
      known.strangers = 0
      if (before !== undefined) this.#note(known, before)
      this.#o.matching.tidy(known, names.length)
      for (const { name, kind } of names) {
        yield
        const at = path.join(directory, name)
        try {
          if (kind === 'directory') yield* this.#directory(at, listings, manner)
          else this.#file(known, at, kind === 'symlink', names.length, entries)
        } catch (error) {
          if (codeOf(error) === '') throw error
          obstacle(obstacles.failed(disk, at, error))
          unknown.add(at)
        }
      }
    } catch (error) {
      const gone = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
      if (gone) this.#forget(directory, listings)
      else tree.unsure.add(directory)
      if (!gone || globs.roots().includes(directory)) obstacle(obstacles.failed(disk, directory, error))
      return
    }
    if (unknown.size === 0) tree.unsure.delete(directory)
    else tree.unsure.add(directory)
    known.listed = entries
    listings.push({ directory, entries, unknown })
  }

  #forget(directory: string, listings: Listing[]): void {
    for (const known of this.#o.tree.forget(directory)) {
      this.#o.matching.forgetAnnex(known.path)
      listings.push({ directory: known.path, entries: [], unknown: new Set() })
    }
  }

  #note(known: Directory, { device, inode, modifiedMs }: FileFacts): void {
    const key = `${device}:${inode}`
    if (known.key !== key) this.#o.tree.unwatch(known)
    known.key = key
    if (known.modifiedMs === modifiedMs) return
    known.modifiedMs = modifiedMs
    known.changedAtMs = this.#o.clock.monotonicMs()
  }

  *#directory(at: string, listings: Listing[], manner: Manner): Generator<void, void> {
    const { disk, globs, matching, obstacle, tree } = this.#o
    if (tree.directories.has(at)) return
    if (globs.matches(at)) obstacle(obstacles.unfit(at, 'directory'))
    if (!globs.mayContain(at) && !(manner.widely && matching.isAnnex(disk, at))) return
    if (at.split('/').length > limits.directoryDepthMax || tree.directories.size >= limits.directoriesMax) {
      obstacle(obstacles.tooManyDirectories(at))
      return
    }
    tree.know(at)
    if (manner.recurse) yield* this.list(at, listings, manner)
  }

  /** @param names  in the directory that is listed */
  #file(known: Directory, at: string, symlink: boolean, names: number, entries: Entry[]): void {
    const { disk, matching, obstacle, tree } = this.#o
    const { matched, before } = matching.of(at, known)
    // Any name may be that of a file which is known by its inode; in a crowd only those that could be one are asked.
    if (!matched && before.length === 0) {
      if (names > limits.directoryCrowd || tree.strangers > limits.strangersMax) {
        if (tree.strangers > limits.strangersMax) this.#tooManyStrangers(known, at)
        return
      }
      known.strangers++
      tree.strangers++
    }
    const target = symlink ? this.#follow(at, matched) : at
    if (target === undefined) return
    const facts = disk.look(target)
    if (facts === undefined) {
      if (matched && target.includes('\uFFFD')) obstacle(obstacles.unnameable(at))
      return
    }
    if (facts.kind !== 'file') {
      if (matched) obstacle(obstacles.unfit(at, facts.kind))
      return
    }
    if (this.#o.ownOutput?.has(facts, before) === true) {
      if (matched) obstacle(obstacles.ownOutput(at))
      return
    }
    entries.push(asBefore(known.listed[entries.length], { path: target, facts, matched, before }))
  }

  #tooManyStrangers(known: Directory, at: string): void {
    this.#o.matching.forgetName(known, at)
    const root = this.#o.globs.roots().find((each) => isWithin(known.path, each))
    this.#o.obstacle(obstacles.tooManyStrangers(root ?? known.path))
  }

  /** Where a symlink leads, when that is inside a root; anything else is said once and left alone. */
  #follow(at: string, matched: boolean): string | undefined {
    if (!matched) return undefined
    const { disk, obstacle } = this.#o
    try {
      const target = disk.resolve(at)
      if (this.#o.roots().some((root) => isWithin(target, root))) return target
      obstacle(obstacles.symlinkOutside(at))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') obstacle(obstacles.failed(disk, at, error))
    }
    return undefined
  }
}

/**
 * The entry of the last listing where it says the same, otherwise this one. A new one for each of a thousand idle files lives
 * through a look, long enough to count as old, and then lies about as garbage. Names come in the same order while none
 * comes or goes.
 */
function asBefore(last: Entry | undefined, now: Entry): Entry {
  if (last === undefined || last.path !== now.path || last.matched !== now.matched || last.before !== now.before)
    return now
  const { kind, device, inode, birthNs, sizeBytes, modifiedMs, links, uid, gid, mode } = now.facts
  const was = last.facts
  const isSameFile = inode === was.inode && device === was.device && birthNs === was.birthNs && kind === was.kind
  const isSameContent = sizeBytes === was.sizeBytes && modifiedMs === was.modifiedMs && links === was.links
  return isSameFile && isSameContent && uid === was.uid && gid === was.gid && mode === was.mode ? last : now
}
