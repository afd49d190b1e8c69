import type { DirectoryEntry, Disk, FileFacts } from '../base/disk.ts'
import { assert } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Content } from '../base/replace.ts'
import type { Packing } from '../base/unpack.ts'
import { tellingBytes } from './turn.ts'

export { probe, type Probe } from './probing.ts'

/** Virtual descriptors begin here, above all that a kernel gives. */
const virtualFirst = 2 ** 30

export interface UnpackingSizes {
  /** How far before the furthest read a reader may go back. */
  readonly backBytes: number
  /** How much of an archive is held. */
  readonly windowBytes: number
}

/**
 * What reading by turns takes (`turn.ts`): a line that is not complete is searched at its end, and then read from its
 * start; and a turn finds a line of `lineBytesMax` whole, or can cut it.
 */
export function unpackingSizes(lineBytesMax: number): UnpackingSizes {
  const backBytes = limits.guardBytes + tellingBytes(lineBytesMax)
  return { backBytes, windowBytes: 2 * backBytes + limits.quantumBytes }
}

/**
 * One archive that is read as what is inside.
 *
 *            dropped        window            not unpacked yet
 *   |·····················|==========········|·················
 *   0                   from      known   from + window length
 */
interface Archive {
  readonly descriptor: number
  readonly packing: Packing
  readonly modifiedMs: number
  /** A ring: the byte at position p stands at p % length. */
  readonly window: Buffer
  /** Nothing before is wanted any more. */
  from: number
  /** So many bytes were unpacked. */
  end: number
  /** So many of them are to be seen: the reader is told of a window, not of each piece. */
  known: number
  closed: boolean
  whole: boolean
  failure: Error | undefined
  /** Goes on after room was made, or at close. */
  wake: (() => void) | undefined
}

/**
 * A disk on which an archive can be read as a file that grows, in the bytes that are inside of it: positions, sizes and
 * offsets are those of the unpacked content. It holds one window of each, which moves on as its reader does: a read tells
 * that nothing is wanted any more that is further before it than `backBytes`.
 */
export class Unpacking implements Disk {
  readonly #disk: Disk
  readonly #sizes: UnpackingSizes
  readonly #progressed: (virtual: number) => void
  readonly #archives = new Map<number, Archive>()
  #next = virtualFirst

  /**
   * @param progressed  a virtual descriptor has a window full of bytes, or all there are
   */
  constructor(disk: Disk, sizes: UnpackingSizes, progressed: (virtual: number) => void) {
    this.#disk = disk
    assert(sizes.windowBytes > 2 * sizes.backBytes, 'a window moves on before its reader is at its end')
    this.#sizes = sizes
    this.#progressed = progressed
  }

  /** Archives that are open: each holds one window, and the decoder's memory. */
  get archives(): number {
    return this.#archives.size
  }

  /**
   * Takes over a descriptor of an archive; when this throws, it is still the caller's.
   *
   * @param fromBytes  what is unpacked before this position is not wanted
   * @returns          the descriptor that reads what is inside
   */
  openUnpacked(descriptor: number, packing: Packing, fromBytes: number): number {
    const archive: Archive = {
      descriptor,
      packing,
      modifiedMs: this.#disk.sizeOf(descriptor).modifiedMs,
      // Not zeroed: memory that was never written to is not there.
      window: Buffer.allocUnsafeSlow(this.#sizes.windowBytes),
      from: fromBytes,
      end: 0,
      known: fromBytes,
      closed: false,
      whole: false,
      failure: undefined,
      wake: undefined,
    }
    const virtual = this.#next++
    this.#archives.set(virtual, archive)
    void this.#unpack(virtual, archive)
    return virtual
  }

  /** True when no more bytes will come out of it, also because it is damaged. A plain file is always whole. */
  isWhole(descriptor: number): boolean {
    return this.#archives.get(descriptor)?.whole ?? true
  }

  /** Why an archive has ended before its end. */
  failureOf(descriptor: number): Error | undefined {
    return this.#archives.get(descriptor)?.failure
  }

  read(descriptor: number, into: Uint8Array, at: number, length: number, position: number): number {
    const archive = this.#archives.get(descriptor)
    if (archive === undefined) return this.#disk.read(descriptor, into, at, length, position)
    assert(position >= archive.from, `unpacked bytes at ${position} were dropped, there are those from ${archive.from}`)
    const from = Math.min(position, archive.end) - this.#sizes.backBytes
    if (from > archive.from) {
      archive.from = from
      archive.wake?.()
    }
    // While bytes before the window are skipped, `known` promises what is not there.
    const wanted = Math.min(length, into.length - at, Math.min(archive.known, archive.end) - position)
    if (wanted <= 0) return 0
    const { window } = archive
    const start = position % window.length
    const first = Math.min(wanted, window.length - start)
    into.set(window.subarray(start, start + first), at)
    if (first < wanted) into.set(window.subarray(0, wanted - first), at + first)
    return wanted
  }

  factsOf(descriptor: number): FileFacts {
    const archive = this.#archives.get(descriptor)
    if (archive === undefined) return this.#disk.factsOf(descriptor)
    const { known: sizeBytes, modifiedMs } = archive
    return { ...this.#disk.factsOf(archive.descriptor), sizeBytes, modifiedMs }
  }

  sizeOf(descriptor: number): { sizeBytes: number; links: number; modifiedMs: number } {
    const archive = this.#archives.get(descriptor)
    if (archive === undefined) return this.#disk.sizeOf(descriptor)
    const { known: sizeBytes, modifiedMs } = archive
    return { sizeBytes, links: this.#disk.sizeOf(archive.descriptor).links, modifiedMs }
  }

  pathOf(descriptor: number): string {
    return this.#disk.pathOf(this.#real(descriptor))
  }

  unpack(descriptor: number, packing: Packing): AsyncIterable<Buffer> {
    return this.#disk.unpack(this.#real(descriptor), packing)
  }

  close(descriptor: number): void {
    const archive = this.#archives.get(descriptor)
    if (archive === undefined) return this.#disk.close(descriptor)
    this.#archives.delete(descriptor)
    archive.closed = true
    // Else the unpacking reads from it still: a number that is free would soon be another file's.
    if (archive.whole) this.#disk.close(archive.descriptor)
    else archive.wake?.()
  }

  #real(descriptor: number): number {
    return this.#archives.get(descriptor)?.descriptor ?? descriptor
  }

  async #unpack(virtual: number, archive: Archive): Promise<void> {
    try {
      for await (const piece of this.#disk.unpack(archive.descriptor, archive.packing)) {
        if (archive.closed || !(await this.#take(virtual, archive, piece))) break
      }
    } catch (error) {
      archive.failure = error instanceof Error ? error : new Error(String(error))
    }
    // The iterator has ended: nobody reads from the descriptor any more.
    archive.whole = true
    if (archive.closed) return this.#closeLate(archive)
    // Damaged before the place that was read already: that much was there once.
    archive.known = archive.failure === undefined ? archive.end : Math.max(archive.known, archive.end)
    this.#progressed(virtual)
  }

  /** Keeps what is wanted of a piece, and waits for room. False: it was closed meanwhile. */
  async #take(virtual: number, archive: Archive, piece: Buffer): Promise<boolean> {
    const { window } = archive
    let at = Math.max(0, Math.min(piece.length, archive.from - archive.end))
    archive.end += at
    while (at < piece.length) {
      const room = archive.from + window.length - archive.end
      if (room === 0) {
        archive.known = archive.end
        this.#progressed(virtual)
        while (!archive.closed && archive.from + window.length === archive.end) await this.#room(archive)
        if (archive.closed) return false
        continue
      }
      const start = archive.end % window.length
      const fitting = Math.min(piece.length - at, room, window.length - start)
      piece.copy(window, start, at, at + fitting)
      at += fitting
      archive.end += fitting
    }
    return true
  }

  async #room(archive: Archive): Promise<void> {
    await new Promise<void>((resolve) => (archive.wake = resolve))
    archive.wake = undefined
  }

  #closeLate({ descriptor }: Archive): void {
    try {
      this.#disk.close(descriptor)
    } catch {
      // Nobody waits for it any more, and the kernel has freed the number whatever it answered.
    }
  }

  look(path: string): FileFacts | undefined {
    return this.#disk.look(path)
  }
  open(path: string): number {
    return this.#disk.open(path)
  }
  list(directory: string): DirectoryEntry[] {
    return this.#disk.list(directory)
  }
  resolve(path: string): string {
    return this.#disk.resolve(path)
  }
  makeDirectory(path: string): void {
    this.#disk.makeDirectory(path)
  }
  readText(path: string): string {
    return this.#disk.readText(path)
  }
  remove(path: string): void {
    this.#disk.remove(path)
  }
  replace(path: string, previous: string, content: Content): Promise<void> {
    return this.#disk.replace(path, previous, content)
  }
  append(path: string, text: string): void {
    this.#disk.append(path, text)
  }
  rename(from: string, to: string): void {
    this.#disk.rename(from, to)
  }

  flush(path: string): Promise<void> {
    return this.#disk.flush(path)
  }
}
