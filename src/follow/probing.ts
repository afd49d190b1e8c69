import type { Disk } from '../base/disk.ts'
import { limits } from '../base/limits.ts'
import type { Packing } from '../base/unpack.ts'
import { fingerprintIn, hashOf, type Fingerprint } from './identity.ts'

/** What one pass over an archive tells of the content inside. */
export interface Probe {
  readonly packing: Packing
  /** As of a file that has ended; of one that is damaged or cut only when its first line is complete. */
  readonly fingerprint: Fingerprint | undefined
  /** The first bytes, `headBytesMax` at most. */
  readonly head: Buffer
  /** Hash of the guard before each offset that was asked for and is inside, and before its end. */
  readonly guards: ReadonlyMap<number, string>
  /** Length, as far as it could be unpacked. */
  readonly bytes: number
  /** Why it could be unpacked only so far. */
  readonly failure: Error | undefined
}

/**
 * Reads an archive through, once and to its end, and holds no more than one piece of it. The descriptor stays open; it
 * is not used any more when this is settled.
 *
 * @param offsets  of the unpacked content
 * @throws         the signal's reason
 */
export async function probe(
  disk: Disk,
  descriptor: number,
  packing: Packing,
  offsets: readonly number[],
  signal: AbortSignal,
): Promise<Probe> {
  signal.throwIfAborted()
  const asked = offsets.toSorted((a, b) => a - b)
  const guards = new Map<number, string>()
  let head: Buffer = Buffer.alloc(0)
  // The last bytes before the piece.
  let tail: Buffer = Buffer.alloc(0)
  let bytes = 0
  let next = 0
  for (; next < asked.length && asked[next]! <= 0; next++) if (asked[next] === 0) guards.set(0, hashOf(tail))
  let failure: Error | undefined
  try {
    for await (const piece of disk.unpack(descriptor, packing)) {
      if (signal.aborted) break
      if (head.length < limits.headBytesMax) head = Buffer.concat([head, piece]).subarray(0, limits.headBytesMax)
      for (; next < asked.length && asked[next]! <= bytes + piece.length; next++) {
        guards.set(asked[next]!, hashOf(lastOf(tail, piece.subarray(0, asked[next]! - bytes))))
      }
      tail = lastOf(tail, piece)
      bytes += piece.length
    }
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
  }
  signal.throwIfAborted()
  guards.set(bytes, hashOf(tail))
  // Copied, for what it was cut from is larger.
  return {
    packing,
    fingerprint: fingerprintIn(head, failure === undefined),
    head: Buffer.from(head),
    guards,
    bytes,
    failure,
  }
}

/** The last `guardBytes` of both, copied. */
function lastOf(before: Buffer, after: Buffer): Buffer {
  if (after.length >= limits.guardBytes) return Buffer.from(after.subarray(-limits.guardBytes))
  const both = Buffer.concat([before, after])
  return both.subarray(Math.max(0, both.length - limits.guardBytes))
}
