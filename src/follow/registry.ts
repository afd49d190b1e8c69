import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Steps } from '../base/steps.ts'
import type { SavedGeneration } from '../base/state.ts'
import { Archives } from './archives.ts'
import { Copies } from './copies.ts'
import { Descriptors } from './descriptors.ts'
import { Elders } from './elders.ts'
import { Endings } from './endings.ts'
import { Family } from './family.ts'
import type { Generation } from './generation.ts'
import { Identifying } from './identifying.ts'
import type { Parts, RegistryOptions } from './parts.ts'
import { probe } from './probing.ts'
import { Removals } from './removals.ts'
import { Polling } from './polling.ts'
import { Rest } from './rest.ts'
import { Resuming } from './resuming.ts'
import { byAge, type SeenDirectory, type SeenFile } from './seen.ts'
import { Sightings } from './sightings.ts'
import { Sizing } from './sizing.ts'
import { Strangers } from './strangers.ts'
import { Unopened, type LeftUnopened } from './unopened.ts'

/** Why a file is unread for which the system has no code. */
export const notReopened = 'NOT_REOPENED'
export const readFailed = 'READ_FAILED'

/** Which generation each file is: opens, remembers and forgets them. The decisions are in `rotation.ts`. */
export class Registry {
  /** Files that may be deleted to make room. */
  readonly removals: Removals
  readonly #o: RegistryOptions
  readonly #family: Family
  readonly #copies: Copies
  readonly #archives: Archives
  readonly #descriptors: Descriptors
  readonly #elders: Elders
  readonly #unopened: Unopened
  readonly #rest: Rest
  readonly #endings: Endings
  readonly #identifying: Identifying
  readonly #strangers: Strangers
  readonly #resuming: Resuming
  readonly #sizing: Sizing
  readonly #polling: Polling
  readonly #sightings: Sightings
  #firstLook = true

  constructor(options: RegistryOptions, saved: readonly SavedGeneration[]) {
    this.#o = options
    this.#family = new Family(options)
    this.#copies = new Copies(options.clock)
    this.#descriptors = new Descriptors({
      disk: options.disk,
      roots: options.roots,
      own: options.own ?? (() => []),
      openFilesMax: options.openFilesMax ?? limits.openFilesMax,
      refused: (path, refusal) => options.happened({ kind: 'refused', path, ...refusal }),
    })
    this.#elders = new Elders(options.clock, options.lookAgain)
    this.#unopened = new Unopened(options)
    this.#archives = new Archives({
      disk: options.disk,
      clock: options.clock,
      probe: (...args) => probe(options.disk, ...args),
      busy: () => this.#descriptors.unpacking,
      lookAgain: options.lookAgain,
    })
    const parts: Parts = {
      ...options,
      family: this.#family,
      copies: this.#copies,
      archives: this.#archives,
      descriptors: this.#descriptors,
      elders: this.#elders,
      unopened: this.#unopened,
      tried: (file, otherwise, see) => this.#tried(file, otherwise, see),
      isSaved: (path) => this.#resuming.hasPath(path),
      isThere: (generation) => this.#sightings.isThereNow(generation),
      look: (generation) => void this.#sizing.look(generation, options.clock.monotonicMs()),
      soon: (generation) => this.#polling.soon(generation),
      reopen: (generation) => this.#polling.reopen(generation),
      again: (known, file) => this.#sightings.again(known, file),
      replaced: (generation, why) => this.#endings.replaced(generation, why),
      ended: (generation, why) => this.#endings.end(generation, why),
      gone: (generation) => this.#endings.gone(generation),
      forget: (generation) => this.#endings.forget(generation),
      hasEnded: (generation) => this.#endings.hasEnded(generation),
    }
    this.#rest = new Rest(parts)
    this.#endings = new Endings(parts, this.#rest)
    this.#identifying = new Identifying(parts)
    this.#strangers = new Strangers(parts, this.#rest)
    this.#resuming = new Resuming(parts, this.#rest, saved)
    this.#sizing = new Sizing(parts, this.#endings)
    this.#polling = new Polling(parts, this.#rest, this.#endings, this.#identifying, this.#sizing)
    this.#sightings = new Sightings(parts, {
      rest: this.#rest,
      endings: this.#endings,
      strangers: this.#strangers,
      resuming: this.#resuming,
      sizing: this.#sizing,
      polling: this.#polling,
    })
    this.removals = new Removals(parts, this.#endings)
  }

  get generations(): ReadonlySet<Generation> {
    return this.#family.generations
  }

  /** Saved generations whose file is there and could not be opened yet: they stay in the checkpoint as they are. */
  get waiting(): SavedGeneration[] {
    return this.#resuming.waiting
  }

  /** Files that were seen and that nobody could open yet. */
  get unopened(): readonly LeftUnopened[] {
    return this.#unopened.left
  }

  /** Of each file that has unread bytes and cannot be read, why: a code. */
  *unreadable(): Iterable<string> {
    for (const { reason } of this.unopened) if (reason !== '') yield reason
    for (const { finished } of this.waiting) if (!finished) yield notReopened
    for (const { failed, finished } of this.generations) if (failed && !finished) yield readFailed
  }

  hasPath(path: string): boolean {
    return this.#family.hasPath(path)
  }

  get openFiles(): number {
    return this.#descriptors.open
  }

  /** Something was not found: the next look must bring everything. What that does not hold either is gone. */
  get searching(): boolean {
    return this.#resuming.searching || this.#rest.searching || this.#unopened.searching
  }

  /**
   * Takes in what one look found. Between two steps nothing else may act on files; verdicts and notifications may come.
   *
   * @param everything  every directory was looked at; so it must be at the first call
   */
  *observe(directories: readonly SeenDirectory[], everything: boolean): Steps<void> {
    this.sweep()
    this.#rest.beginLook(everything)
    // Oldest first, so that a rotated file gets its place before its successor.
    const files = directories.flatMap((seen) => seen.entries)
    const ordered = files.toSorted(byAge)
    const keysByPath = this.#sightings.beginLook(directories, files)
    this.#resuming.beginLook()
    this.#strangers.beginLook(everything)
    this.#elders.beginLook(this.#family.generations, this.#sightings.listings, everything)
    const strangers: SeenFile[] = []
    for (const file of ordered) {
      yield
      if (!this.#tried(file, true, () => this.#sightings.recognize(file))) strangers.push(file)
    }
    if (everything) yield* this.#resuming.search(files)
    // After all that is known has its place, and what a glob matches: what is left may be a copy of it.
    strangers.sort((a, b) => rankOf(a) - rankOf(b))
    for (const file of strangers) {
      yield
      this.#tried(file, undefined, () => {
        if (!this.#sightings.recognize(file))
          this.#strangers.observe(file, file.before.length > 0 && this.#resuming.mayOwn(file), this.#firstLook)
      })
    }
    this.#firstLook = false
    this.#sightings.vanished(directories, keysByPath)
    yield* this.#rest.endLook(files)
    this.#unopened.endLook(directories, files, everything, (key) => this.#family.withKey(key) !== undefined)
    for (const { directory, unknown } of directories) {
      const isThere = (path: string, key: string) =>
        unknown.has(path) || (keysByPath.get(path) === key && this.#family.withKey(key) === undefined)
      this.#archives.sweep(directory, isThere)
      this.#copies.sweep(directory, isThere)
    }
    this.#elders.endLook(this.#family.generations, everything)
    if (everything) this.#archives.looked()
    this.#sightings.endLook()
  }

  /** Nobody looks any more: what waited for that is read. */
  lastLook(): void {
    this.#elders.lastLook(this.#family.generations)
  }

  /** Whose time comes when may have changed: all are gone through at the next poll. */
  sweep(): void {
    this.#polling.sweep()
  }

  /** See `Polling`. */
  poll(watched: (directory: string) => boolean, everything: boolean): Steps<Set<string>> {
    return this.#polling.poll(watched, everything)
  }

  /** Goes through all for those whose time comes soon. */
  findSoon(watched: (directory: string) => boolean): void {
    this.#polling.findSoon(watched)
  }

  /** When `poll` has something to do next, monotonic; Infinity: only a hint can tell. */
  nextPollMs(watched: (directory: string) => boolean): number {
    return this.#polling.nextPollMs(watched)
  }

  /** When a line has waited for long enough for the next one, monotonic. */
  get countsUntilMs(): number {
    return this.#identifying.dueMs
  }

  /** Finds the names that begin the ids of a generation; false while there is none for the line at its offset. */
  identify(generation: Generation): boolean {
    const isNamed = this.#identifying.identify(generation)
    if (generation.countsUntilMs !== undefined) this.#polling.soon(generation)
    return isNamed
  }

  /** Bytes of it were put into a batch. */
  consumed(generation: Generation): void {
    this.#identifying.consumed(generation)
  }

  /** Nothing waits for what may come: Remora stops. */
  hurry(): void {
    for (const generation of this.#family.generations) {
      this.#polling.safely(generation, () => this.#endings.verify(generation))
    }
    this.#identifying.hurry()
  }

  /** The content of an open file is another one: its generation has ended, and a new one begins in the same inode. */
  replaced(generation: Generation, why: string): void {
    this.#endings.replaced(generation, why)
  }

  /** Everything of a generation that has ended was read: no more is expected. */
  finish(generation: Generation): void {
    this.#endings.finish(generation)
  }

  /** Whether the last line needs no newline any more. */
  hasEnded(generation: Generation): boolean {
    return this.#endings.hasEnded(generation)
  }

  /** More of an archive is unpacked. */
  progressed(descriptor: number): void {
    for (const generation of this.#family.generations) {
      if (generation.descriptor !== descriptor) continue
      this.#polling.safely(generation, () => void this.#polling.ask(generation))
    }
  }

  /** A read failed: it is tried again after a while, and the other files go on. */
  failedToRead(generation: Generation): void {
    this.#polling.failedToRead(generation)
  }

  /** Opens a file again whose descriptor was given back. False: its name leads to another file now, or to none. */
  reopen(generation: Generation): boolean {
    return this.#polling.reopen(generation)
  }

  close(): void {
    for (const generation of this.#family.generations) this.#descriptors.release(generation)
    this.#archives.close()
  }

  /** One file that cannot be read does not keep the others from being seen. */
  #tried<T>(file: SeenFile, otherwise: T, see: () => T): T {
    try {
      return see()
    } catch (error) {
      const code = codeOf(error)
      if (code === '') throw error
      const wayOut = 'It is tried again at each scan; the other files go on.'
      this.#o.happened({ kind: 'refused', path: file.path, code, message: messageOf(error), wayOut })
      return otherwise
    }
  }
}

/** Files under their first name come before those that may be copies of them. */
function rankOf({ matched, before }: SeenFile): number {
  return matched ? Number(before.length > 0) : 2
}
