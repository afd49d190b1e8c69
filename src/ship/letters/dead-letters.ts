import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { codeOf, messageOf } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import type { DeadLetter } from '../dead-letter.ts'
import { letterOf, lineOf, readLetter } from './letter.ts'
import {
  countLines,
  lettersDirectory,
  linesOf,
  numberFirst,
  removeOldDrafts,
  segmentPath,
  segmentsIn,
  takeOverFormer,
  type Segment,
} from './segments.ts'

/** Letters that went because the bound was reached. */
export interface Expired {
  /** Of this process, by the file that they came from; an empty path: it is not known. */
  readonly ours: ReadonlyMap<string, number>
  /** Put down by another process: no ledger of this one knows them. */
  readonly others: number
}

export interface DeadLettersOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly stateDir: string
  readonly bytesMax: number
  /** A word that no other process has. */
  readonly run: string
  readonly expired: (expired: Expired) => void
}

/** What lies in the directory. */
export interface Kept {
  readonly letters: number
  readonly bytes: number
}

/** The segment that letters are appended to. */
interface Active {
  readonly path: string
  readonly number: number
  /** Undefined: not made yet. */
  inode: bigint | undefined
  bytes: number
}

/**
 * Documents that Elasticsearch will never take, one JSON object a line (`letter.ts`), in segments. The oldest segment goes when
 * all of them would pass the bound.
 *
 * Other processes take letters out (`replay.ts`) while this one puts them in. Whoever takes renames the segment first; who puts looks
 * after each letter whether the name still leads to what it was written into, and writes it once more where it does not. So
 * a letter that counts as kept was there before the renaming, or is in a segment that nobody has taken: no lock, which would outlive a SIGKILL.
 */
export class DeadLetters {
  readonly directory: string
  readonly #o: DeadLettersOptions
  readonly #letterMax: number
  readonly #segmentMax: number
  #active: Active | undefined
  /** All segments but the active one, as of the last listing. */
  #closedBytes = 0
  #closedCount = 0
  #numberMax = numberFirst - 1
  /** Not flushed yet. */
  readonly #dirty = new Set<string>()
  #dirtyNames = false
  readonly #counted = new Map<string, { inode: bigint; bytes: number; letters: number }>()

  constructor(options: DeadLettersOptions) {
    this.#o = options
    this.directory = lettersDirectory(options.stateDir)
    this.#letterMax = Math.min(options.bytesMax / 2, limits.letterBytesMax)
    this.#segmentMax = Math.min(options.bytesMax / limits.letterSegmentsMin, limits.letterSegmentBytesMax)
  }

  /** Takes over what an earlier version has left. @throws what the disk says; letters can be kept all the same */
  open(): void {
    const { disk, clock, stateDir } = this.#o
    takeOverFormer(disk, stateDir)
    removeOldDrafts(disk, this.directory, clock.nowMs())
  }

  /** @returns why it could not be kept, or undefined when it is on disk */
  keep(letter: DeadLetter): string | undefined {
    const { disk, clock, run } = this.#o
    const line = lineOf(letterOf(letter, clock.nowMs(), run))
    const bytes = Buffer.byteLength(line)
    if (bytes > this.#letterMax)
      return bytes > limits.letterBytesMax
        ? `it has ${bytes} bytes, more than a letter may have`
        : 'it is larger than half of REMORA_DEAD_LETTER_BYTES'
    for (let tries = 0; tries < limits.letterTriesMax; tries++) {
      try {
        if (this.#put(line, bytes)) return undefined
      } catch (error) {
        // What a full disk may have left of it ends its segment.
        this.#active = undefined
        if (codeOf(error) !== 'ENOENT' || tries > 1) return messageOf(error)
        // Somebody has deleted the directory.
        try {
          disk.makeDirectory(this.directory)
          this.#dirtyNames = true
        } catch (failure) {
          return messageOf(failure)
        }
      }
    }
    return 'its file is taken away each time'
  }

  /** False: the segment was taken away meanwhile, and maybe the letter with it. */
  #put(line: string, bytes: number): boolean {
    const { disk } = this.#o
    let active = (this.#active ??= this.#begin())
    if (active.bytes > 0 && active.bytes + bytes > this.#segmentMax) {
      this.#closedBytes += active.bytes
      this.#closedCount++
      active = this.#active = this.#next()
    }
    const before = disk.look(active.path)
    if (before?.inode !== active.inode || (before?.sizeBytes ?? 0) !== active.bytes) {
      this.#active = undefined
      return false
    }
    this.#makeRoom(active, bytes)
    disk.append(active.path, line)
    this.#numberMax = Math.max(this.#numberMax, active.number)
    const after = disk.look(active.path)
    if (after === undefined || (before !== undefined && after.inode !== before.inode)) {
      this.#active = undefined
      return false
    }
    active.bytes += bytes
    active.inode = after.inode
    this.#dirty.add(active.path)
    if (before === undefined) this.#dirtyNames = true
    // Another process appends here too: the next letter looks again where it goes.
    if (after.sizeBytes !== active.bytes) this.#active = undefined
    return true
  }

  /** Goes on in the newest segment, when it ends with a whole line and has room; else begins another. */
  #begin(): Active {
    const segments = this.#list()
    const newest = segments.at(-1)
    if (newest === undefined || newest.closed || newest.sizeBytes >= this.#segmentMax || !this.#isWhole(newest))
      return this.#next()
    this.#closedBytes -= newest.sizeBytes
    this.#closedCount--
    const { path, number, inode, sizeBytes: bytes } = newest
    return { path, number, inode, bytes }
  }

  #next(): Active {
    const number = this.#numberMax + 1
    return { path: segmentPath(this.directory, number), number, inode: undefined, bytes: 0 }
  }

  #isWhole({ path, sizeBytes }: Segment): boolean {
    const { disk } = this.#o
    if (sizeBytes === 0) return true
    const last = Buffer.alloc(1)
    const descriptor = disk.open(path)
    try {
      return disk.read(descriptor, last, 0, 1, sizeBytes - 1) === 1 && last[0] === 10
    } finally {
      disk.close(descriptor)
    }
  }

  #list(): Segment[] {
    const segments = segmentsIn(this.#o.disk, this.directory)
    this.#numberMax = Math.max(this.#numberMax, segments.at(-1)?.number ?? 0)
    this.#closedBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    this.#closedCount = segments.length
    return segments
  }

  #isFull(activeBytes: number): boolean {
    const { bytesMax } = this.#o
    return this.#closedBytes + activeBytes > bytesMax || this.#closedCount >= limits.letterSegmentsMax
  }

  #makeRoom(active: Active, bytes: number): void {
    if (!this.#isFull(active.bytes + bytes)) return
    // Somebody may have taken letters out.
    const others = this.#list().filter(({ path }) => path !== active.path)
    this.#closedBytes = others.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    this.#closedCount = others.length
    for (const segment of others) {
      if (!this.#isFull(active.bytes + bytes)) return
      this.#expire(segment)
      this.#closedBytes -= segment.sizeBytes
      this.#closedCount--
    }
  }

  #expire({ path }: Segment): void {
    const { disk, run, expired } = this.#o
    const ours = new Map<string, number>()
    let others = 0
    try {
      for (const { text } of linesOf(disk, path)) {
        const letter = text === undefined ? undefined : readLetter(text)
        if (letter === undefined) continue
        if (letter.run !== run) others++
        else ours.set(letter.path ?? '', (ours.get(letter.path ?? '') ?? 0) + 1)
      }
    } catch (error) {
      // A replay was faster.
      if (codeOf(error) === 'ENOENT') return
      // What cannot be read is not to fill the disk for ever.
    }
    disk.remove(path)
    this.#dirty.delete(path)
    if (others > 0 || ours.size > 0) expired({ ours, others })
  }

  /**
   * Until the device has every letter that was kept so far. Before each checkpoint: it passes lines that nothing but their letter is left of.
   *
   * @throws what the disk says; what could not be flushed is tried again the next time
   */
  async flush(): Promise<void> {
    // Not those that come meanwhile: there may be no end of them.
    const paths = [...this.#dirty]
    for (const path of paths) {
      this.#dirty.delete(path)
      await this.#flush(path)
    }
    if (!this.#dirtyNames) return
    this.#dirtyNames = false
    try {
      for (const directory of [this.directory, this.#o.stateDir]) await this.#o.disk.flush(directory)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return
      this.#dirtyNames = true
      throw error
    }
  }

  async #flush(path: string): Promise<void> {
    const { disk } = this.#o
    try {
      // A replay may have closed it, or is done with it.
      for (const name of [path, path.replace(/\.ndjson$/, '.closed.ndjson')]) {
        try {
          return await disk.flush(name)
        } catch (error) {
          if (codeOf(error) !== 'ENOENT') throw error
        }
      }
    } catch (error) {
      this.#dirty.add(path)
      throw error
    }
  }

  /** What lies there, from a bounded look: with more than that, the next one goes on. @throws what the disk says */
  kept(): Kept {
    const { disk } = this.#o
    const segments = segmentsIn(disk, this.directory)
    const names = new Set(segments.map(({ name }) => name))
    for (const name of this.#counted.keys()) if (!names.has(name)) this.#counted.delete(name)
    let [letters, bytes, roomBytes] = [0, 0, limits.letterCountBytesMax]
    for (const { name, path, inode, sizeBytes } of segments) {
      const known = this.#counted.get(name)
      const from = known?.inode === inode && known.bytes <= sizeBytes ? known : { bytes: 0, letters: 0 }
      const to = Math.min(sizeBytes, from.bytes + roomBytes)
      const count = from.letters + (to > from.bytes ? countLines(disk, path, from.bytes, to) : 0)
      roomBytes -= to - from.bytes
      this.#counted.set(name, { inode, bytes: to, letters: count })
      letters += count
      bytes += sizeBytes
    }
    return { letters, bytes }
  }
}
