import type { Generation } from './generation.ts'
import { fingerprintIn } from './identity.ts'
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
