import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import { memberHeader, trailerBytes, type MemberHeader } from './archive-gzip.ts'
import { FrameEnd, frameHeader, frameHeaderBytesMax } from './archive-zstd.ts'
import { codeOf, messageOf, RemoraError } from './errors.ts'
import { limits } from './limits.ts'

/** A packed file that can be read as what is inside. */
export type Packing = 'gzip' | 'zstd'

/** Enough of a file's first bytes for `packingOf`. */
export const packingHeadBytes = 10

/** How packed files begin: gzip; zstd, its skippable frames; xz, zip, lz4, bzip2. */
const heads: readonly (readonly [RegExp, Packing | 'other'])[] = [
  [/^1f8b08/, 'gzip'],
  [/^28b52ffd/, 'zstd'],
  [/^5.2a4d18/, 'zstd'],
  [/^fd377a585a00/, 'other'],
  [/^504b0304/, 'other'],
  [/^04224d18/, 'other'],
  [/^425a683[1-9]314159265359/, 'other'],
]

/**
 * Whether a file is packed, by what it begins with; its name may say anything.
 *
 * @param head  `packingHeadBytes` of it, or all
 * @returns     `other`: packed, in a way that cannot be read; undefined: not packed
 */
export function packingOf(head: Uint8Array): Packing | 'other' | undefined {
  const hex = Buffer.from(head.subarray(0, packingHeadBytes)).toString('hex')
  return heads.find(([magic]) => magic.test(hex))?.[1]
}

/** The file ends in the middle: it is still being written, or a part is missing. */
export function archiveCut(): RemoraError {
  return new RemoraError(
    'ARCHIVE_CUT',
    'the compressed file ends in the middle',
    'If it is still being written, nothing is to be done; else its end is lost, and with it the lines there.',
  )
}

export function archiveBroken(why: string): RemoraError {
  return new RemoraError(
    'ARCHIVE_BROKEN',
    `the compressed file is damaged: ${why}`,
    'Test it with `gzip -t` or `zstd -t`; what stands before the damage was read, the rest cannot be.',
  )
}

function archiveWindow(windowBytes: number): RemoraError {
  return new RemoraError(
    'ARCHIVE_WINDOW',
    `unpacking it takes a window of ${windowBytes} bytes of memory, and ${limits.unpackWindowBytesMax} are allowed`,
    'Compress with `zstd -19` or a lower level, without --long and --ultra.',
  )
}

/** As `Disk.read`, of one file. */
export type ReadAt = (into: Uint8Array, at: number, length: number, position: number) => number

/** A file that is read from front to back, mostly; one piece of it is held. */
class Input {
  readonly #read: ReadAt
  readonly #buffer = Buffer.allocUnsafeSlow(limits.unpackInputBytes)
  #start = 0
  #held = 0

  constructor(read: ReadAt) {
    this.#read = read
  }

  /** What follows `position`: `bytes` or more, less only where the file ends. Valid until the next call. */
  at(position: number, bytes = 1): Buffer {
    const from = position - this.#start
    if (from >= 0 && from + bytes <= this.#held) return this.#buffer.subarray(from, this.#held)
    this.#start = position
    this.#held = 0
    for (let got = -1; this.#held < bytes && got !== 0; this.#held += got) {
      got = this.#read(this.#buffer, this.#held, this.#buffer.length - this.#held, position + this.#held)
    }
    return this.#buffer.subarray(0, this.#held)
  }
}

/**
 * Unpacks a file in pieces of `unpackChunkBytes` at most. Memory does not depend on what is inside: nothing is unpacked
 * ahead of the reader but one piece. The file is read by this code only, between two pieces and not by the thread pool:
 * when the iterator has ended, or its `return` is settled, nothing uses the descriptor any more.
 *
 * Padding and garbage behind the last whole part are left out, as gzip and zstd do.
 *
 * @throws RemoraError ARCHIVE_CUT, ARCHIVE_BROKEN (damage inside may cost the last piece before it), ARCHIVE_WINDOW;
 *         the system's errors of `read`. In each case after everything before was given.
 */
export async function* unpackBytes(read: ReadAt, packing: Packing): AsyncGenerator<Buffer> {
  yield* packing === 'gzip' ? gunzip(new Input(read)) : unzstd(new Input(read))
}

/** With a mark of 1 an engine waits until a piece was taken; Node knows the option, its types do not. */
const pieceByPiece = { chunkSize: limits.unpackChunkBytes, readableHighWaterMark: 1 }

/** Member by member: Node's own gunzip would lose what it holds when garbage follows, or the end is missing. */
async function* gunzip(input: Input): AsyncGenerator<Buffer> {
  for (let at = 0; ; at += trailerBytes) {
    const head = memberAt(input, at)
    if (head.kind === 'cut') throw archiveCut()
    if (head.kind === 'none') {
      if (at === 0) throw archiveBroken('it does not begin as gzip')
      return
    }
    at += head.bytes
    let check = 0
    let bytes = 0
    const engine = zlib.createInflateRaw({
      ...pieceByPiece,
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
    })
    let fed = at
    const next = () => {
      const piece = input.at(fed)
      fed += piece.length
      return piece
    }
    for await (const chunk of through(engine, next)) {
      check = zlib.crc32(chunk, check)
      bytes = (bytes + chunk.length) % 2 ** 32
      yield chunk
    }
    at += engine.bytesWritten
    const trailer = input.at(at, trailerBytes)
    if (trailer.length < trailerBytes) throw archiveCut()
    if (trailer.readUInt32LE(0) !== check || trailer.readUInt32LE(4) !== bytes)
      throw archiveBroken('a checksum differs')
  }
}

function memberAt(input: Input, at: number): MemberHeader {
  const usual = memberHeader(input.at(at, 64))
  if (usual.kind !== 'cut') return usual
  const all = input.at(at, limits.unpackInputBytes)
  const head = memberHeader(all)
  if (head.kind === 'cut' && all.length === limits.unpackInputBytes) throw archiveBroken('an endless header')
  return head
}

async function* unzstd(input: Input): AsyncGenerator<Buffer> {
  let skipped = 0
  for (let at = 0; ;) {
    const head = frameHeader(input.at(at, frameHeaderBytesMax))
    if (head.kind === 'cut') throw archiveCut()
    if (head.kind === 'none') {
      if (at === 0) throw archiveBroken('it does not begin as zstd')
      return
    }
    if (head.kind === 'skippable') {
      // Passing them takes no turn of the event loop.
      if (++skipped > limits.unpackSkippedMax) throw archiveBroken('too many frames without content')
      at += head.bytes
      if (input.at(at - 1).length === 0) throw archiveCut()
      continue
    }
    skipped = 0
    if (head.windowBytes > limits.unpackWindowBytesMax) throw archiveWindow(head.windowBytes)
    const end = new FrameEnd(head.bytes, head.checksum)
    const next = () => {
      const piece = input.at(at)
      const taken = end.take(piece)
      at += taken
      return piece.subarray(0, taken)
    }
    const engine = zlib.createZstdDecompress({
      ...pieceByPiece,
      params: { [zlib.constants.ZSTD_d_windowLogMax]: Math.log2(limits.unpackWindowBytesMax) },
    })
    yield* through(engine, next)
    if (!end.whole) throw archiveCut()
  }
}

/**
 * What an engine makes of the pieces that `next` gives; an empty one is the end. The next piece is asked for when the
 * one before is used up, and what came of it was taken.
 */
async function* through(engine: Transform & { bytesWritten: number }, next: () => Buffer): AsyncGenerator<Buffer> {
  let failure: unknown
  const feed = (): void => {
    let piece: Buffer = empty
    try {
      piece = next()
    } catch (error) {
      failure = error
    }
    if (piece.length === 0) return void engine.end()
    const goal = engine.bytesWritten + piece.length
    engine.write(piece, (error) => {
      // What it leaves is not its own: it has ended by itself.
      if (!error && engine.bytesWritten === goal && !engine.destroyed) feed()
    })
  }
  feed()
  try {
    for await (const chunk of engine) yield chunk as Buffer
  } catch (error) {
    throw failure ?? translated(error)
  } finally {
    engine.destroy()
  }
  if (failure !== undefined) throw failure
}

const empty = Buffer.alloc(0)

/** What is wrong with the file, told from what is wrong here: no memory is a reason to try again. */
function translated(error: unknown): unknown {
  const code = codeOf(error)
  if (code === 'Z_BUF_ERROR') return archiveCut()
  if (code === 'ZSTD_error_memory_allocation') return error
  return code === 'Z_DATA_ERROR' || code === 'Z_NEED_DICT' || code.startsWith('ZSTD_error_')
    ? archiveBroken(messageOf(error))
    : error
}
