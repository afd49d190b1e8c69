import type { Steps } from '../base/steps.ts'
import { encodingOf } from '../base/charset.ts'
import { holdsPacked, packingIn } from './archives.ts'
import { limits } from '../base/limits.ts'
import { FreeFiles } from './free-files.ts'
import type { Generation } from './generation.ts'
import { guardAt, isTooYoung, keyOf } from './identity.ts'
import { holdsRestOf, nameLines, noteAnchor } from './naming.ts'
import type { Opened } from './opening.ts'
import type { Parts } from './parts.ts'
import type { Probe } from './probing.ts'
import { directoryOf, mayHold, stampOf, type SeenFile } from './seen.ts'

/** Contents whose inode is gone: what was not read of them goes on in a copy or an archive. */
export class Rest {
  readonly #p: Parts
  #searching = false
  /** When that is no more to be put off, monotonic. */
  #searchAtMs = Infinity
  #wanting: readonly Generation[] = []

  constructor(parts: Parts) {
    this.#p = parts
  }

  /** It may be in any directory: the next look must bring everything. */
  get searching(): boolean {
    return this.#searching || this.#p.clock.monotonicMs() >= this.#searchAtMs
  }

  /** When `searching` begins by itself, monotonic; Infinity: it does not. */
  get searchAtMs(): number {
    return this.#searching ? Infinity : this.#searchAtMs
  }

  /** After a while it is not looked for any more; not before the state needs it no longer. */
  isGivenUp(generation: Generation): boolean {
    if (generation.wanted === undefined || !this.#p.settled(generation)) return false
    if (this.#p.archives.mayHold(generation)) return false
    // A copy that is shorter would be a stranger.
    if (generation.copies.size > 0 && generation.unreadBytes === 0) return false
    // Nobody could look.
    return !this.#p.isUnsure(generation.path)
  }

  /** All of it has its verdict now, and a copy that is shorter can be told to be one. False: there is none. */
  looksForOutrun(generation: Generation): boolean {
    const { outrunIn } = generation
    if (outrunIn === undefined) return false
    generation.outrunIn = undefined
    generation.changedAtMs = this.#p.clock.monotonicMs()
    this.#p.lookAgain(outrunIn)
    return true
  }

  /** What is wanted before a look: a copy is made before its file is truncated, so the listing has it. */
  beginLook(everything: boolean): void {
    this.#wanting = this.#p.family.wanting()
    if (!everything) return
    this.#searching = false
    this.#searchAtMs = Infinity
  }

  /** Files that are nobody's: asked once for each, not for each that looks for one. */
  free(files: readonly SeenFile[]): FreeFiles {
    const { family, copies } = this.#p
    const free = files.filter(
      ({ path, before, facts }) =>
        (before.length > 0 || family.hasPath(path)) && family.withKey(keyOf(facts)) === undefined,
    )
    return new FreeFiles(free, ({ facts }) => copies.ownerOf(keyOf(facts)) !== undefined)
  }

  /** Goes on in what the look has found. */
  *endLook(files: readonly SeenFile[]): Steps<void> {
    if (this.#wanting.length === 0) return
    const free = this.free(files)
    for (const generation of this.#wanting) {
      yield
      if (generation.wanted !== undefined && this.take(generation, free)) generation.wanted = undefined
    }
  }

  /** A listing had missed the file while its directory was renamed, or could not be read: it is there all the same. */
  isBack(file: SeenFile): boolean {
    const { facts, path } = file
    for (const generation of this.#wanting) {
      if (generation.wanted === undefined || generation.packing !== undefined || generation.isEmptied) continue
      const { inode, birthNs } = generation.former ?? generation
      if (inode !== facts.inode || birthNs !== facts.birthNs) continue
      // Its inode may have been emptied, or without births be another file's.
      this.#p.descriptors.refusedLast = false
      if (!this.#isContentOf(file, generation)) {
        if (!this.#waitsForRefused(generation)) continue
        return true
      }
      generation.wanted = undefined
      generation.stage = path === generation.path ? 'live' : 'rotated'
      this.#p.family.own(generation, facts, path)
      return true
    }
    return false
  }

  /** Takes the bytes before its offset along: after a restart they were not read again. */
  #isContentOf(file: SeenFile, generation: Generation): boolean {
    if (generation.offset === 0 && file.facts.birthNs === 0n) return false
    return this.#p.descriptors.with(file, false, ({ descriptor }) => {
      if (generation.fingerprint !== undefined && !holdsRestOf(this.#p.disk, generation, descriptor)) return false
      generation.guard = guardAt(this.#p.disk, descriptor, generation.offset)
      return true
    })
  }

  /**
   * Looks for the rest of a content in a copy, or in an archive only, from the next look on.
   *
   * @param isUrgent  false: nothing of it is unread, and one look at everything will do for several of them
   */
  want(generation: Generation, wanted: 'copy' | 'archive', isUrgent = true): void {
    generation.changedAtMs = this.#p.clock.monotonicMs()
    this.#p.family.want(generation, wanted)
    generation.wantedSinceMs = this.#p.clock.nowMs()
    if (isUrgent) this.#searching = true
    else this.#searchAtMs = Math.min(this.#searchAtMs, this.#p.clock.monotonicMs() + limits.removalsSearchMs)
    this.#p.lookAgain(directoryOf(generation.path))
  }

  /** Goes on in a copy or an archive of a content that is gone. False: there is none in the last listings. */
  take(generation: Generation, free: FreeFiles): boolean {
    if (generation.fingerprint === undefined) return false
    const files = free.of(generation)
    // Rather in a copy than in its archive: what is packed is known as a form of the copy, but not the other way round.
    const isCopy = ({ facts }: SeenFile) => Number(this.#p.copies.isPlain(keyOf(facts)))
    const ordered = generation.copies.size < 2 ? files : files.toSorted((a, b) => isCopy(b) - isCopy(a))
    return ordered.some((file) => {
      const key = keyOf(file.facts)
      const owner = this.#p.copies.ownerOf(key)
      if (this.#p.family.withKey(key) !== undefined || (owner !== undefined && owner !== generation)) return false
      if (owner === undefined && !mayHold(file, generation)) return false
      if (owner === undefined && isTooYoung(generation, file.facts, this.#p.clock.nowMs())) return false
      this.#p.descriptors.refusedLast = true
      const goesOn = this.#p.tried(file, false, () =>
        this.#p.descriptors.with(file, false, (opened) => this.#goOn(generation, file, opened)),
      )
      this.#waitsForRefused(generation)
      return goesOn
    })
  }

  /** The last file that was to be opened may be what is looked for: not given up before that is known. */
  #waitsForRefused(generation: Generation): boolean {
    const { refusedLast } = this.#p.descriptors
    if (refusedLast) generation.changedAtMs = this.#p.clock.monotonicMs()
    return refusedLast
  }

  #goOn(generation: Generation, file: SeenFile, opened: Opened): boolean {
    const { disk } = this.#p
    const packing = packingIn(disk, opened.descriptor)
    if (packing === 'gzip' || packing === 'zstd') return this.#goOnPacked(generation, file, opened)
    const mayBe = generation.wanted === 'copy' || generation.copies.has(keyOf(opened.facts))
    if (!mayBe || !holdsRestOf(disk, generation, opened.descriptor)) return false
    const guard = guardAt(disk, opened.descriptor, generation.offset)
    // With more to compare, what seemed to be a further copy may be another life with an equal beginning.
    this.#p.copies.forgetOf(generation)
    this.#p.family.own(generation, opened.facts, file.path)
    generation.isEmptied = false
    this.#p.descriptors.hold(generation, opened)
    generation.packing = undefined
    generation.guard = guard
    generation.searchAgain()
    generation.sizeBytes = opened.facts.sizeBytes
    this.#p.readable(generation)
    return true
  }

  #goOnPacked(generation: Generation, file: SeenFile, opened: Opened): boolean {
    const inside = this.#p.archives.known(file)
    const isCompared = generation.offset === 0 || inside?.guards.has(generation.offset) === true
    if (inside === undefined || (!isCompared && inside.bytes >= generation.offset)) {
      this.examine(file, opened, [generation, ...this.#p.family.ofNames(file)])
      return false
    }
    if (!holdsPacked(inside, generation)) return false
    this.#p.copies.forgetOf(generation)
    this.attachPacked(generation, file, opened, inside)
    return true
  }

  attachPacked(generation: Generation, file: SeenFile, opened: Opened, inside: Probe): void {
    const { packing } = inside
    this.#p.archives.forget(keyOf(opened.facts))
    generation.packing = packing
    generation.archiveStamp = stampOf(file.facts)
    this.#p.family.own(generation, opened.facts, file.path)
    generation.wanted = undefined
    generation.stage = 'rotated'
    generation.sizeBytes = inside.bytes
    generation.contentBytes = inside.bytes
    generation.isDamaged = inside.failure !== undefined
    generation.finished = inside.bytes === generation.offset
    generation.encoding = encodingOf(inside.head)
    noteAnchor(this.#p.names, generation, inside.head)
    nameLines(this.#p.names, generation, inside.head, {
      ended: inside.bytes <= inside.head.length,
      patient: false,
    })
    // Further than its head an archive is not looked at for names.
    generation.bannerTo = Infinity
    if (generation.finished) return
    generation.searchAgain()
    // Another one is being read: it waits for its turn.
    if (this.#p.descriptors.unpacking || this.#p.archives.probing) return
    this.#p.descriptors.holdPacked(generation, opened, packing)
    this.#p.look(generation)
  }

  /** Has an archive read through, and compared with what is known of these generations. */
  examine(file: SeenFile, opened: Opened, generations: readonly Generation[]): void {
    const packing = packingIn(this.#p.disk, opened.descriptor)
    if (packing === undefined || packing === 'other') return
    const offsets = generations.flatMap(({ offset, sizeBytes, marks }) => [
      offset,
      sizeBytes,
      ...marks.map((mark) => mark.offset),
    ])
    if (this.#p.archives.examine(file, opened.descriptor, packing, offsets)) this.#p.descriptors.take(opened)
  }
}
