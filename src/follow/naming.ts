import type { Disk } from '../base/disk.ts'
import type { Generation } from './generation.ts'
import { beginsWith, fingerprintIn, guardAt, hashOf, isPiece, isTooShort, readFully } from './identity.ts'
import { findAnchor, type Names } from './names.ts'

/** Notes the anchor of a content that has just been found, so that another one with an equal anchor is known before either has a name. */
export function noteAnchor(names: Names<Generation>, generation: Generation, head: Uint8Array): void {
  const anchor = findAnchor(head, 0, false)
  if (anchor.kind === 'found') note(names, generation, anchor.hash)
}

function note(names: Names<Generation>, generation: Generation, anchorHash: string): void {
  const { anchorHash: noted, basePath } = generation
  if (noted === anchorHash) return
  // Emptied and written anew before anybody had read it.
  if (noted !== undefined) names.forget(generation, basePath, noted)
  generation.anchorHash = anchorHash
  names.note(generation, generation.basePath, anchorHash)
}

/** Lines of it were put into a batch: the name of those behind the anchor is no other content's from now on. */
export function useAnchor(names: Names<Generation>, generation: Generation): void {
  const { anchor, anchorUsed, offset } = generation
  if (anchorUsed || anchor === undefined || offset <= anchor.offset) return
  generation.anchorUsed = true
  names.use(anchor.id)
}

/** Its content is gone. Was no line named by its anchor, the name is left to whatever has the content now. */
export function leaveAnchor(names: Names<Generation>, generation: Generation): void {
  const { anchor, anchorHash, anchorUsed, basePath, id } = generation
  if (anchorUsed || anchorHash === undefined) return
  names.forget(generation, basePath, anchorHash)
  generation.anchorHash = undefined
  if (anchor === undefined) return
  if (id === anchor.id) generation.id = undefined
  generation.anchor = undefined
  generation.bannerTo = 0
}

/** Whether its first bytes may still tell a name. */
export function wantsName({ anchor, bannerTo }: Generation): boolean {
  return anchor === undefined && bannerTo < Infinity
}

/**
 * Finds the names that begin the ids of a generation.
 *
 * @param head     the first bytes of its content, as many as there are, `limits.headBytesMax` at most
 * @param ended    a last line without a newline is one
 * @param patient  a line that may count gets no name before the next one has shown it
 * @param recheck  notes another content with the same anchor again, as it is now
 * @returns        whether such a line waits
 */
export function nameLines(
  names: Names<Generation>,
  generation: Generation,
  head: Uint8Array,
  { ended, patient }: { readonly ended: boolean; readonly patient: boolean },
  recheck: (other: Generation) => void = () => {},
): boolean {
  generation.fingerprint ??= fingerprintIn(head, ended)
  if (!wantsName(generation)) return false
  const { fingerprint, basePath, inode, birthNs, epoch, offset, bannerTo } = generation
  if (fingerprint === undefined) return false
  const facts = { basePath, inode, birthNs, epoch, fingerprintHash: fingerprint.hash }
  const search = findAnchor(head, Math.max(offset, bannerTo), ended)
  widen(generation, head, search.kind === 'none' ? head.length : search.end)
  const waits = search.kind === 'later' && patient && search.offset < search.end
  if (search.kind === 'found') {
    note(names, generation, search.hash)
    for (const other of names.alike(basePath, search.hash)) if (other !== generation) recheck(other)
    generation.anchor = { offset: search.offset, id: names.ofAnchor(facts, search.hash) }
    generation.renamed()
    if (search.offset === 0) generation.id = generation.anchor.id
  } else {
    generation.bannerTo = search.kind === 'none' ? Infinity : waits ? search.offset : search.end
    // After a crash the line that may count must not get another name than it was shipped under.
    if (search.kind === 'later' && !waits && search.offset < search.end) generation.renamed()
    if (generation.bannerTo <= offset) return waits
  }
  if (generation.id === undefined) {
    generation.id = names.ofBanner(facts)
    generation.renamed()
  }
  generation.searchAgain()
  return waits
}

/**
 * The more bytes a fingerprint is made of, the fewer contents have it: as many as there are up to the end of the anchor.
 * They do not change while the content grows.
 */
export function widen(generation: Generation, head: Uint8Array, to: number): void {
  const { fingerprint } = generation
  if (fingerprint === undefined || to <= fingerprint.bytes || to > head.length) return
  if (hashOf(head.subarray(0, fingerprint.bytes)) !== fingerprint.hash) return
  generation.fingerprint = { hash: hashOf(head.subarray(0, to)), bytes: to }
}

/** Whether an open file begins as the generation did and has the same bytes before its offset. */
export function holdsRestOf(disk: Disk, generation: Generation, descriptor: number): boolean {
  const { fingerprint, offset } = generation
  const { sizeBytes } = disk.sizeOf(descriptor)
  if (fingerprint === undefined || sizeBytes < offset || isTooShort(generation, sizeBytes)) return false
  if (!beginsWith(disk, descriptor, fingerprint)) return false
  if (sizeBytes > offset && isPiece(generation, readFully(disk, descriptor, fingerprint.bytes, 0))) return false
  return hashOf(guardAt(disk, descriptor, offset)) === generation.guardHash()
}
