import type { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { limits } from '../base/limits.ts'

/** A body on its way through gzip. */
export interface Compressed {
  /** The request body. */
  readonly stream: Readable
  /** From here on nothing is read of the body any more; what is under way ends as an error, never as a shorter gzip. */
  release(): void
}

/**
 * Compresses a view of a slot as it is sent. zlib works on another thread, where nobody could say when it has ceased to read;
 * so it is given copies of slices, made here in one buffer, and the slot is read on this thread only. The whole body at once
 * would need as much memory as the body again, twice. Figures: `bench/compress.ts`.
 *
 * @param level  1 to 9
 */
export function compress(body: Buffer, level: number): Compressed {
  const slice = Buffer.allocUnsafeSlow(Math.min(body.length, limits.compressBytes))
  const gzip = createGzip({ level, chunkSize: limits.compressBytes })
  let at = 0
  let released = false
  // Called again when zlib has done with the slice, and its output has been taken.
  const feed = (error?: Error | null): void => {
    if (error !== undefined && error !== null) return
    // Never a quiet end: gzip would finish, and the server take half of the documents for all.
    if (released) gzip.destroy(new Error('the body was let go of'))
    else if (at === body.length) gzip.end()
    else {
      const bytes = body.copy(slice, 0, at, at + slice.length)
      at += bytes
      gzip.write(slice.subarray(0, bytes), feed)
    }
  }
  // Whoever sends it listens as long as it is sent.
  gzip.on('error', () => undefined)
  feed()
  return {
    stream: gzip,
    release() {
      released = true
      gzip.destroy()
    },
  }
}
