import type { Packing } from '../base/unpack.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { keyOf, sameBirth } from './identity.ts'
import { closeQuietly, openInside, type Opened, type Refusal } from './opening.ts'
import { stampOf, type SeenFile } from './seen.ts'
import type { Unpacking } from './unpacking.ts'

export interface DescriptorsOptions {
  readonly disk: Unpacking
  /** Real directories that nothing is read outside of. */
  readonly roots: () => readonly string[]
  /** Real directories of Remora's own that nothing is read in. */
  readonly own: () => readonly string[]
  /** How many may be open. */
  readonly openFilesMax: number
  readonly refused: (path: string, refusal: Refusal) => void
}

/** The open files of the generations: opened inside the roots only, a bounded number, given back when idle. */
export class Descriptors {
  readonly #o: DescriptorsOptions
  readonly #holders = new Set<Generation>()
  /** The one whose archive is open. */
  #unpacked: Generation | undefined
  /** Files that were opened and are somebody's now. */
  readonly #taken = new WeakSet<Opened>()

  /** The last file that was to be opened is there, and could not be. */
  refusedLast = false
  /** Why the last file that a listing had shown was not open for whoever wanted it; undefined: it was. */
  refusal: Refusal | undefined

  constructor(options: DescriptorsOptions) {
    this.#o = options
  }

  get open(): number {
    return this.#holders.size
  }

  /** An archive is open: one at a time, for each takes memory for its decoder. */
  get unpacking(): boolean {
    return this.#unpacked !== undefined
  }

  /** Opens what the listing has seen, and closes it again unless somebody has taken it. */
  with<T>(file: SeenFile, otherwise: T, use: (opened: Opened) => T): T {
    const opened = this.#open(file.path)
    if (opened === undefined) return otherwise
    try {
      // Not one that was rotated into its name since, or has its inode: the next look sees both.
      const isSame = keyOf(opened.facts) === keyOf(file.facts) && sameBirth(opened.facts.birthNs, file.facts.birthNs)
      if (isSame) return use(opened)
      this.refusal = replacedMeanwhile
      return otherwise
    } finally {
      if (!this.#taken.has(opened)) closeQuietly(this.#o.disk, opened.descriptor)
    }
  }

  /** Whoever calls closes it. */
  take(opened: Opened): void {
    this.#taken.add(opened)
  }

  /** Gives an open file to a generation. */
  hold(generation: Generation, opened: Opened): void {
    this.take(opened)
    this.#hold(generation, opened.descriptor)
  }

  /** The same for an archive, which is read unpacked from the generation's offset on. */
  holdPacked(generation: Generation, opened: Opened, packing: Packing): void {
    const from = generation.offset - generation.guard.length
    const descriptor = this.#o.disk.openUnpacked(opened.descriptor, packing, from)
    this.take(opened)
    this.#unpacked = generation
    this.#hold(generation, descriptor)
  }

  /** A descriptor goes on to the generation that follows in the same inode. */
  pass(from: Generation, to: Generation): void {
    to.descriptor = from.descriptor
    from.descriptor = -1
    if (this.#holders.delete(from)) this.#holders.add(to)
  }

  release(generation: Generation): void {
    if (generation.descriptor === -1) return
    this.#holders.delete(generation)
    if (this.#unpacked === generation) this.#unpacked = undefined
    const { descriptor } = generation
    generation.descriptor = -1
    closeQuietly(this.#o.disk, descriptor)
  }

  /** Opens a file again whose descriptor was given back. False: its name leads to another file now, or to none. */
  reopen(generation: Generation): boolean {
    if (generation.descriptor !== -1) return true
    if (generation.currentPath === undefined) return false
    if (generation.packing !== undefined && (generation.finished || this.unpacking)) return false
    const opened = this.#open(generation.currentPath)
    if (opened === undefined) return false
    const isSame = keyOf(opened.facts) === generation.key && sameBirth(opened.facts.birthNs, generation.birthNs)
    const isOther = generation.packing !== undefined && stampOf(opened.facts) !== generation.archiveStamp
    if (!isSame || isOther) {
      this.#o.disk.close(opened.descriptor)
      return false
    }
    if (generation.packing === undefined) this.hold(generation, opened)
    else this.#holdAgain(generation, opened, generation.packing)
    return true
  }

  #holdAgain(generation: Generation, opened: Opened, packing: Packing): void {
    try {
      this.holdPacked(generation, opened, packing)
    } catch (error) {
      if (!this.#taken.has(opened)) this.#o.disk.close(opened.descriptor)
      throw error
    }
  }

  #hold(generation: Generation, descriptor: number): void {
    generation.descriptor = descriptor
    this.#holders.add(generation)
    this.#spare(generation)
  }

  #open(path: string): Opened | undefined {
    // Only what has no name is left to spare: sockets, the state and probes need the rest.
    if (this.open > this.#o.openFilesMax) {
      this.refusedLast = true
      let unreadBytes = 0
      for (const holder of this.#holders) unreadBytes += holder.unreadBytes
      this.refusal = {
        code: 'EMFILE',
        message: `${this.open} files are open already, ${this.#o.openFilesMax} may be, and all of them are deleted and not wholly shipped (${unreadBytes} bytes unread)`,
        wayOut: `It is opened when some of them are shipped. Mend what keeps Elasticsearch from taking documents, or ${raiseOpenFiles}.`,
      }
      this.#o.refused(path, this.refusal)
      return undefined
    }
    const opened = openInside(this.#o.disk, path, this.#o.roots(), this.#o.own())
    this.refusedLast = false
    this.refusal = undefined
    if ('descriptor' in opened) return opened
    this.refusal = this.#explained(opened)
    // Rotated away between look and opening: the next look finds it under its new name.
    this.refusedLast = opened.code !== 'ENOENT'
    if (this.refusedLast) this.#o.refused(path, this.refusal)
    return undefined
  }

  /** With what is known here of the files that are open. */
  #explained(refusal: Refusal): Refusal {
    if (refusal.code !== 'EMFILE') return refusal
    return {
      ...refusal,
      message: `${refusal.message}: ${this.open} log files are open, of ${this.#o.openFilesMax} that may be`,
      wayOut: `It is tried again at each scan. ${raiseOpenFiles[0]!.toUpperCase()}${raiseOpenFiles.slice(1)}.`,
    }
  }

  /**
   * Over the budget, files give their descriptors back: first those that are wholly read, then those that still have
   * their first name, which lead the shortest way back, and where none is left those that were rotated and still have a name;
   * the ones that were quiet for longest first. What has no name keeps its own: nothing leads back to it.
   */
  #spare(keep: Generation): void {
    const { openFilesMax } = this.#o
    if (this.open <= openFilesMax) return
    // Many at once: the search costs as much for one.
    let over = this.open - Math.floor((openFilesMax * 7) / 8)
    const spare = [...this.#holders].filter(
      (generation) => generation !== keep && generation !== this.#unpacked && generation.currentPath !== undefined,
    )
    for (const generation of spare.toSorted((a, b) => riskOf(a) - riskOf(b) || a.changedAtMs - b.changedAtMs)) {
      // More than must only of those that have nothing to lose.
      if (over-- <= 0 || (riskOf(generation) === 2 && this.open <= openFilesMax)) return
      this.release(generation)
    }
  }
}

const raiseOpenFiles = `raise the limit of open files of the container (ulimit -n) to ${limits.openFilesMax + limits.descriptorsReserve} or more`

const replacedMeanwhile: Refusal = {
  code: 'REPLACED',
  message: 'another file had its name when it was to be opened',
  wayOut: 'Keep rotated files for longer than a look takes.',
}

/** What may be lost with the descriptor, the least first. */
function riskOf({ unreadBytes, stage }: Generation): number {
  return unreadBytes === 0 ? 0 : stage === 'live' ? 1 : 2
}
