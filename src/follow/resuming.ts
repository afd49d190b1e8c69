import type { SavedGeneration } from '../base/state.ts'
import type { Steps } from '../base/steps.ts'
import { packingIn } from './archives.ts'
import type { Generation } from './generation.ts'
import { beginsWith, guardAt, hashOf, sameBirth } from './identity.ts'
import type { Parts } from './parts.ts'
import type { Rest } from './rest.ts'
import { resumeAt } from './rotation.ts'
import { Saved } from './saved.ts'
import { stampOf, type SeenFile } from './seen.ts'

/** What the state knows of finds its files again, or what is left of them. */
export class Resuming {
  readonly #p: Parts
  readonly #rest: Rest
  readonly #saved: Saved
  /** Counted once a look, when it is asked for. */
  #waitingNames: Map<string, number> | undefined

  constructor(parts: Parts, rest: Rest, saved: readonly SavedGeneration[]) {
    this.#p = parts
    this.#rest = rest
    this.#saved = new Saved(saved)
    // Whether the process before has sent lines under them nobody knows.
    for (const { anchor } of saved) if (anchor !== null) parts.names.use(anchor.id)
  }

  get waiting(): SavedGeneration[] {
    return this.#saved.waiting
  }

  /** Whether one that waits was found first under this name. */
  hasPath(path: string): boolean {
    return this.#saved.hasPath(path)
  }

  /** Something was not found: the next look must bring everything. */
  get searching(): boolean {
    return this.#saved.searching
  }

  beginLook(): void {
    this.#waitingNames = undefined
    this.#saved.beginLook()
  }

  /** Too early to say that a file is nobody's: it may come from something that was not found or not opened yet. */
  mayOwn(file: SeenFile): boolean {
    this.#waitingNames ??= this.#countNames()
    return file.before.some((path) => this.#waitingNames!.has(path))
  }

  /** How many wait under each name, and each name before rotation: thousands of files ask for them. */
  #countNames(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { path } of this.#saved.waiting)
      for (const name of this.#namesOf(path)) counts.set(name, (counts.get(name) ?? 0) + 1)
    return counts
  }

  #namesOf(path: string): Set<string> {
    return new Set([path, this.#p.family.basePathOf(path)])
  }

  /** It waits no more. */
  #remove(saved: SavedGeneration): void {
    this.#saved.remove(saved)
    const counts = this.#waitingNames
    if (counts === undefined) return
    for (const name of this.#namesOf(saved.path)) {
      const count = (counts.get(name) ?? 1) - 1
      if (count > 0) counts.set(name, count)
      else counts.delete(name)
    }
  }

  /** Whether the inode of a file is that of something saved, and the file still what was saved of it, or what follows that. */
  recognize(file: SeenFile): boolean {
    const here = this.#saved.of(String(file.facts.inode))
    // Where births are not known, an inode that was given again is of several: the one that still has these bytes comes first.
    return (
      here.some((saved) => this.#resume(saved, file, 'resume')) ||
      here.some((saved) => this.#resume(saved, file, 'replaced'))
    )
  }

  #resume(saved: SavedGeneration, file: SeenFile, wanted: 'resume' | 'replaced'): boolean {
    if (saved.packing !== null) return wanted === 'resume' && this.#resumePacked(saved, file)
    this.#saved.seen(saved)
    return this.#p.descriptors.with(file, true, (opened) => {
      const { disk } = this.#p
      const { descriptor, facts } = opened
      const guard = guardAt(disk, descriptor, saved.offset)
      const resume = resumeAt({
        sameBirth: sameBirth(BigInt(saved.birthNs), facts.birthNs),
        sameBeginning: saved.fingerprint === null ? undefined : beginsWith(disk, descriptor, saved.fingerprint),
        sizeBytes: facts.sizeBytes,
        offsetBytes: saved.offset,
        guardHolds: hashOf(guard) === saved.guardHash,
      })
      this.#saved.opened(saved)
      if (resume === 'other') this.#saved.outlived(saved)
      // Where births are not known, the name has to speak for an inode number that is given again.
      const isElsewhere = saved.birthNs === '0' && file.path !== (saved.currentPath ?? saved.path)
      if (resume !== wanted || (isElsewhere && (resume === 'replaced' || saved.fingerprint === null))) return false
      this.#remove(saved)
      const generation = this.#restore(saved, file.path === saved.path ? 'last' : 'rotated')
      if (resume === 'resume') {
        this.#p.family.own(generation, opened.facts, file.path)
        generation.guard = guard
        this.#p.descriptors.hold(generation, opened)
        if (file.path !== saved.path) generation.stage = 'rotated'
        this.#p.happened({ kind: 'resumed', generation })
        this.#p.look(generation)
        return true
      }
      const successor = this.#p.family.makeAfter(generation)
      this.#p.family.own(successor, opened.facts, file.path)
      this.#p.descriptors.hold(successor, opened)
      this.#p.ended(generation, 'its inode holds another content than before the restart')
      this.#p.look(successor)
      return true
    })
  }

  /** An archive does not change: it is the same one, or another file. */
  #resumePacked(saved: SavedGeneration, file: SeenFile): boolean {
    this.#saved.seen(saved)
    return this.#p.descriptors.with(file, true, ({ descriptor, facts }) => {
      this.#saved.opened(saved)
      if (!sameBirth(BigInt(saved.birthNs), facts.birthNs)) return false
      if (packingIn(this.#p.disk, descriptor) !== saved.packing) return false
      this.#remove(saved)
      const generation = this.#restore(saved)
      generation.stage = 'rotated'
      generation.archiveStamp = stampOf(facts)
      generation.goneWhy = 'its archive was written again while Remora was not running, with other bytes'
      if (saved.finished) this.#p.family.own(generation, facts, file.path)
      // Read through once more, and compared with what is known of it.
      else this.#rest.want(generation, 'archive')
      this.#p.happened({ kind: 'resumed', generation })
      return true
    })
  }

  #restore(saved: SavedGeneration, place: 'last' | 'rotated' | 'first' = 'last'): Generation {
    const generation = this.#make(saved, place)
    generation.id = saved.id ?? undefined
    generation.anchor = saved.anchor ?? undefined
    generation.bannerTo = saved.bannerTo
    generation.packing = saved.packing ?? undefined
    generation.fingerprint = saved.fingerprint ?? undefined
    generation.offset = saved.offset
    generation.skipping = saved.skipping
    generation.searchAgain()
    generation.savedGuardHash = saved.guardHash
    generation.marks = saved.marks
    generation.sizeBytes = saved.sizeBytes
    generation.provenBytes = saved.sizeBytes
    generation.finished = saved.finished
    if (saved.seenMs !== undefined) generation.seenMs = saved.seenMs
    generation.former = { inode: BigInt(saved.inode), birthNs: BigInt(saved.birthNs) }
    generation.anchorUsed = saved.anchor !== null
    this.#p.restored(generation)
    return generation
  }

  #make({ path, epoch, birthNs }: SavedGeneration, place: 'last' | 'rotated' | 'first'): Generation {
    const { family, isThere } = this.#p
    if (place === 'last') return family.make(path, epoch)
    return place === 'first'
      ? family.makeGone(path, epoch, BigInt(birthNs))
      : family.makeRotated(path, BigInt(birthNs), isThere, epoch)
  }

  /** What the state knows and a look at everything has not shown. */
  *search(files: readonly SeenFile[]): Steps<void> {
    const missing = this.#saved.missing(this.#p.isUnsure)
    if (missing.length === 0) return
    const free = this.#rest.free(files)
    const byInode = Map.groupBy(files, ({ facts }) => String(facts.inode))
    for (const saved of missing) {
      yield
      this.#remove(saved)
      const generation = this.#restore(saved, 'first')
      generation.stage = 'replaced'
      generation.goneWhy = 'it was deleted while Remora was not running'
      if (generation.fingerprint === undefined) this.#p.gone(generation)
      // Its inode is gone, yet a copy or an archive of its content may be there.
      else {
        // Its inode is gone, so it was hardly truncated: where nothing tells, what begins alike is rather another one.
        const isThere = ({ facts }: SeenFile) => sameBirth(facts.birthNs, BigInt(saved.birthNs))
        const isDeleted = !(byInode.get(saved.inode) ?? []).some(isThere)
        const isArchived = generation.finished || (isDeleted && generation.anchor === undefined)
        this.#rest.want(generation, isArchived ? 'archive' : 'copy')
        if (this.#rest.take(generation, free)) generation.wanted = undefined
      }
    }
  }
}
