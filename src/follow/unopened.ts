import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { keyOf, sameBirth } from './identity.ts'
import type { Refusal } from './opening.ts'
import { directoryOf, type Happening, type SeenDirectory, type SeenFile } from './seen.ts'

/** A file that a listing has shown, and of which nobody has read a byte. */
interface Note {
  /** The name under which it was seen first: its lines would have had it. */
  readonly path: string
  readonly before: readonly string[]
  readonly birthNs: bigint
  currentPath: string
  /** In the last listing that had it. */
  sizeBytes: number
  refusal: Refusal
  /** Looks at everything that did not have it, one after the other. */
  missed: number
  /** When it was missed for good, monotonic; undefined: it is there, as far as anybody knows. */
  goneAtMs: number | undefined
  /** A copy or an archive that may have its bytes. */
  holder: Generation | undefined
}

export interface LeftUnopened {
  /** The name under which it was seen first. */
  readonly path: string
  readonly bytes: number
  /** Why it cannot be opened: a code; empty: it is no longer there. */
  readonly reason: string
}

export interface UnopenedOptions {
  readonly clock: Clock
  readonly isUnsure: (path: string) => boolean
  readonly happened: (happening: Happening) => void
}

/** In one look at everything a file may be missing that is renamed just then. */
const missesMax = 2

/**
 * Files that were seen and could not be opened, or came and went between the two. Such a file is no generation, so nobody
 * would miss it: when it is gone, or emptied, before anybody has opened it, the bytes that it had are a gap. Kept in memory
 * only, and a bounded number of them.
 */
export class Unopened {
  readonly #o: UnopenedOptions
  /** By inode. */
  readonly #there = new Map<string, Note>()
  readonly #gone = new Set<Note>()
  #isOverSaid = false
  /** Something is not where it was: the next look must bring everything. */
  searching = false

  constructor(options: UnopenedOptions) {
    this.#o = options
  }

  /** What is unread of each. */
  get left(): readonly LeftUnopened[] {
    return [...this.#there.values(), ...this.#gone].map(({ path, sizeBytes, refusal, goneAtMs }) => ({
      path,
      bytes: sizeBytes,
      reason: goneAtMs === undefined ? refusal.code : '',
    }))
  }

  /** When `poll` has something to say, monotonic. */
  get dueMs(): number {
    let dueMs = Infinity
    for (const { goneAtMs } of this.#gone) dueMs = Math.min(dueMs, goneAtMs! + limits.copyDoubtMs)
    return dueMs
  }

  /** It is one of them. */
  has({ facts }: SeenFile): boolean {
    return this.#there.has(keyOf(facts))
  }

  /** It could not be opened. */
  refused(file: SeenFile, refusal: Refusal): void {
    const key = keyOf(file.facts)
    const known = this.#known(key, file)
    if (known !== undefined) {
      known.refusal = refusal
      this.#resized(known, file)
      return
    }
    if (file.facts.sizeBytes === 0) return
    if (this.#there.size + this.#gone.size >= limits.unopenedFilesMax) return this.#sayOver(file.path)
    this.#there.set(key, {
      path: file.path,
      before: file.before,
      birthNs: file.facts.birthNs,
      currentPath: file.path,
      sizeBytes: file.facts.sizeBytes,
      refusal,
      missed: 0,
      goneAtMs: undefined,
      holder: undefined,
    })
  }

  /** It is open: whoever has it knows it from now on. What it had and has no more nobody has read. */
  opened(file: SeenFile): void {
    if (this.#there.size === 0) return
    const key = keyOf(file.facts)
    const known = this.#known(key, file)
    if (known !== undefined) this.#resized(known, file)
    this.#there.delete(key)
  }

  /** A content that was never seen is in a file with a rotated name: that of one of these with such a name, as far as anybody can know. */
  found({ before, facts }: SeenFile, holder: Generation, packed: boolean): void {
    for (const note of [...this.#gone, ...this.#there.values()]) {
      const isNamed = before.some((name) => name === note.path || note.before.includes(name))
      // What is no archive is younger than what it is a copy of.
      const mayHold = packed || note.birthNs === 0n || facts.birthNs > note.birthNs
      if (!isNamed || !mayHold || note.holder !== undefined) continue
      note.holder = holder
      return
    }
  }

  /**
   * What the listings of a look show of them.
   *
   * @param isKnown  whether somebody has opened the inode with this number by now
   */
  endLook(
    directories: readonly SeenDirectory[],
    files: readonly SeenFile[],
    everything: boolean,
    isKnown: (key: string) => boolean,
  ): void {
    if (everything) this.searching = false
    if (this.#there.size === 0) return
    const seen = new Map(files.map((file) => [keyOf(file.facts), file]))
    const unknownIn = new Map(directories.map(({ directory, unknown }) => [directory, unknown]))
    for (const [key, note] of this.#there) {
      const file = seen.get(key)
      if (file !== undefined && sameBirth(note.birthNs, file.facts.birthNs)) {
        note.missed = 0
        if (isKnown(key)) this.opened(file)
        else this.#resized(note, file)
        continue
      }
      const unknown = unknownIn.get(directoryOf(note.currentPath))
      if (!everything && unknown === undefined) continue
      if (unknown?.has(note.currentPath) === true || this.#o.isUnsure(note.currentPath)) continue
      if (everything && ++note.missed >= missesMax) this.#vanished(key, note)
      else this.searching = true
    }
  }

  /** Says what is gone for good. */
  poll(): void {
    const atMs = this.#o.clock.monotonicMs() - limits.copyDoubtMs
    for (const note of this.#gone) if (note.goneAtMs! <= atMs) this.#say(note)
  }

  /** The one with this number, if it is the same one. */
  #known(key: string, { facts }: SeenFile): Note | undefined {
    const known = this.#there.get(key)
    if (known === undefined || sameBirth(known.birthNs, facts.birthNs)) return known
    this.#vanished(key, known)
    return undefined
  }

  /** Shorter than it was, it was emptied: what it had may be in a copy. */
  #resized(note: Note, { path, facts }: SeenFile): void {
    if (facts.sizeBytes < note.sizeBytes) {
      this.#lose({ ...note })
      note.holder = undefined
    }
    note.sizeBytes = facts.sizeBytes
    note.currentPath = path
  }

  /** What is in an archive by now may not have been found yet. */
  #vanished(key: string, note: Note): void {
    this.#there.delete(key)
    if (note.sizeBytes > 0) this.#lose(note)
  }

  #lose(note: Note): void {
    note.goneAtMs = this.#o.clock.monotonicMs()
    this.#gone.add(note)
    // Emptied again and again, one makes many of them: the oldest is said sooner.
    const [oldest] = this.#gone
    if (this.#gone.size > limits.unopenedFilesMax && oldest !== undefined) this.#say(oldest)
  }

  #say(note: Note): void {
    this.#gone.delete(note)
    const { path, sizeBytes: bytes, refusal, holder } = note
    if (holder !== undefined && Math.max(holder.sizeBytes, holder.contentBytes) >= bytes) return
    this.#o.happened({ kind: 'unopened', path, bytes, refusal })
  }

  #sayOver(path: string): void {
    if (this.#isOverSaid) return
    this.#isOverSaid = true
    this.#o.happened({
      kind: 'refused',
      path,
      code: 'UNOPENED_MANY',
      message: `more than ${limits.unopenedFilesMax} files cannot be opened: of further ones, this being the first, nobody would say that they were deleted unread`,
      wayOut:
        'The messages about the first ones say why they cannot be opened: mend that, or leave them out with REMORA_EXCLUDE.',
    })
  }
}
