import type { Disk } from '../base/disk.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { hashOf } from './identity.ts'
import { lookAt } from './rotation.ts'

/** What one turn found. `bytes`: the input holds unread bytes `[from, to)`, the first of them at the read offset. */
export type Turn =
  | { readonly kind: 'bytes'; readonly from: number; readonly to: number; readonly atEnd: boolean }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'replaced' }

const nothing: Turn = { kind: 'nothing' }
const replaced: Turn = { kind: 'replaced' }
const newline = 10

/** As many bytes before the searched ones are compared: with fewer a refilled file might pass for the old one. */
const tailBytes = 32

/**
 * Whether the bytes that came since the last search hold a newline: a line that grows by pieces is searched once. Also
 * true when the bytes searched before are others now: then all is to be read again.
 */
function newlineCame(disk: Disk, generation: Generation, input: Uint8Array, sizeBytes: number): boolean {
  while (generation.searchedTo < sizeBytes) {
    const { tail, searchedTo } = generation
    const length = Math.min(input.length, tail.length + sizeBytes - searchedTo)
    const got = disk.read(generation.descriptor, input, 0, length, searchedTo - tail.length)
    if (got < tail.length || tail.compare(input, 0, tail.length) !== 0) return true
    const came = input.subarray(tail.length, got)
    if (came.length === 0) break
    if (came.includes(newline)) return true
    searched(generation, input, got, came.length)
  }
  return false
}

/** Notes that the `bytes` before `end` in the input follow what was searched, without a newline in them. */
function searched(generation: Generation, input: Uint8Array, end: number, bytes: number): void {
  generation.searchedTo += bytes
  generation.tail = Buffer.from(input.subarray(Math.max(0, end - Math.min(tailBytes, bytes)), end))
}

/**
 * Reads what follows the offset, together with the bytes just before it: if those are no longer what they were, the
 * file holds another content, even when it has grown past the offset again.
 *
 * @param input         where the bytes go, `lineBytesMax` + 2 + guard or more
 * @param lineBytesMax  from there on a line is cut without waiting for its newline
 * @param final         the generation has ended: its last line needs no newline
 * @param wantedBytes   how much is of use now; a whole line is read in any case
 */
export function readTurn(
  disk: Disk,
  generation: Generation,
  input: Uint8Array,
  lineBytesMax: number,
  final: boolean,
  wantedBytes: number,
): Turn {
  const { sizeBytes } = disk.sizeOf(generation.descriptor)
  generation.sizeBytes = sizeBytes
  const { offset } = generation
  const look = lookAt({ sizeBytes, knownBytes: generation.knownBytes, offsetBytes: offset, guardHolds: undefined })
  if (look !== 'grown') return look === 'same' ? nothing : replaced

  const pending = generation.searchedTo > offset
  if (pending && !final && sizeBytes - offset < lineBytesMax + 2) {
    if (!newlineCame(disk, generation, input, sizeBytes)) return nothing
  }
  const guard = generation.guard.length
  const length = guard + Math.max(lineBytesMax + 2, Math.min(wantedBytes, limits.quantumBytes))
  const got = disk.read(generation.descriptor, input, 0, Math.min(input.length, length), offset - guard)
  const guardHolds = got >= guard && generation.guard.compare(input, 0, guard) === 0 && beginsAsKnown(generation, input)
  const { knownBytes } = generation
  if (lookAt({ sizeBytes, knownBytes, offsetBytes: offset, guardHolds }) === 'replaced') return replaced
  if (got <= guard) return nothing
  return { kind: 'bytes', from: guard, to: got, atEnd: offset + got - guard >= sizeBytes }
}

/** With nothing shipped there is no guard yet, but a fingerprint that the id was made of. */
function beginsAsKnown({ offset, fingerprint }: Generation, input: Uint8Array): boolean {
  if (offset > 0 || fingerprint === undefined) return true
  return hashOf(input.subarray(0, fingerprint.bytes)) === fingerprint.hash
}

/** Moves the offset behind what was encoded; `from` and `input` as the turn left them. */
export function advance(
  generation: Generation,
  input: Uint8Array,
  from: number,
  consumedBytes: number,
  searchedBytes: number,
  skipping: boolean,
): void {
  const end = from + consumedBytes
  if (consumedBytes > 0) {
    const start = Math.max(0, end - limits.guardBytes)
    // A copy: the input belongs to a slot and will be written over.
    generation.guard = Buffer.from(input.subarray(start, end))
  }
  generation.offset += consumedBytes
  generation.searchAgain()
  if (searchedBytes > consumedBytes) searched(generation, input, from + searchedBytes, searchedBytes - consumedBytes)
  generation.skipping = skipping
}
