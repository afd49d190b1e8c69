import { codeOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Copy } from './copies.ts'
import type { Endings } from './endings.ts'
import type { Generation } from './generation.ts'
import { beginsWith, guardAt, isIntact, isSearched, keyOf, sameBirth } from './identity.ts'
import type { Parts } from './parts.ts'
import { isClosed, type Polling } from './polling.ts'
import type { Rest } from './rest.ts'
import type { Resuming } from './resuming.ts'
import { stampOf, type SeenDirectory, type SeenFile } from './seen.ts'
import type { Sizing } from './sizing.ts'
import type { Strangers } from './strangers.ts'

export interface SightingsParts {
  readonly rest: Rest
  readonly endings: Endings
  readonly strangers: Strangers
  readonly resuming: Resuming
  readonly sizing: Sizing
  readonly polling: Polling
}

/** What a listing shows of files that are known: the same one, renamed, written, gone; and who has its inode now. */
export class Sightings {
  readonly #p: Parts
  readonly #rest: Rest
  readonly #endings: Endings
  readonly #strangers: Strangers
  readonly #resuming: Resuming
  readonly #sizing: Sizing
  readonly #polling: Polling
  #listings = new Map<string, readonly SeenFile[]>()
  /** The inode that each name led to in the listings of this look; undefined between two. */
  #keysByPath: ReadonlyMap<string, string> | undefined
  /** Inodes of which the present look cannot tell whether they are still what is known. */
  readonly #untold = new Set<string>()

  constructor(parts: Parts, others: SightingsParts) {
    this.#p = parts
    this.#rest = others.rest
    this.#endings = others.endings
    this.#strangers = others.strangers
    this.#resuming = others.resuming
    this.#sizing = others.sizing
    this.#polling = others.polling
  }

  get listings(): ReadonlyMap<string, readonly SeenFile[]> {
    return this.#listings
  }

  /** @returns the inode that each name leads to */
  beginLook(directories: readonly SeenDirectory[], files: readonly SeenFile[]): ReadonlyMap<string, string> {
    this.#listings = new Map(directories.map((seen) => [seen.directory, seen.entries]))
    this.#keysByPath = new Map(files.map((file) => [file.path, keyOf(file.facts)]))
    this.#untold.clear()
    return this.#keysByPath
  }

  endLook(): void {
    this.#listings = new Map()
    this.#keysByPath = undefined
  }

  /** False: nobody knows this file. */
  recognize(file: SeenFile): boolean {
    const key = keyOf(file.facts)
    const known = this.#p.family.withKey(key)
    if (known !== undefined) {
      const isSame = known.descriptor !== -1 || this.#isSame(known, file)
      // What cannot be opened may be either: the next look tells.
      if (isSame === undefined) {
        this.#untold.add(key)
        return true
      }
      if (isSame) {
        this.again(known, file)
        return true
      }
      this.#endings.vanish(known, 'it was deleted, and its inode was given to another file')
    }
    const copy = this.#p.copies.still(file)
    if (copy !== undefined) {
      this.#compare(copy)
      return true
    }
    return this.#rest.isBack(file) || this.#resuming.recognize(file)
  }

  /** Whether a file that nobody holds open is still the one whose number it has; undefined: nobody can tell now. */
  #isSame(known: Generation, file: SeenFile): boolean | undefined {
    if (!sameBirth(known.birthNs, file.facts.birthNs)) return false
    const { fingerprint, packing, currentPath } = known
    if (known.birthNs !== 0n || packing !== undefined || file.path === currentPath) return true
    if (fingerprint === undefined) return false
    return this.#p.descriptors.with(file, undefined, ({ descriptor }) =>
      beginsWith(this.#p.disk, descriptor, fingerprint),
    )
  }

  /** A copy tells more of what its file held than the bytes before the offset, when many lives begin alike. */
  #compare({ owner, sizeBytes, tail }: Copy): void {
    if (tail === undefined || owner.descriptor === -1 || owner.packing !== undefined) return
    if (guardAt(this.#p.disk, owner.descriptor, sizeBytes).equals(tail)) return
    this.#endings.replaced(owner, 'a copy of it ends with other bytes')
  }

  again(known: Generation, file: SeenFile): void {
    if (known.isSuspect && known.offset === 0 && this.#strangers.isCopy(known, file)) return
    known.isSuspect = false
    if (known.packing !== undefined && known.archiveStamp !== stampOf(file.facts)) {
      // It was not complete, or is another one now: read through again, and compared with what is known.
      this.#p.descriptors.release(known)
      this.#p.family.disown(known)
      known.finished = false
      known.stage = 'replaced'
      known.goneWhy = 'its archive was written again, with other bytes'
      return this.#rest.want(known, 'archive')
    }
    const { sizeBytes, modifiedMs } = file.facts
    const rewritten = known.packing === undefined && modifiedMs !== known.modifiedMs
    const resized = known.packing === undefined && sizeBytes !== known.sizeBytes
    const reopened = (resized || rewritten) && this.#p.reopen(known)
    if (reopened) {
      if (this.#sizing.look(known, this.#p.clock.monotonicMs()) && known.directory !== undefined) {
        this.#polling.grew(known.directory)
      }
      // Nothing to read, and so nobody else compares: it may have been truncated and refilled to the same size.
      const unread = known.sizeBytes !== Math.max(known.offset, known.searchedTo)
      if (rewritten && !unread && known.descriptor !== -1) this.#compareAgain(known)
    }
    // What could not be opened is still to be compared.
    const isCompared = reopened || !(resized || rewritten)
    // It gave its descriptor back before its turn, and was renamed: its turn has found nothing under the old name.
    if (isClosed(known) && known.unsearched) this.#p.readable(known)
    known.modifiedMs = !isCompared || this.#p.clock.nowMs() - modifiedMs < limits.tickMs ? -1 : modifiedMs
    // The look showed another content: the inode belongs to the successor now.
    const holder = this.#p.family.withKey(keyOf(file.facts))
    if (holder !== known) {
      if (holder !== undefined) this.again(holder, file)
      return
    }
    if (known.currentPath === file.path) return
    // Two names of one inode: it keeps the one it has while that still leads to it.
    if (this.#isThere(known)) return
    known.place(file.path)
    if (known.stage === 'replaced') return
    const stage = file.path === known.path && known.packing === undefined ? 'live' : 'rotated'
    if (stage === 'rotated' && known.stage !== 'rotated') this.#p.happened({ kind: 'rotated', generation: known })
    known.stage = stage
  }

  /** It was written, and is as long as it was. */
  #compareAgain(generation: Generation): void {
    if (!isIntact(this.#p.disk, generation)) {
      this.#endings.replaced(generation, 'it was written without growing, and the bytes before the offset are others')
    } else if (generation.searchedTo > generation.offset && !isSearched(this.#p.disk, generation)) {
      generation.searchAgain()
      this.#p.readable(generation)
    }
  }

  /** Whether its name still leads to it; a name in a directory that was not listed now is looked at. */
  #isThere({ currentPath, directory, key }: Generation): boolean {
    if (currentPath === undefined) return false
    if (this.#listings.has(directory ?? '')) return this.#keysByPath?.get(currentPath) === key
    return this.isThereNow({ currentPath, key })
  }

  /** The same, whatever the last listing has shown: it may have been rotated away since. */
  isThereNow({ currentPath, key }: Pick<Generation, 'currentPath' | 'key'>): boolean {
    if (currentPath === undefined) return false
    try {
      const facts = this.#p.disk.look(currentPath)
      return facts !== undefined && keyOf(facts) === key
    } catch (error) {
      if (codeOf(error) === '') throw error
      // Nobody can tell now: as the listings say, and between two looks as the last one that showed it.
      return this.#keysByPath === undefined || this.#keysByPath.get(currentPath) === key
    }
  }

  vanished(directories: readonly SeenDirectory[], keysByPath: ReadonlyMap<string, string>): void {
    const unknownIn = new Map(directories.map(({ directory, unknown }) => [directory, unknown]))
    for (const generation of this.#p.family.generations) {
      const { currentPath, directory } = generation
      const unknown = directory === undefined ? undefined : unknownIn.get(directory)
      if (directory === undefined || unknown === undefined || this.#untold.has(generation.key)) continue
      if (currentPath === undefined) {
        this.#endings.vanish(generation, 'it was deleted while it was not open')
        continue
      }
      if (unknown.has(currentPath) || keysByPath.get(currentPath) === generation.key) continue
      // It may have been renamed to what could not be looked at.
      if (unknown.size > 0 && generation.descriptor === -1) continue
      if (generation.descriptor === -1) {
        // Deleted, or renamed while it was looked for: the next listing tells.
        generation.currentPath = undefined
        this.#p.lookAgain(directory)
        continue
      }
      generation.place(undefined)
      // It may show again under another name: its time begins now.
      generation.changedAtMs = this.#p.clock.monotonicMs()
      // Deleted, or renamed to a place that is not looked at: the descriptor still leads to it.
      if (generation.stage === 'live') {
        generation.stage = 'rotated'
        this.#p.happened({ kind: 'rotated', generation })
      }
      generation.nextPollMs = 0
    }
  }
}
