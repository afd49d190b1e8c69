import { hash } from 'node:crypto'
import type { Disk, FileFacts } from '../base/disk.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'

/**
 * The hash of a content's first bytes, which do not change while the file grows: its first complete line, 1 KiB of it at most,
 * and later everything up to the first line that tells it from others (`naming.ts`).
 */
export interface Fingerprint {
  readonly hash: string
  /** How many bytes from the start were hashed. */
  readonly bytes: number
}

const newline = 10

export function hashOf(bytes: Uint8Array): string {
  // In one call: an object for each would hold native memory until it is collected, 10,000 files make a hundred thousand of them.
  // Of 32 bytes 15 are kept: 20 characters.
  return hash('sha256', bytes, 'base64url').slice(0, 20)
}

/** Device and inode: the same file while it exists; once it is gone the number may be given to another at once. */
export function keyOf(facts: FileFacts): string {
  return `${facts.device}:${facts.inode}`
}

/** Reads until `length` bytes are there or the file ends. */
export function readFully(disk: Disk, descriptor: number, length: number, position: number): Buffer {
  return readInto(disk, descriptor, Buffer.allocUnsafe(Math.max(0, length)), position)
}

/** Fills `bytes`, as far as the file goes. */
export function readInto(disk: Disk, descriptor: number, bytes: Buffer, position: number): Buffer {
  let at = 0
  while (at < bytes.length) {
    const got = disk.read(descriptor, bytes, at, bytes.length - at, position + at)
    if (got === 0) break
    at += got
  }
  return bytes.subarray(0, at)
}

/** For bytes that are looked at and not kept: memory for each such look, at 10,000 files, is as much as all else. */
const briefly = Buffer.allocUnsafeSlow(limits.headBytesMax)

/** The same for at most `headBytesMax` bytes that are used before anything else is read like this: they are written over then. */
export function readBriefly(disk: Disk, descriptor: number, length: number, position: number): Buffer {
  return readInto(disk, descriptor, briefly.subarray(0, Math.max(0, length)), position)
}

/** @param ended  no more bytes will come: a first line without a newline counts as complete */
export function fingerprintOf(disk: Disk, descriptor: number, ended: boolean): Fingerprint | undefined {
  return fingerprintIn(readBriefly(disk, descriptor, limits.fingerprintBytesMax, 0), ended)
}

/** @param head  the first bytes of a content, all there are or more than a fingerprint needs */
export function fingerprintIn(head: Uint8Array, ended: boolean): Fingerprint | undefined {
  const bytes = head.subarray(0, limits.fingerprintBytesMax)
  const end = bytes.indexOf(newline)
  if (end !== -1) return { hash: hashOf(bytes.subarray(0, end + 1)), bytes: end + 1 }
  if (bytes.length === limits.fingerprintBytesMax || (ended && bytes.length > 0)) {
    return { hash: hashOf(bytes), bytes: bytes.length }
  }
  return undefined
}

/** Whether a file begins with the bytes that a fingerprint was made of. */
export function beginsWith(disk: Disk, descriptor: number, fingerprint: Fingerprint): boolean {
  const bytes = readBriefly(disk, descriptor, fingerprint.bytes, 0)
  return bytes.length === fingerprint.bytes && hashOf(bytes) === fingerprint.hash
}

/** The bytes just before `offset`, at most `guardBytes`: other bytes there mean that the content is another one. */
export function guardAt(disk: Disk, descriptor: number, offset: number): Buffer {
  const length = Math.min(offset, limits.guardBytes)
  return readFully(disk, descriptor, length, offset - length)
}

/** Birth times agree, or one of them is not known. */
export function sameBirth(a: bigint, b: bigint): boolean {
  return a === b || a === 0n || b === 0n
}

/** Whether an open file still has the bytes that were read of it last, or that its id was made of. */
export function isIntact(disk: Disk, { descriptor, offset, guard, fingerprint, packing }: Generation): boolean {
  if (packing !== undefined) return true
  const length = Math.min(offset, limits.guardBytes)
  if (!readBriefly(disk, descriptor, length, offset - length).equals(guard)) return false
  return fingerprint === undefined || offset >= fingerprint.bytes || beginsWith(disk, descriptor, fingerprint)
}

/** Whether an open file still has the bytes that were searched for a newline last; false when they are not remembered. */
export function isSearched(disk: Disk, { descriptor, searchedTo, tail }: Generation): boolean {
  return tail.length > 0 && readBriefly(disk, descriptor, tail.length, searchedTo - tail.length).equals(tail)
}

/** Born after its content was found to be gone, a file cannot be a copy or an archive of it; where a line tells, that tells more. */
export function isTooYoung(generation: Generation, facts: FileFacts, nowMs: number): boolean {
  return generation.anchor === undefined && isBornLater(generation, facts, nowMs)
}

/**
 * Whether a file was born after a content was found to be gone, and there was no copy of that it could be made from.
 *
 * @param nowMs  wall clock: what is born in the future tells that somebody has set that back
 */
export function isBornLater(generation: Generation, { birthNs }: FileFacts, nowMs: number): boolean {
  const { wanted, wantedSinceMs, wasCopied } = generation
  if (wanted === undefined || wasCopied) return false
  const bornMs = Number(birthNs / 1_000_000n)
  return bornMs > wantedSinceMs && bornMs <= nowMs
}

/**
 * Equal beginnings prove little where nothing in them tells one content from another: then what was copied from it has all
 * that had been seen of it by then.
 */
export function isTooShort({ anchor, sizeBytes }: Generation, copyBytes: number): boolean {
  return anchor === undefined && copyBytes < sizeBytes
}

/**
 * All that is known of a content is a piece of its first line: what begins with it and is longer is another one.
 *
 * @param head  the first bytes of the content
 */
export function isPiece({ fingerprint, offset }: Generation, head: Uint8Array): boolean {
  if (fingerprint === undefined || offset === 0 || offset > fingerprint.bytes) return false
  // So much of a line is no other line's.
  if (offset >= limits.fingerprintBytesMax) return false
  return !head.subarray(0, offset).includes(newline)
}
