import { encodingOf, endsLine, holdsNewline, standsInHole, type Place } from '../base/charset.ts'
import type { Disk } from '../base/disk.ts'
import { assert } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { hashOf, readBriefly, readFully } from './identity.ts'
import { withMark } from './marks.ts'
import { lookAt } from './rotation.ts'

/** What one turn found. `bytes`: the input holds unread bytes `[from, to)`, the first of them at the read offset. */
export type Turn =
  | { readonly kind: 'bytes'; readonly from: number; readonly to: number; readonly atEnd: boolean }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'replaced' }

const nothing: Turn = { kind: 'nothing' }
const replaced: Turn = { kind: 'replaced' }
const none = new Uint8Array(0)

/** A line's end takes up so many bytes at most: CR and LF in UTF-16. */
const lineEndBytesMax = 4

/** So many bytes tell a whole line, or a hole, from one that may go on. */
export function tellingBytes(lineBytesMax: number): number {
  return Math.max(lineBytesMax + lineEndBytesMax, limits.holeBytesMin)
}

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
    const charset = generation.encoding?.charset ?? 'utf-8'
    if (holdsNewline(input.subarray(0, got), tail.length, searchedTo - tail.length, charset)) return true
    searched(generation, input, got, came.length)
  }
  return false
}

/** Notes that the `bytes` before `end` in the input follow what was searched, without a newline in them. */
function searched(generation: Generation, input: Uint8Array, end: number, bytes: number): void {
  generation.searchedTo += bytes
  generation.tail = input.subarray(Math.max(0, end - Math.min(tailBytes, bytes)), end)
}

/**
 * Reads what follows the offset, together with the bytes just before it: if those are no longer what they were, the
 * file holds another content, even when it has grown past the offset again.
 *
 * @param input         where the bytes go: guard, and what the longest line with its end or the smallest hole takes, or more
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
  const { offset, sizeBytes: lastBytes } = generation
  // An archive does not change; what is not unpacked again yet is not gone.
  if (generation.packing !== undefined && sizeBytes <= offset) return nothing
  const look = lookAt({ sizeBytes, knownBytes: generation.knownBytes, offsetBytes: offset, guardHolds: undefined })
  if (look === 'replaced') return replaced
  // A look tells what it means that a file is shorter.
  generation.sizeBytes = Math.max(sizeBytes, lastBytes)
  if (look === 'same') return nothing

  const pending = generation.searchedTo > offset
  if (pending && !final && sizeBytes - offset < tellingBytes(lineBytesMax)) {
    if (!newlineCame(disk, generation, input, sizeBytes)) return nothing
  }
  const guard = generation.guard.length
  const known = Math.max(0, (generation.fingerprint?.bytes ?? 0) - offset)
  const head = unguardedHead(disk, generation)
  const wanted = guard + Math.max(tellingBytes(lineBytesMax), known, Math.min(wantedBytes, limits.quantumBytes))
  const length = Math.min(input.length, wanted)
  let got = disk.read(generation.descriptor, input, 0, length, offset - guard)
  // A file system in user space may give less than is there: what does not make a line would be asked for in vain again.
  while (got > 0 && got < Math.min(length, sizeBytes - offset + guard)) {
    const more = disk.read(generation.descriptor, input, got, length - got, offset - guard + got)
    if (more === 0) break
    got += more
  }
  const guardHolds =
    got >= guard && generation.guard.compare(input, 0, guard) === 0 && beginsAsKnown(generation, head, input)
  const { knownBytes } = generation
  if (lookAt({ sizeBytes, knownBytes, offsetBytes: offset, guardHolds }) === 'replaced') {
    generation.sizeBytes = lastBytes
    return replaced
  }
  // Fewer bytes than the size has told: it was truncated in between.
  if (got === Math.min(length, sizeBytes - offset + guard)) {
    generation.provenBytes = Math.max(generation.provenBytes, sizeBytes)
  }
  if (got <= guard) return nothing
  return { kind: 'bytes', from: guard, to: got, atEnd: offset + got - guard >= sizeBytes }
}

/**
 * Finds how the content writes its text, by the bytes that its fingerprint was made of: so it comes out the same after a
 * restart, and is that of no other content. False: the file begins with other bytes now.
 */
export function findEncoding(disk: Disk, generation: Generation): boolean {
  if (generation.encoding !== undefined) return true
  const { descriptor, fingerprint, guard, offset, packing } = generation
  assert(packing === undefined && fingerprint !== undefined, 'it has a name, or as an archive an encoding')
  const head = readBriefly(disk, descriptor, fingerprint.bytes, 0)
  if (hashOf(head) !== fingerprint.hash) return false
  generation.encoding = encodingOf(head)
  // Begun at the end of a file, where it was too early to tell that this is a line's end.
  if (offset % 2 === 0 && endsLine(guard, generation.encoding.charset)) generation.skipping = false
  return true
}

/** Where the text of a turn begins: so many bytes behind its first, and what stands there. */
export interface Beginning {
  readonly passedBytes: number
  readonly place: Place
}

/**
 * @param bytes  what the turn has read, from the offset on
 */
export function beginningOf({ offset, skipping, guard, encoding }: Generation, bytes: Uint8Array): Beginning {
  const { charset, markBytes } = encoding ?? encodingOf(none)
  // A writer that goes on behind a truncation leaves a hole, without a mark before it.
  if (offset === 0) return { passedBytes: Math.min(markBytes, bytes.length), place: markBytes === 0 ? 'hole' : 'line' }
  if (charset !== 'utf-8' && offset % 2 === 1) {
    // Begun at the end of a file, in the middle of a character.
    const isEnd = endsLine(Buffer.of(guard.at(-1)!, bytes[0]!), charset)
    return { passedBytes: 1, place: isEnd ? 'line' : 'cut' }
  }
  return { passedBytes: 0, place: skipping ? 'cut' : standsInHole(guard) ? 'hole' : 'line' }
}

/** The first bytes of a content, up to its guard, while reading stands before the end of its fingerprint. */
function unguardedHead(disk: Disk, { offset, guard, fingerprint, descriptor, packing }: Generation): Uint8Array {
  if (fingerprint === undefined || offset >= fingerprint.bytes || packing !== undefined) return none
  return readFully(disk, descriptor, offset - guard.length, 0)
}

/**
 * Before the line that it is named after is shipped, the guard does not tell enough. What was read is compared, and not
 * the file again: that may be truncated by now, and these bytes are its content all the same.
 *
 * @param head  what was read of the file just before: the bytes before those in the input
 */
function beginsAsKnown(
  { offset, guard, fingerprint, packing }: Generation,
  head: Uint8Array,
  input: Uint8Array,
): boolean {
  if (fingerprint === undefined || offset >= fingerprint.bytes) return true
  if (offset > 0 && packing !== undefined) return true
  const rest = input.subarray(0, fingerprint.bytes - (offset - guard.length))
  return hashOf(head.length === 0 ? rest : Buffer.concat([head, rest])) === fingerprint.hash
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
    generation.guard = input.subarray(start, end)
  }
  generation.offset += consumedBytes
  if (consumedBytes > 0) generation.marks = withMark(generation.marks, generation.offset, generation.guardHash())
  generation.searchAgain()
  if (searchedBytes > consumedBytes) searched(generation, input, from + searchedBytes, searchedBytes - consumedBytes)
  generation.skipping = skipping
}
