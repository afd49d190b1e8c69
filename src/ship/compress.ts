import { pipeline, Readable } from 'node:stream'
import { constants, createGzip } from 'node:zlib'
import { limits } from '../base/limits.ts'

/** A body on its way through gzip. */
export interface Compressed {
  /** The request body. */
  readonly stream: Readable
  /** From here on nothing is read of the body any more; what is under way ends as an error, never as a shorter gzip. */
  release(): void
}

/**
 * What one body takes beside its slot while it is compressed: zlib's state (256 KiB at its usual window and memory level),
 * two slices in and two out, and what waits in the streams. Measured with incompressible data: `bench/compress.ts`.
 */
export const compressionBytes = 1024 * 1024

/**
 * Compresses a view of a slot as it is sent. zlib works on another thread, where nobody could say when it has ceased to read;
 * so it is given copies of slices, made here, and the slot is read on this thread only. A whole gzip of the body would be
 * as quick, and take as much memory as the body again, twice.
 *
 * @param level  1 to 9
 */
export function compress(body: Buffer, level: number): Compressed {
  let at = 0
  let released = false
  const source = new Readable({
    highWaterMark: limits.compressBytes,
    read() {
      // Never a quiet end: gzip would finish, and the server take half of the documents for all.
      if (released) this.destroy(new Error('the body was let go of'))
      else if (at === body.length) this.push(null)
      else {
        const slice = Buffer.from(body.subarray(at, at + limits.compressBytes))
        at += slice.length
        this.push(slice)
      }
    },
  })
  const gzip = createGzip({ level, chunkSize: limits.compressBytes, windowBits: constants.Z_MAX_WINDOWBITS })
  pipeline(source, gzip, () => undefined)
  return {
    stream: gzip,
    release() {
      released = true
      source.destroy()
      gzip.destroy()
    },
  }
}
