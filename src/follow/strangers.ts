import type { Disk } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { beginsLike, holdsPacked, packingIn } from './archives.ts'
import type { Generation } from './generation.ts'
import {
  beginsWith,
  fingerprintOf,
  guardAt,
  hashOf,
  isIntact,
  isTooYoung,
  keyOf,
  readBriefly,
  readFully,
  type Fingerprint,
} from './identity.ts'
import { markBefore } from './marks.ts'
import { findAnchor } from './names.ts'
import { holdsRestOf, noteAnchor, widen } from './naming.ts'
import type { Opened, Refusal } from './opening.ts'
import type { Parts } from './parts.ts'
import type { Probe } from './probing.ts'
import type { Rest } from './rest.ts'
import { strangerIs } from './rotation.ts'
import { broken, directoryOf, isNamedAlike, mayHold, type SeenFile } from './seen.ts'

/** Files whose inode nobody knows: a content of their own, a copy, an archive, or nothing of ours. */
export class Strangers {
  readonly #p: Parts
  readonly #rest: Rest
  /** Files that it was too early to say anything of, and since when; of this look at everything, and of the one before. */
  #early = new Map<string, number>()
  #earlyBefore: ReadonlyMap<string, number> = new Map()

  constructor(parts: Parts, rest: Rest) {
    this.#p = parts
    this.#rest = rest
  }

  beginLook(everything: boolean): void {
    if (!everything) return
    this.#earlyBefore = this.#early
    this.#early = new Map()
  }

  /** What the state knows may never be found, or not be readable: others do not wait for it without end. */
  #hasWaited({ facts }: SeenFile): boolean {
    const key = keyOf(facts)
    const nowMs = this.#p.clock.monotonicMs()
    const sinceMs = this.#early.get(key) ?? this.#earlyBefore.get(key) ?? nowMs
    this.#early.set(key, sinceMs)
    return nowMs - sinceMs >= limits.copyDoubtMs
  }

  /** @param early  it may be of something that the state knows, and that was not found yet */
  observe(file: SeenFile, early: boolean, firstLook: boolean): void {
    const looksRotated = file.before.length > 0
    if (!file.matched && !looksRotated) return
    if (looksRotated && early && !this.#hasWaited(file)) return this.#p.elders.undecided(file)
    const bornMs = file.facts.birthNs > 0n ? Number(file.facts.birthNs / 1_000_000n) : file.facts.modifiedMs
    const bornSince = bornMs >= this.#p.sinceMs
    if (!file.matched && !bornSince) return
    const inside = this.#p.archives.known(file)
    if (inside !== undefined) return this.#packed(file, inside, firstLook)
    if (this.#p.archives.isWaiting(file)) return
    this.#open(file, (opened) => {
      if (this.#isPacked(file, opened)) return
      const mayBeCopy = file.before.some((name) => this.#p.family.hasPath(name))
      const wanted = !file.matched || mayBeCopy
      const fingerprint = wanted ? fingerprintOf(this.#p.disk, opened.descriptor, false) : undefined
      const former = this.#p.copies.ownerOf(keyOf(opened.facts))
      const owner = fingerprint && this.#ownerOf(file, opened, former)
      const { disk } = this.#p
      const { descriptor, facts } = opened
      const outrun =
        owner === undefined &&
        this.#isOutrun(
          file,
          facts.sizeBytes,
          () => headOf(disk, opened),
          (known) => beginsWith(disk, descriptor, known),
          (at) => hashOf(guardAt(disk, descriptor, at)),
        )
      if (outrun) {
        if (!this.#isSettled(outrun, file)) return
        this.#settle(file, outrun, guardAt(disk, descriptor, facts.sizeBytes), facts.sizeBytes)
        return
      }
      // Equal bytes alone prove nothing: a copy is younger than its file, and that is truncated soon. Otherwise it is a file
      // of its own, unless a line tells.
      const younger = owner !== undefined && owner.birthNs > 0n && opened.facts.birthNs > owner.birthNs
      const isStill = owner === former || owner?.stage === 'replaced' || owner?.key === ''
      const told = owner !== undefined && tells(headOf(this.#p.disk, opened))
      const sure = owner !== undefined && (isStill || told)
      const unborn = opened.facts.birthNs === 0n || owner?.birthNs === 0n || owner?.birthNs === opened.facts.birthNs
      const mayBe = owner !== undefined && !sure && (unborn || younger)
      const doubtful = mayBe && this.#p.copies.isDoubtful(file)
      const decision = strangerIs({
        matched: file.matched,
        looksRotated,
        mayBeCopy,
        bornSince,
        hasFingerprint: fingerprint !== undefined && !doubtful,
        copyOfKnown: sure,
      })
      if (former !== undefined && decision !== 'copy') this.#p.copies.drop(file)
      if (decision === 'new' || decision === 'missed') this.#begin(file, opened, decision, firstLook)
      if (decision !== 'copy' || owner === undefined) return
      const tail = guardAt(this.#p.disk, opened.descriptor, opened.facts.sizeBytes)
      this.#p.copies.add({ ...file, facts: opened.facts }, owner, tail)
      this.#p.happened({
        kind: 'copy',
        generation: owner,
        why: told ? 'equal bytes, with a time or a counter' : 'its file is gone',
      })
    })
  }

  /** What cannot be opened is nobody's, and missed by nobody: it is remembered. */
  #open(file: SeenFile, use: (opened: Opened) => void): void {
    const { descriptors, unopened } = this.#p
    // Of this file: while it is in use others are opened, and refused, too.
    let refusal: Refusal | undefined
    try {
      const isOpen = descriptors.with(file, false, (opened) => {
        use(opened)
        return true
      })
      if (!isOpen) refusal = descriptors.refusal
    } catch (error) {
      if (codeOf(error) === '') throw error
      refusal = { code: codeOf(error), message: messageOf(error), wayOut: triedAgain }
      throw error
    } finally {
      if (refusal === undefined) unopened.opened(file)
      // A symlink, what lies outside the roots, and Remora's own, is not to be read at all.
      else if (!isLeftAlone(refusal) && (unopened.has(file) || !this.#mayBeOfAnother(file)))
        unopened.refused(file, refusal)
    }
  }

  /** It may be a copy or an archive of what is known, which is missed if that was not wholly read. */
  #mayBeOfAnother(file: SeenFile): boolean {
    const { birthNs } = file.facts
    const isYounger = (other: Generation) => birthNs === 0n || other.birthNs === 0n || other.birthNs <= birthNs
    return this.#p.family.ofNames(file).some(isYounger)
  }

  /** Whether what was written over in place is a copy of something else: then it is remembered as that. */
  isCopy(suspect: Generation, file: SeenFile): boolean {
    const { copies, disk, descriptors } = this.#p
    return descriptors.with(file, false, (opened) => {
      const owner = this.#ownerOf(file, opened, undefined, suspect)
      if (owner === undefined || !(owner.key === '' || tells(headOf(disk, opened)))) return false
      const tail = guardAt(disk, opened.descriptor, opened.facts.sizeBytes)
      descriptors.release(suspect)
      this.#p.forget(suspect)
      copies.add({ ...file, facts: opened.facts }, owner, tail)
      this.#p.happened({ kind: 'copy', generation: owner, why: 'written over an older copy' })
      return true
    })
  }

  /** An archive that nobody has claimed yet: of a content that is known, or of one that was never seen. */
  #packed(file: SeenFile, inside: Probe, firstLook: boolean): void {
    const nowMs = this.#p.clock.nowMs()
    const owner = this.#p.family
      .ofNames(file)
      .find((generation) => !isTooYoung(generation, file.facts, nowMs) && this.#isPackedForm(inside, generation))
    if (owner !== undefined) {
      this.#p.copies.add(file, owner, undefined)
      this.#p.happened({ kind: 'copy', generation: owner, why: 'an archive of it' })
      return
    }
    if (this.#isUncompared(file, inside)) {
      this.#p.descriptors.with(file, undefined, (opened) =>
        this.#rest.examine(file, opened, this.#p.family.ofNames(file)),
      )
      return
    }
    const outrun = this.#isOutrun(
      file,
      inside.bytes,
      () => inside.head,
      (known) => beginsLike(inside, known),
      (at) => inside.guards.get(at),
    )
    if (outrun !== undefined) {
      if (!this.#isSettled(outrun, file)) return
      const generation = this.#settle(file, outrun, Buffer.alloc(0), inside.bytes)
      generation.packing = inside.packing
      generation.savedGuardHash = inside.guards.get(inside.bytes)
      return
    }
    const quietMs = this.#p.clock.nowMs() - file.facts.modifiedMs
    if (codeOf(inside.failure) === 'ARCHIVE_CUT' && quietMs >= 0 && quietMs < limits.archiveCutQuietMs) return
    if (inside.bytes === 0) {
      if (inside.failure !== undefined) this.#p.happened(broken(file.path, inside.failure))
      return
    }
    this.#p.descriptors.with(file, undefined, (opened) => {
      const generation = this.#p.family.makeRotated(this.#pathFor(file, true), 0n, this.#p.isThere)
      if (firstLook && this.#p.startAtEnd) generation.offset = inside.bytes
      this.#p.happened({ kind: 'missed', generation })
      this.#replace(file, inside.bytes, generation, true)
      this.#rest.attachPacked(generation, file, opened, inside)
    })
  }

  /** A content that was gone before anybody could read it is in this file, as far as anybody can know. */
  #replace(file: SeenFile, sizeBytes: number, holder: Generation, packed: boolean): void {
    this.#p.unopened.found(file, holder, packed)
    const unread = this.#p.family
      .wanting()
      .find((other) => other.fingerprint === undefined && other.sizeBytes <= sizeBytes && mayHold(file, other))
    if (unread !== undefined) this.#p.forget(unread)
  }

  /** What begins like it came to be known while it was read through: it is compared once more, where that one's reading stands. */
  #isUncompared(file: SeenFile, inside: Probe): boolean {
    return this.#p.family.ofNames(file).some(({ descriptor, fingerprint, offset }) => {
      if (descriptor !== -1 || fingerprint === undefined || offset === 0 || offset > inside.bytes) return false
      return !inside.guards.has(offset) && beginsLike(inside, fingerprint)
    })
  }

  /** Whether an archive has the bytes of a generation: of one that is gone, or up to its end of one that is there. */
  #isPackedForm(inside: Probe, generation: Generation): boolean {
    const { disk, descriptors } = this.#p
    if (generation.packing !== undefined || !descriptors.reopen(generation)) return holdsPacked(inside, generation)
    if (inside.bytes === 0 || inside.bytes > generation.sizeBytes) return false
    const { descriptor } = generation
    const begins = readFully(disk, descriptor, Math.min(inside.bytes, inside.head.length), 0).equals(inside.head)
    return begins && inside.guards.get(inside.bytes) === hashOf(guardAt(disk, descriptor, inside.bytes))
  }

  /**
   * A content is gone that was read further than this file has it: lines came between copy and truncation. Nothing in it
   * is left to read, and it is remembered as that.
   */
  #isOutrun(
    file: SeenFile,
    sizeBytes: number,
    head: () => Uint8Array,
    begins: (fingerprint: Fingerprint) => boolean,
    guardAtMark: (offset: number) => string | undefined,
  ): Generation | undefined {
    return this.#p.family.wanting().find((owner) => {
      const { offset, fingerprint, marks } = owner
      if (offset <= sizeBytes || fingerprint === undefined || !mayHold(file, owner)) return false
      if ((owner.former ?? owner).inode === file.facts.inode || !tells(head())) return false
      // The same beginning proves nothing: it may have been cut shorter, and written on.
      const mark = markBefore(marks, sizeBytes)
      if (mark === undefined || mark.offset <= fingerprint.bytes) return false
      const isNear = sizeBytes - mark.offset <= Math.max(limits.quantumBytes, 4 * (offset - sizeBytes))
      return isNear && begins(fingerprint) && guardAtMark(mark.offset) === mark.hash
    })
  }

  /** What was read further may still have to be read again, here: after a crash, before its verdicts are in. */
  #isSettled(owner: Generation, file: SeenFile): boolean {
    const settled = this.#p.settled(owner)
    owner.outrunIn = settled ? undefined : directoryOf(file.path)
    return settled
  }

  #settle(file: SeenFile, owner: Generation, guard: Buffer, sizeBytes: number): Generation {
    const generation = this.#p.family.makeRotated(owner.path, 0n, this.#p.isThere)
    generation.fingerprint = owner.fingerprint
    generation.offset = sizeBytes
    generation.sizeBytes = sizeBytes
    generation.provenBytes = sizeBytes
    generation.guard = guard
    generation.searchAgain()
    generation.stage = 'rotated'
    generation.finished = true
    generation.bannerTo = Infinity
    this.#p.family.own(generation, file.facts, file.path)
    this.#p.happened({ kind: 'copy', generation: owner, why: 'the same beginning, and shorter than what was read' })
    return generation
  }

  /** The name that its lines were written under. No application writes into an archive. */
  #pathFor(file: SeenFile, packed: boolean): string {
    if (file.matched && !packed) return file.path
    return file.before.find((name) => this.#p.family.hasPath(name)) ?? (file.matched ? file.path : file.before[0]!)
  }

  #begin(file: SeenFile, opened: Opened, decision: 'new' | 'missed', firstLook: boolean): void {
    const path = this.#pathFor(file, false)
    const hasElders = this.#p.family.hasPath(path) || this.#p.isSaved(path)
    const fromEnd = decision === 'new' && firstLook && this.#p.startAtEnd
    const start = fromEnd ? this.#endOf(opened) : undefined
    const generation =
      decision === 'missed'
        ? this.#p.family.makeRotated(path, opened.facts.birthNs, this.#p.isThere)
        : this.#p.family.make(path, 0)
    this.#p.family.own(generation, opened.facts, file.path)
    this.#p.descriptors.hold(generation, opened)
    if (hasElders) this.#p.elders.holdBack(generation)
    if (decision === 'missed') generation.stage = 'rotated'
    if (start !== undefined) {
      generation.offset = opened.facts.sizeBytes
      generation.searchAgain()
      generation.fingerprint = start.fingerprint
      generation.guard = start.guard
      // In the middle of a line: it begins before the end, so it is not ours.
      generation.skipping = start.guard.length > 0 && start.guard.at(-1) !== 10
    }
    noteAnchor(this.#p.names, generation, readBriefly(this.#p.disk, generation.descriptor, limits.headBytesMax, 0))
    if (decision === 'missed' || file.before.length > 0) this.#replace(file, opened.facts.sizeBytes, generation, false)
    this.#p.happened({ kind: decision === 'new' ? 'found' : 'missed', generation })
    this.#p.look(generation)
  }

  #endOf({ descriptor, facts }: Opened): { fingerprint: Fingerprint | undefined; guard: Buffer } {
    const { disk } = this.#p
    return { fingerprint: fingerprintOf(disk, descriptor, false), guard: guardAt(disk, descriptor, facts.sizeBytes) }
  }

  /** A packed file is no text, whatever its name says: it is read through before anything is decided. */
  #isPacked(file: SeenFile, opened: Opened): boolean {
    const packing = packingIn(this.#p.disk, opened.descriptor)
    if (packing === undefined) return false
    if (packing !== 'other') {
      this.#rest.examine(file, opened, this.#p.family.ofNames(file))
    } else if (file.matched) {
      this.#p.happened({
        kind: 'refused',
        path: file.path,
        code: 'COMPRESSED',
        message: 'it is compressed in a way that Remora does not read',
        wayOut: 'Have it compressed with gzip or zstd, or leave compressed files out with REMORA_EXCLUDE.',
      })
    }
    return true
  }

  /**
   * The generation that this file is a copy of, whole or still being made.
   *
   * @param former  the one that it was a copy of when it was smaller
   * @param except  not this one
   */
  #ownerOf(
    file: SeenFile,
    opened: Opened,
    former: Generation | undefined,
    except?: Generation,
  ): Generation | undefined {
    const { disk } = this.#p
    const nowMs = this.#p.clock.nowMs()
    for (const generation of this.#p.family.generations) {
      if (generation === except || generation.packing !== undefined || !mayHold(file, generation)) continue
      if (isNamedAlike(file, generation) && this.#p.descriptors.reopen(generation)) {
        const at = opened.facts.sizeBytes
        // First, for it may be truncated just now.
        const wasIntact = isIntact(disk, generation)
        if (isPartOf(disk, opened.descriptor, at, generation.descriptor)) {
          if (!wasIntact) {
            // The file was emptied and written again, and that is what was copied: of what follows in it.
            this.#p.replaced(generation, 'a copy of it has what it holds now')
            continue
          }
          // Read by nobody yet, it may be emptied before it is: all that begins alike is known of it now.
          generation.fingerprint ??= fingerprintOf(disk, generation.descriptor, false)
          const head = headOf(disk, opened).subarray(0, at)
          widen(generation, head, head.length)
          // Only the file that still has its name can be truncated behind a copy: a rotated one may be just alike.
          if (generation.stage === 'live' || generation === former || tells(headOf(disk, opened))) return generation
          continue
        }
        // Last, for it may have been truncated just now.
        const { fingerprint } = generation
        if (fingerprint === undefined || !beginsWith(disk, opened.descriptor, fingerprint)) continue
        if (!isIntact(disk, generation)) this.#p.replaced(generation, 'a copy of it has what it held before')
      }
      // The oldest that fits: with equal beginnings a later life would fit as well.
      const isOnly = generation.copies.size === 0 || generation === former || generation.anchor !== undefined
      // Where nothing tells and its inode is gone, what begins alike is rather another one.
      const isLikely = generation.anchor !== undefined || generation.wanted !== 'archive' || generation === former
      const wanted = generation.key === '' && isOnly && isLikely && !isTooYoung(generation, opened.facts, nowMs)
      if (wanted && holdsRestOf(disk, generation, opened.descriptor)) return generation
    }
    return undefined
  }
}

const triedAgain = 'It is tried again at each scan.'

function isLeftAlone({ code }: Refusal): boolean {
  return code === 'OUTSIDE_ROOT' || code === 'OWN_STATE' || code === 'ELOOP'
}

/** Whether bytes that two contents begin with are those of no third one: a line with a time or a counter is among them. */
function tells(head: Uint8Array): boolean {
  return findAnchor(head, 0, false).kind === 'found'
}

/** Whether the first `at` bytes of two open files are equal, as far as beginning and end tell. A file only grows. */
function isPartOf(disk: Disk, copy: number, at: number, file: number): boolean {
  if (at > disk.sizeOf(file).sizeBytes) return false
  const length = Math.min(at, limits.headBytesMax)
  return (
    readFully(disk, copy, length, 0).equals(readFully(disk, file, length, 0)) &&
    guardAt(disk, copy, at).equals(guardAt(disk, file, at))
  )
}

function headOf(disk: Disk, { descriptor }: Opened): Buffer {
  return readFully(disk, descriptor, limits.headBytesMax, 0)
}
