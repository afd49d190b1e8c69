import type { Disk } from '../base/disk.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { lookAt } from './rotation.ts'

/** What one turn found. `bytes`: the input holds unread bytes `[from, to)`, the first of them at the read offset. */
export type Turn =
  | { readonly kind: 'bytes'; readonly from: number; readonly to: number; readonly atEnd: boolean }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'replaced' }

const nothing: Turn = { kind: 'nothing' }
const replaced: Turn = { kind: 'replaced' }
const newline = 10

/** Whether the bytes that came since the last search hold a newline: a line that grows by pieces is searched once. */
function newlineCame(disk: Disk, generation: Generation, input: Uint8Array, sizeBytes: number): boolean {
  let at = generation.searchedTo
  while (at < sizeBytes) {
    const got = disk.read(generation.descriptor, input, 0, Math.min(input.length, sizeBytes - at), at)
    if (got === 0) break
    if (input.subarray(0, got).includes(newline)) return true
    at += got
  }
  generation.searchedTo = at
  return false
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
  const look = lookAt({ sizeBytes, offsetBytes: generation.offset, guardHolds: undefined })
  if (look !== 'grown') return look === 'same' ? nothing : replaced

  const pending = generation.searchedTo > generation.offset
  if (pending && !final && sizeBytes - generation.offset < lineBytesMax + 2) {
    if (!newlineCame(disk, generation, input, sizeBytes)) return nothing
  }
  const guard = generation.guard.length
  const length = guard + Math.max(lineBytesMax + 2, Math.min(wantedBytes, limits.quantumBytes))
  const got = disk.read(generation.descriptor, input, 0, Math.min(input.length, length), generation.offset - guard)
  const guardHolds = got >= guard && generation.guard.compare(input, 0, guard) === 0
  if (lookAt({ sizeBytes, offsetBytes: generation.offset, guardHolds }) === 'replaced') return replaced
  if (got <= guard) return nothing
  return { kind: 'bytes', from: guard, to: got, atEnd: generation.offset + got - guard >= sizeBytes }
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
  generation.searchedTo = generation.offset + Math.max(0, searchedBytes - consumedBytes)
  generation.skipping = skipping
}
