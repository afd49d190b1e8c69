import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { codeOf, isSystemError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { packingHeadBytes, packingOf, type Packing } from '../base/unpack.ts'
import type { Generation } from './generation.ts'
import { hashOf, isPiece, isBornLater, isTooShort, keyOf, readFully, type Fingerprint } from './identity.ts'
import { closeQuietly } from './opening.ts'
import { directoryOf, mayHold, stampOf, type SeenFile } from './seen.ts'
import type { Probe } from './probing.ts'

export interface ArchivesOptions {
  readonly disk: Disk
  readonly clock: Clock
  /** Reads an archive through once. */
  readonly probe: (
    descriptor: number,
    packing: Packing,
    offsets: readonly number[],
    signal: AbortSignal,
  ) => Promise<Probe>
  /** An archive is being read already: each takes memory for its decoder. */
  readonly busy: () => boolean
  /** Something about an archive in this directory is known now. */
  readonly lookAgain: (directory: string) => void
}

interface Archive {
  readonly file: SeenFile
  readonly stamp: string
  readonly abort: AbortController
  /** Where its bytes are compared with those of generations. */
  readonly offsets: ReadonlySet<number>
  /** Undefined until it was read through. */
  probe: Probe | undefined
}

/** What the head of a file says it is, when it is no text. */
export function packingIn(disk: Disk, descriptor: number): Packing | 'other' | undefined {
  return packingOf(readFully(disk, descriptor, packingHeadBytes, 0))
}

/** What is in compressed files: each is read through once when it comes to rest, one at a time. */
export class Archives {
  readonly #o: ArchivesOptions
  readonly #archives = new Map<string, Archive>()
  /** Found packed, and waiting for their turn: not opened again before. */
  readonly #waiting = new Map<string, { readonly file: SeenFile; readonly stamp: string }>()
  /** Those that are still written, and since when they were seen to be. */
  readonly #written = new Map<string, { readonly file: SeenFile; readonly sinceMs: number }>()
  /** Directories with archives that are still written, or wait for their turn; and when to look at them again. */
  readonly #unquiet = new Map<string, number>()
  /** Directories that are looked at again for that. */
  readonly #looking = new Set<string>()
  #probing: Archive | undefined

  constructor(options: ArchivesOptions) {
    this.#o = options
  }

  /** What is in it; undefined when that is not known. */
  known({ facts }: SeenFile): Probe | undefined {
    const archive = this.#archives.get(keyOf(facts))
    return archive?.stamp === stampOf(facts) ? archive.probe : undefined
  }

  /** One is read through just now. */
  get probing(): boolean {
    return this.#probing !== undefined
  }

  /** It waits for its turn, and nothing is to be done for it yet. */
  isWaiting({ facts }: SeenFile): boolean {
    const waiting = this.#waiting.get(keyOf(facts))
    return waiting?.stamp === stampOf(facts) && (this.probing || this.#o.busy())
  }

  /** Whether a content may be in an archive that nobody has read yet. */
  mayHold(generation: Generation): boolean {
    if (this.#looking.has(directoryOf(generation.lastPath ?? generation.path))) return true
    const nowMs = this.#o.clock.nowMs()
    const may = (file: SeenFile) => mayHold(file, generation) && !isBornLater(generation, file.facts, nowMs)
    if (this.#probing !== undefined && may(this.#probing.file)) return true
    if (this.#waiting.values().some(({ file }) => may(file))) return true
    const sinceMs = this.#o.clock.monotonicMs() - limits.archiveCutQuietMs
    return this.#written.values().some((written) => written.sinceMs > sinceMs && may(written.file))
  }

  /** When directories have to be looked at for an archive, monotonic; Infinity: no need. */
  get nextMs(): number {
    return this.probing ? Infinity : Math.min(Infinity, ...this.#unquiet.values())
  }

  /** Asks for the looks whose time has come. */
  poll(): void {
    const nowMs = this.#o.clock.monotonicMs()
    // Its end asks for a look anyway.
    if (this.probing) return
    for (const [directory, atMs] of this.#unquiet) {
      if (atMs > nowMs) continue
      this.#unquiet.delete(directory)
      this.#look(directory)
    }
  }

  /**
   * Reads an archive through, when it is not written any more.
   *
   * @param offsets  where its bytes are to be compared
   * @returns        whether it has taken the descriptor
   */
  examine(file: SeenFile, descriptor: number, packing: Packing, offsets: Iterable<number>): boolean {
    const key = keyOf(file.facts)
    const wanted = new Set(offsets)
    const before = this.#archives.get(key)
    const stamp = stampOf(file.facts)
    if (before?.stamp === stamp) {
      if (before === this.#probing || (before.probe !== undefined && wanted.isSubsetOf(before.offsets))) return false
    }
    const quietMs = this.#o.clock.nowMs() - file.facts.modifiedMs
    if (quietMs >= 0 && quietMs < limits.archiveQuietMs) {
      const sinceMs = this.#written.get(key)?.sinceMs ?? this.#o.clock.monotonicMs()
      this.#written.set(key, { file, sinceMs })
      this.#later(file.path)
      return false
    }
    this.#written.delete(key)
    if (this.probing || this.#o.busy()) {
      this.#waiting.set(key, { file, stamp })
      return false
    }
    this.#waiting.delete(key)
    before?.abort.abort()
    const archive: Archive = {
      file,
      stamp,
      abort: new AbortController(),
      offsets: wanted.union(before?.offsets ?? new Set()),
      probe: undefined,
    }
    this.#archives.set(key, archive)
    void this.#probe(archive, descriptor, packing)
    return true
  }

  /** Forgets what is no more there, or has found its generation. */
  forget(key: string): void {
    this.#archives.get(key)?.abort.abort()
    this.#archives.delete(key)
  }

  /** @param isThere  whether a path in this directory was listed with this key */
  sweep(directory: string, isThere: (path: string, key: string) => boolean): void {
    this.#looking.delete(directory)
    for (const seen of [this.#waiting, this.#written]) {
      for (const [key, { file }] of seen) {
        if (directoryOf(file.path) === directory && !isThere(file.path, key)) seen.delete(key)
      }
    }
    for (const [key, { file }] of this.#archives) {
      if (directoryOf(file.path) === directory && !isThere(file.path, key)) this.forget(key)
    }
  }

  /** Every directory was looked at. */
  looked(): void {
    this.#looking.clear()
  }

  close(): void {
    for (const key of this.#archives.keys()) this.forget(key)
  }

  /** No archive is being read: the next one that waits is looked at. */
  turn(): void {
    const [next] = this.#waiting.values()
    if (next !== undefined) this.#look(directoryOf(next.file.path))
  }

  #look(directory: string): void {
    this.#looking.add(directory)
    this.#o.lookAgain(directory)
  }

  #later(path: string): void {
    this.#unquiet.set(directoryOf(path), this.#o.clock.monotonicMs() + limits.archiveRetryMs)
  }

  async #probe(archive: Archive, descriptor: number, packing: Packing): Promise<void> {
    this.#probing = archive
    try {
      const inside = await this.#o.probe(descriptor, packing, [...archive.offsets], archive.abort.signal)
      // Of the disk, not of the archive: once more, later.
      if (isSystemError(inside.failure)) this.#later(archive.file.path)
      else archive.probe = inside
    } catch (error) {
      if (!archive.abort.signal.aborted && codeOf(error) === '') throw error
    } finally {
      this.#probing = undefined
      closeQuietly(this.#o.disk, descriptor)
      this.#look(directoryOf(archive.file.path))
      this.turn()
    }
  }
}

/** Whether the content of an archive begins with the bytes that a fingerprint was made of. */
export function beginsLike({ head }: Probe, { hash, bytes }: Fingerprint): boolean {
  return head.length >= bytes && hashOf(head.subarray(0, bytes)) === hash
}

/** Whether an archive holds the bytes of a generation, as far as they were read. */
export function holdsPacked(probe: Probe, generation: Generation): boolean {
  const { fingerprint, offset } = generation
  if (fingerprint === undefined || probe.bytes < offset || isTooShort(generation, probe.bytes)) return false
  if (!beginsLike(probe, fingerprint)) return false
  if (probe.bytes > offset && isPiece(generation, probe.head)) return false
  return offset === 0 || probe.guards.get(offset) === generation.guardHash()
}
