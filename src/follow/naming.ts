import type { Disk } from '../base/disk.ts'
import type { Generation } from './generation.ts'
import { beginsWith, fingerprintIn, guardAt, hashOf } from './identity.ts'
import { findAnchor, type Names } from './names.ts'

/** Notes the anchor of a content that has just been found, so that another one with an equal anchor is known before either has a name. */
export function noteAnchor(names: Names, generation: Generation, head: Uint8Array): void {
  const anchor = findAnchor(head, 0, false)
  if (anchor.kind === 'found') note(names, generation, anchor.hash)
}

function note(names: Names, generation: Generation, anchorHash: string): void {
  if (generation.anchorHash !== undefined) return
  generation.anchorHash = anchorHash
  names.note(generation, generation.basePath, anchorHash)
}

/** Whether its first bytes may still tell a name. */
export function wantsName({ anchor, bannerTo }: Generation): boolean {
  return anchor === undefined && bannerTo < Infinity
}

/**
 * Finds the names that begin the ids of a generation.
 *
 * @param head   the first bytes of its content, as many as there are, `limits.headBytesMax` at most
 * @param ended  a last line without a newline is one
 */
export function nameLines(names: Names, generation: Generation, head: Uint8Array, ended: boolean): void {
  generation.fingerprint ??= fingerprintIn(head, ended)
  if (!wantsName(generation)) return
  const { fingerprint, basePath, inode, birthNs, epoch, offset, bannerTo } = generation
  if (fingerprint === undefined) return
  const facts = { basePath, inode, birthNs, epoch, fingerprintHash: fingerprint.hash }
  const search = findAnchor(head, Math.max(offset, bannerTo), ended)
  widen(generation, head, search.kind === 'found' ? search.end : search.kind === 'none' ? head.length : search.offset)
  if (search.kind === 'found') {
    note(names, generation, search.hash)
    generation.anchor = { offset: search.offset, id: names.ofAnchor(facts, search.hash) }
    generation.durable = false
    if (search.offset === 0) generation.id = generation.anchor.id
  } else {
    generation.bannerTo = search.kind === 'none' ? Infinity : search.offset
    if (generation.bannerTo <= offset) return
  }
  if (generation.id === undefined) {
    generation.id = names.ofBanner(facts)
    generation.durable = false
  }
  generation.searchAgain()
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
  if (fingerprint === undefined || sizeBytes < offset || !beginsWith(disk, descriptor, fingerprint)) return false
  return hashOf(guardAt(disk, descriptor, offset)) === generation.guardHash()
}
