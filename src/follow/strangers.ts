import { holdsPacked, packingIn } from './archives.ts'
import type { Generation } from './generation.ts'
import {
  fingerprintOf,
  guardAt,
  hashOf,
  holdsRestOf,
  isIntact,
  keyOf,
  readFully,
  type Fingerprint,
} from './identity.ts'
import { limits } from '../base/limits.ts'
import { noteAnchor } from './naming.ts'
import type { Opened } from './opening.ts'
import type { Parts } from './parts.ts'
import type { Probe } from './probing.ts'
import type { Rest } from './rest.ts'
import { strangerIs } from './rotation.ts'
import { broken, type SeenFile } from './seen.ts'

/** Files whose inode nobody knows: a content of their own, a copy, an archive, or nothing of ours. */
export class Strangers {
  readonly #p: Parts
  readonly #rest: Rest

  constructor(parts: Parts, rest: Rest) {
    this.#p = parts
    this.#rest = rest
  }

  /** @param early  it may be of something that the state knows, and that was not found yet */
  observe(file: SeenFile, early: boolean, firstLook: boolean): void {
    const looksRotated = file.before.length > 0
    if (!file.matched && !looksRotated) return
    if (looksRotated && early) return
    const bornMs = file.facts.birthNs > 0n ? Number(file.facts.birthNs / 1_000_000n) : file.facts.modifiedMs
    const bornSince = bornMs >= this.#p.sinceMs
    if (!file.matched && !bornSince) return
    const known = this.#p.archives.known(file)
    if (known !== undefined) {
      return this.#packed(file, known, firstLook)
    }
    this.#p.descriptors.with(file, undefined, (opened) => {
      if (this.#isPacked(file, opened)) return
      const mayBeCopy = file.before.some((name) => this.#p.family.hasPath(name))
      const wanted = !file.matched || mayBeCopy
      const fingerprint = wanted ? fingerprintOf(this.#p.disk, opened.descriptor, false) : undefined
      const owner = fingerprint && this.#ownerOf(file, fingerprint.hash, opened)
      // Equal bytes alone prove nothing: a copy is younger than its file. Where births are not known, the file must be
      // truncated soon, or it is a file of its own.
      const younger = owner !== undefined && owner.birthNs > 0n && opened.facts.birthNs > owner.birthNs
      const sure = owner !== undefined && (owner.stage === 'replaced' || owner.key === '' || younger)
      const unborn = opened.facts.birthNs === 0n || owner?.birthNs === 0n || owner?.birthNs === opened.facts.birthNs
      const doubtful = owner !== undefined && !sure && unborn && this.#p.copies.isDoubtful(keyOf(opened.facts))
      const decision = strangerIs({
        matched: file.matched,
        looksRotated,
        mayBeCopy,
        bornSince,
        hasFingerprint: fingerprint !== undefined && !doubtful,
        copyOfKnown: sure,
      })
      if (decision === 'new' || decision === 'missed') this.#begin(file, opened, decision, firstLook)
      if (decision !== 'copy' || owner === undefined) return
      const { birthNs, sizeBytes } = opened.facts
      const tail = guardAt(this.#p.disk, opened.descriptor, sizeBytes)
      this.#p.copies.add(keyOf(opened.facts), { owner, birthNs, sizeBytes, tail })
      this.#p.happened({
        kind: 'copy',
        generation: owner,
        why: younger ? 'younger, with equal bytes' : 'its file is gone',
      })
    })
  }

  /** An archive that nobody has claimed yet: of a content that is known, or of one that was never seen. */
  #packed(file: SeenFile, inside: Probe, firstLook: boolean): void {
    const { birthNs, sizeBytes } = file.facts
    const owner = this.#p.family.ofNames(file).find((generation) => this.#isPackedForm(inside, generation))
    if (owner !== undefined) {
      this.#p.copies.add(keyOf(file.facts), { owner, birthNs, sizeBytes, tail: undefined })
      this.#p.happened({ kind: 'copy', generation: owner, why: 'an archive of it' })
      return
    }
    if (inside.bytes === 0) {
      if (inside.failure !== undefined) this.#p.happened(broken(file.path, inside.failure))
      return
    }
    this.#p.descriptors.with(file, undefined, (opened) => {
      const generation = this.#p.family.makeRotated(this.#pathFor(file, true), 0n)
      if (firstLook && this.#p.startAtEnd) generation.offset = inside.bytes
      this.#p.happened({ kind: 'missed', generation })
      this.#rest.attachPacked(generation, file, opened, inside)
    })
  }

  /** Whether an archive has all bytes of a generation that ended, or of one that is read elsewhere. */
  #isPackedForm(inside: Probe, generation: Generation): boolean {
    if (!holdsPacked(inside, generation)) return false
    if (generation.descriptor === -1 || generation.packing !== undefined) return true
    if (inside.bytes !== generation.sizeBytes) return false
    return inside.guards.get(inside.bytes) === hashOf(guardAt(this.#p.disk, generation.descriptor, inside.bytes))
  }

  /** The name that its lines were written under. No application writes into an archive. */
  #pathFor(file: SeenFile, packed: boolean): string {
    if (file.matched && !packed) return file.path
    return file.before.find((name) => this.#p.family.hasPath(name)) ?? (file.matched ? file.path : file.before[0]!)
  }

  #begin(file: SeenFile, opened: Opened, decision: 'new' | 'missed', firstLook: boolean): void {
    const path = this.#pathFor(file, false)
    const fromEnd = decision === 'new' && firstLook && this.#p.startAtEnd
    const start = fromEnd ? this.#endOf(opened) : undefined
    const generation =
      decision === 'missed' ? this.#p.family.makeRotated(path, opened.facts.birthNs) : this.#p.family.make(path, 0)
    this.#p.family.own(generation, opened.facts, file.path)
    this.#p.descriptors.hold(generation, opened)
    if (decision === 'missed') generation.stage = 'rotated'
    if (start !== undefined) {
      generation.offset = opened.facts.sizeBytes
      generation.searchAgain()
      generation.fingerprint = start.fingerprint
      generation.guard = start.guard
      // In the middle of a line: it begins before the end, so it is not ours.
      generation.skipping = start.guard.length > 0 && start.guard.at(-1) !== 10
    }
    noteAnchor(this.#p.names, generation, readFully(this.#p.disk, generation.descriptor, limits.headBytesMax, 0))
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

  /** The generation that this file is a copy of, whole or still being made. */
  #ownerOf(file: SeenFile, hash: string, opened: Opened): Generation | undefined {
    const { disk } = this.#p
    for (const generation of this.#p.family.generations) {
      if (!file.before.includes(generation.path) || generation.packing !== undefined) continue
      if (generation.descriptor !== -1) generation.fingerprint ??= fingerprintOf(disk, generation.descriptor, false)
      if (generation.fingerprint?.hash !== hash) continue
      if (this.#p.descriptors.reopen(generation)) {
        // A copy has no more than its file, for that only grows.
        const at = opened.facts.sizeBytes
        const fits = at <= disk.sizeOf(generation.descriptor).sizeBytes
        if (fits && guardAt(disk, opened.descriptor, at).equals(guardAt(disk, generation.descriptor, at))) {
          // Only the file that still has its name can be truncated behind a copy: a rotated one is just alike.
          if (generation.stage === 'live') return generation
          continue
        }
        // Last, for it may have been truncated just now.
        if (!isIntact(this.#p.disk, generation)) this.#p.replaced(generation, 'a copy of it has what it held before')
      }
      // The oldest that fits: with equal beginnings a later life would fit as well.
      const wanted = generation.key === '' && generation.copies.size === 0
      if (wanted && holdsRestOf(disk, generation, opened.descriptor)) return generation
    }
    return undefined
  }
}
