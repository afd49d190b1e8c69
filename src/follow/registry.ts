import { backOffMs } from '../base/backing-off.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Steps } from '../base/steps.ts'
import type { SavedGeneration } from '../base/state.ts'
import { Archives } from './archives.ts'
import { Copies, type Copy } from './copies.ts'
import { Descriptors } from './descriptors.ts'
import { Elders } from './elders.ts'
import { Endings } from './endings.ts'
import { Family } from './family.ts'
import type { Generation } from './generation.ts'
import { beginsWith, guardAt, isIntact, isSearched, keyOf, sameBirth } from './identity.ts'
import { Identifying } from './identifying.ts'
import type { Parts, RegistryOptions } from './parts.ts'
import { probe } from './probing.ts'
import { Removals } from './removals.ts'
import { Rest } from './rest.ts'
import { Resuming } from './resuming.ts'
import { byAge, stampOf, type SeenDirectory, type SeenFile } from './seen.ts'
import { Strangers } from './strangers.ts'

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
  readonly #rest: Rest
  readonly #endings: Endings
  readonly #identifying: Identifying
  readonly #strangers: Strangers
  readonly #resuming: Resuming
  /** Directories in which a listing has shown growth. */
  readonly #grown = new Set<string>()
  #listings = new Map<string, readonly SeenFile[]>()
  /** The inode that each name led to in the listings of this look; undefined between two. */
  #keysByPath: ReadonlyMap<string, string> | undefined
  /** Inodes of which the present look cannot tell whether they are still what is known. */
  readonly #untold = new Set<string>()
  #firstLook = true
  /** Whose time may come before all are gone through again; the others cost nothing until then. */
  #soon = new Set<Generation>()
  #sweepAtMs = 0
  /** When the time of the first of the others comes. */
  #laterMs = Infinity
  /** Live files that no notification tells of, at the last time that all were gone through. */
  #polled = 0

  constructor(options: RegistryOptions, saved: readonly SavedGeneration[]) {
    this.#o = options
    this.#family = new Family(options)
    this.#copies = new Copies(options.clock)
    this.#descriptors = new Descriptors({
      disk: options.disk,
      roots: options.roots,
      openFilesMax: options.openFilesMax ?? limits.openFilesMax,
      refused: (path, refusal) => options.happened({ kind: 'refused', path, ...refusal }),
    })
    this.#elders = new Elders(options.clock, options.lookAgain)
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
      tried: (file, otherwise, see) => this.#tried(file, otherwise, see),
      isSaved: (path) => this.#resuming.waiting.some((entry) => entry.path === path),
      isThere: (generation) => this.#isThereNow(generation),
      look: (generation) => void this.#look(generation, options.clock.monotonicMs()),
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
    this.removals = new Removals(parts, this.#endings)
  }

  get generations(): ReadonlySet<Generation> {
    return this.#family.generations
  }

  /** Saved generations whose file is there and could not be opened yet: they stay in the checkpoint as they are. */
  get waiting(): SavedGeneration[] {
    return this.#resuming.waiting
  }

  hasPath(path: string): boolean {
    return this.#family.hasPath(path)
  }

  get openFiles(): number {
    return this.#descriptors.open
  }

  /** Something was not found: the next look must bring everything. What that does not hold either is gone. */
  get searching(): boolean {
    return this.#resuming.searching || this.#rest.searching
  }

  /**
   * Takes in what one look found. Between two steps nothing else may act on files; verdicts and notifications may come.
   *
   * @param everything  every directory was looked at; so it must be at the first call
   */
  *observe(directories: readonly SeenDirectory[], everything: boolean): Steps<void> {
    this.sweep()
    this.#rest.beginLook(everything)
    this.#listings = new Map(directories.map((seen) => [seen.directory, seen.entries]))
    // Oldest first, so that a rotated file gets its place before its successor.
    const files = directories.flatMap((seen) => seen.entries)
    const ordered = files.toSorted(byAge)
    const keysByPath = new Map(files.map((file) => [file.path, keyOf(file.facts)]))
    this.#keysByPath = keysByPath
    this.#resuming.beginLook()
    this.#strangers.beginLook(everything)
    this.#untold.clear()
    this.#elders.beginLook(this.#family.generations, this.#listings, everything)
    const strangers: SeenFile[] = []
    for (const file of ordered) {
      yield
      if (!this.#tried(file, true, () => this.#recognize(file))) strangers.push(file)
    }
    if (everything) this.#resuming.search(files)
    // After all that is known has its place, and what a glob matches: what is left may be a copy of it.
    strangers.sort((a, b) => rankOf(a) - rankOf(b))
    for (const file of strangers) {
      yield
      this.#tried(file, undefined, () => {
        if (!this.#recognize(file))
          this.#strangers.observe(file, file.before.length > 0 && this.#resuming.mayOwn(file), this.#firstLook)
      })
    }
    this.#firstLook = false
    this.#vanished(directories, keysByPath)
    this.#rest.endLook(files)
    for (const { directory, unknown } of directories) {
      const isThere = (path: string, key: string) =>
        unknown.has(path) || (keysByPath.get(path) === key && this.#family.withKey(key) === undefined)
      this.#archives.sweep(directory, isThere)
      this.#copies.sweep(directory, isThere)
    }
    this.#elders.endLook(this.#family.generations, everything)
    if (everything) this.#archives.looked()
    this.#listings = new Map()
    this.#keysByPath = undefined
  }

  /** Nobody looks any more: what waited for that is read. */
  lastLook(): void {
    this.#elders.lastLook(this.#family.generations)
  }

  /** Whose time comes when may have changed: all are gone through at the next poll. */
  sweep(): void {
    this.#sweepAtMs = 0
  }

  /**
   * Asks each file whose time has come for its size: an open one itself, another one by its name. In steps as `observe`.
   *
   * @param watched     whether a hint would come from this directory: its files need no asking
   * @param everything  all of them, whether their time has come or not
   * @returns           the directories in which something grew
   */
  *poll(watched: (directory: string) => boolean, everything: boolean): Steps<Set<string>> {
    const nowMs = this.#o.clock.monotonicMs()
    this.#identifying.dueMs = Infinity
    const grown = new Set<string>(this.#grown)
    this.#grown.clear()
    const isSweep = everything || nowMs >= this.#sweepAtMs
    const asked = isSweep ? this.#family.generations : this.#soon
    for (const generation of asked) {
      yield
      this.#identifying.poll(generation, nowMs)
      if (this.#elders.isOver(generation, nowMs) && generation.readable) this.#o.readable(generation)
      if (generation.descriptor === -1) {
        if (nowMs - generation.changedAtMs >= limits.endedQuietMs && this.#rest.isGivenUp(generation)) {
          if (!this.#rest.looksForOutrun(generation)) this.#endings.gone(generation)
        } else if (this.#waitsForTurn(generation)) this.#safely(generation, () => this.#takeTurn(generation))
        else if (generation.nextPollMs <= nowMs && generation.failed && isClosed(generation)) {
          generation.searchAgain()
          this.#safely(generation, () => this.#takeTurn(generation))
        } else if (generation.nextPollMs <= nowMs && isAskedByName(generation) && !watched(generation.directory!)) {
          this.#safely(generation, () => {
            if (this.#askByName(generation, nowMs)) grown.add(generation.directory!)
          })
        }
        continue
      }
      if (generation.nextPollMs > nowMs && !everything) continue
      const { directory, failed, stage } = generation
      if (!everything && directory !== undefined && stage === 'live' && !failed && watched(directory)) {
        generation.nextPollMs = nowMs + limits.pollIntervalMaxMs
        continue
      }
      this.#safely(generation, () => {
        if (this.#ask(generation, nowMs) && directory !== undefined) grown.add(directory)
      })
    }
    this.#archives.poll()
    if (isSweep) this.findSoon(watched)
    return grown
  }

  /** Goes through all for those whose time comes soon. */
  findSoon(watched: (directory: string) => boolean): void {
    const nowMs = this.#o.clock.monotonicMs()
    this.#sweepAtMs = nowMs + limits.sweepIntervalMs
    this.#laterMs = Infinity
    this.#polled = 0
    this.#soon = new Set()
    for (const generation of this.#family.generations) {
      const { directory, stage, packing, finished } = generation
      const dueMs = this.#dueMs(generation, watched)
      if (dueMs < Infinity && stage === 'live' && directory !== undefined) this.#polled++
      if (dueMs < this.#sweepAtMs || (packing !== undefined && !finished)) this.#soon.add(generation)
      else if (dueMs < this.#laterMs) this.#laterMs = dueMs
    }
  }

  /** The same for a file that is not open: it is opened again when it has changed. True when it grew. */
  #askByName(generation: Generation, nowMs: number): boolean {
    const { currentPath, directory, key, birthNs, changedAtMs } = generation
    generation.nextPollMs = nowMs + backOffMs(nowMs - changedAtMs, this.#polled, limits.pollIntervalMaxMs)
    const facts = this.#o.disk.look(currentPath!)
    if (facts === undefined || keyOf(facts) !== key || !sameBirth(birthNs, facts.birthNs)) {
      this.#o.lookAgain(directory!)
      return false
    }
    if (facts.sizeBytes === generation.sizeBytes && facts.modifiedMs === generation.modifiedMs) return false
    const before = this.#o.namesBefore(currentPath!)
    this.#again(generation, { path: currentPath!, facts, matched: true, before })
    return generation.changedAtMs > changedAtMs
  }

  /** An archive that is to be read, and no other one is. */
  #waitsForTurn({ packing, finished, currentPath, failed, nextPollMs }: Generation): boolean {
    if (packing === undefined || finished || currentPath === undefined) return false
    if (failed && nextPollMs > this.#o.clock.monotonicMs()) return false
    return !this.#descriptors.unpacking && !this.#archives.probing
  }

  #takeTurn(generation: Generation): void {
    generation.failed = false
    if (this.reopen(generation)) this.#look(generation, this.#o.clock.monotonicMs())
    else this.failedToRead(generation)
  }

  /** One file that the disk does not give keeps none of the others. */
  #safely(generation: Generation, act: () => void): void {
    try {
      act()
    } catch (error) {
      if (codeOf(error) === '') throw error
      this.failedToRead(generation)
    }
  }

  /** True when it grew. */
  #ask(generation: Generation, nowMs: number): boolean {
    if (generation.packing !== undefined && this.#endings.isInterrupted(generation.descriptor)) {
      this.#descriptors.release(generation)
      this.failedToRead(generation)
      return false
    }
    const wasFailing = generation.failed
    if (wasFailing) generation.searchAgain()
    const grown = this.#look(generation, nowMs)
    if (wasFailing) generation.failed = false
    generation.nextPollMs = nowMs + this.#intervalMs(generation, nowMs)
    // Nothing is left to read: that takes no slot, of which none may be free for hours.
    if (!generation.finished && this.#endings.hasEnded(generation)) {
      if (this.#isReadWhole(generation)) this.#endings.finish(generation)
      else this.#o.readable(generation)
    }
    this.#endings.retire(generation, nowMs)
    return grown
  }

  #intervalMs({ stage, pollIntervalMs, changedAtMs }: Generation, nowMs: number): number {
    if (stage !== 'live' || pollIntervalMs < limits.pollIntervalMaxMs) return pollIntervalMs
    return backOffMs(nowMs - changedAtMs, this.#polled, pollIntervalMs)
  }

  /** When a line has waited for long enough for the next one, monotonic. */
  get countsUntilMs(): number {
    return this.#identifying.dueMs
  }

  /** When `poll` has something to do next, monotonic; Infinity: only a hint can tell. */
  nextPollMs(watched: (directory: string) => boolean): number {
    let nextMs = Math.min(this.#archives.nextMs, Math.max(this.#laterMs, this.#sweepAtMs))
    for (const generation of this.#soon) nextMs = Math.min(nextMs, this.#dueMs(generation, watched))
    return nextMs
  }

  #dueMs(generation: Generation, watched: (directory: string) => boolean): number {
    const { directory, stage, failed, waitsFor, nextPollMs } = generation
    let dueMs = generation.countsUntilMs ?? Infinity
    if (waitsFor !== undefined) dueMs = Math.min(dueMs, generation.waitsUntilMs)
    if (generation.descriptor === -1) {
      if (this.#rest.isGivenUp(generation)) dueMs = Math.min(dueMs, generation.changedAtMs + limits.endedQuietMs)
      if (this.#waitsForTurn(generation)) return 0
      if (generation.failed && isClosed(generation)) return Math.min(dueMs, nextPollMs)
      return isAskedByName(generation) && !watched(directory!) ? Math.min(dueMs, nextPollMs) : dueMs
    }
    if (directory !== undefined && stage === 'live' && !failed && watched(directory)) return dueMs
    return Math.min(dueMs, nextPollMs)
  }

  /** Finds the names that begin the ids of a generation; false while there is none for the line at its offset. */
  identify(generation: Generation): boolean {
    const isNamed = this.#identifying.identify(generation)
    if (generation.countsUntilMs !== undefined) this.#soon.add(generation)
    return isNamed
  }

  /** Bytes of it were put into a batch. */
  consumed(generation: Generation): void {
    this.#identifying.consumed(generation)
  }

  /** A rotated file that holds what it held, all of it read: not one whose rest may be elsewhere. */
  #isReadWhole(generation: Generation): boolean {
    const { stage, wanted, packing, descriptor, id, offset, sizeBytes } = generation
    if (stage !== 'rotated' || wanted !== undefined || packing !== undefined || descriptor === -1) return false
    return id !== undefined && offset > 0 && offset === sizeBytes && isIntact(this.#o.disk, generation)
  }

  /** Nothing waits for what may come: Remora stops. */
  hurry(): void {
    for (const generation of this.#family.generations) {
      this.#safely(generation, () => this.#endings.verify(generation))
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
      this.#safely(generation, () => void this.#ask(generation, this.#o.clock.monotonicMs()))
    }
  }

  /** A read failed: it is tried again after a while, and the other files go on. */
  failedToRead(generation: Generation): void {
    generation.failed = true
    generation.searchedTo = generation.sizeBytes
    generation.nextPollMs = this.#o.clock.monotonicMs() + limits.readRetryMs
    this.#soon.add(generation)
  }

  /** Opens a file again whose descriptor was given back. False: its name leads to another file now, or to none. */
  reopen(generation: Generation): boolean {
    if (generation.descriptor === -1) this.#soon.add(generation)
    if (this.#descriptors.reopen(generation)) return true
    // It is there and could not be opened: nobody else comes back to it, for it has not changed.
    if (isClosed(generation) && this.#descriptors.refusedLast) this.failedToRead(generation)
    return false
  }

  close(): void {
    for (const generation of this.#family.generations) this.#descriptors.release(generation)
    this.#archives.close()
  }

  /** False: nobody knows this file. */
  #recognize(file: SeenFile): boolean {
    const key = keyOf(file.facts)
    const known = this.#family.withKey(key)
    if (known !== undefined) {
      const isSame = known.descriptor !== -1 || this.#isSame(known, file)
      // What cannot be opened may be either: the next look tells.
      if (isSame === undefined) {
        this.#untold.add(key)
        return true
      }
      if (isSame) {
        this.#again(known, file)
        return true
      }
      this.#endings.vanish(known, 'it was deleted, and its inode was given to another file')
    }
    const copy = this.#copies.still(file)
    if (copy !== undefined) {
      this.#compare(copy)
      return true
    }
    return this.#rest.isBack(file) || this.#resuming.recognize(file)
  }

  /** Whether a file that nobody holds open is still the one whose number it has; undefined: nobody can tell now. */
  #isSame(known: Generation, file: SeenFile): boolean | undefined {
    if (!sameBirth(known.birthNs, file.facts.birthNs)) return false
    const { fingerprint, packing, currentPath } = known
    if (known.birthNs !== 0n || packing !== undefined || file.path === currentPath) return true
    if (fingerprint === undefined) return false
    return this.#descriptors.with(file, undefined, ({ descriptor }) =>
      beginsWith(this.#o.disk, descriptor, fingerprint),
    )
  }

  /** A copy tells more of what its file held than the bytes before the offset, when many lives begin alike. */
  #compare({ owner, sizeBytes, tail }: Copy): void {
    if (tail === undefined || owner.descriptor === -1 || owner.packing !== undefined) return
    if (guardAt(this.#o.disk, owner.descriptor, sizeBytes).equals(tail)) return
    this.#endings.replaced(owner, 'a copy of it ends with other bytes')
  }

  #again(known: Generation, file: SeenFile): void {
    if (known.isSuspect && known.offset === 0 && this.#strangers.isCopy(known, file)) return
    known.isSuspect = false
    if (known.packing !== undefined && known.archiveStamp !== stampOf(file.facts)) {
      // It was not complete, or is another one now: read through again, and compared with what is known.
      this.#descriptors.release(known)
      this.#family.disown(known)
      known.finished = false
      known.stage = 'replaced'
      known.goneWhy = 'its archive was written again, with other bytes'
      return this.#rest.want(known, 'archive')
    }
    const { sizeBytes, modifiedMs } = file.facts
    const rewritten = known.packing === undefined && modifiedMs !== known.modifiedMs
    const resized = known.packing === undefined && sizeBytes !== known.sizeBytes
    const reopened = (resized || rewritten) && this.reopen(known)
    if (reopened) {
      if (this.#look(known, this.#o.clock.monotonicMs()) && known.directory !== undefined) {
        this.#grown.add(known.directory)
      }
      // Nothing to read, and so nobody else compares: it may have been truncated and refilled to the same size.
      const unread = known.sizeBytes !== Math.max(known.offset, known.searchedTo)
      if (rewritten && !unread && known.descriptor !== -1) this.#compareAgain(known)
    }
    // What could not be opened is still to be compared.
    const isCompared = reopened || !(resized || rewritten)
    // It gave its descriptor back before its turn, and was renamed: its turn has found nothing under the old name.
    if (isClosed(known) && known.unsearched) this.#o.readable(known)
    known.modifiedMs = !isCompared || this.#o.clock.nowMs() - modifiedMs < limits.tickMs ? -1 : modifiedMs
    // The look showed another content: the inode belongs to the successor now.
    const holder = this.#family.withKey(keyOf(file.facts))
    if (holder !== known) {
      if (holder !== undefined) this.#again(holder, file)
      return
    }
    if (known.currentPath === file.path) return
    // Two names of one inode: it keeps the one it has while that still leads to it.
    if (this.#isThere(known)) return
    known.place(file.path)
    if (known.stage === 'replaced') return
    const stage = file.path === known.path && known.packing === undefined ? 'live' : 'rotated'
    if (stage === 'rotated' && known.stage !== 'rotated') this.#o.happened({ kind: 'rotated', generation: known })
    known.stage = stage
  }

  /** It was written, and is as long as it was. */
  #compareAgain(generation: Generation): void {
    if (!isIntact(this.#o.disk, generation)) {
      this.#endings.replaced(generation, 'it was written without growing, and the bytes before the offset are others')
    } else if (generation.searchedTo > generation.offset && !isSearched(this.#o.disk, generation)) {
      generation.searchAgain()
      this.#o.readable(generation)
    }
  }

  /** Whether its name still leads to it; a name in a directory that was not listed now is looked at. */
  #isThere({ currentPath, directory, key }: Generation): boolean {
    if (currentPath === undefined) return false
    if (this.#listings.has(directory ?? '')) return this.#keysByPath?.get(currentPath) === key
    return this.#isThereNow({ currentPath, key })
  }

  /** The same, whatever the last listing has shown: it may have been rotated away since. */
  #isThereNow({ currentPath, key }: Pick<Generation, 'currentPath' | 'key'>): boolean {
    if (currentPath === undefined) return false
    try {
      const facts = this.#o.disk.look(currentPath)
      return facts !== undefined && keyOf(facts) === key
    } catch (error) {
      if (codeOf(error) === '') throw error
      // Nobody can tell now: as the listings say, and between two looks as the last one that showed it.
      return this.#keysByPath === undefined || this.#keysByPath.get(currentPath) === key
    }
  }

  /** True when it grew. */
  #look(generation: Generation, nowMs: number): boolean {
    this.#soon.add(generation)
    const { sizeBytes, links, modifiedMs } = this.#o.disk.sizeOf(generation.descriptor)
    generation.sized = true
    // Written without a byte to read: as a rule what was read already, at times another content of the same size.
    const behind = Math.max(generation.offset, generation.searchedTo)
    const silent = modifiedMs !== generation.writtenMs && sizeBytes === behind && sizeBytes > 0
    generation.writtenMs = modifiedMs
    const grown = sizeBytes > generation.sizeBytes
    const isShorter = sizeBytes < generation.sizeBytes
    const other = sizeBytes < generation.knownBytes || ((silent || isShorter) && !isIntact(this.#o.disk, generation))
    // An archive is read as it is unpacked: it grows, whatever it was found to hold before.
    const isArchive = generation.packing !== undefined
    // What nobody could read has no name, and may be in a copy. Half a first line, without more, is nobody's loss.
    const isUnread = generation.fingerprint === undefined && (generation.failed || generation.readable)
    const shrunk = (other || (isShorter && isUnread)) && !isArchive
    if (sizeBytes < generation.searchedTo || silent) generation.searchAgain()
    if (links === 0 && generation.stage !== 'deleted' && generation.stage !== 'replaced') {
      generation.stage = 'deleted'
      generation.place(undefined)
      this.#o.happened({ kind: 'deleted', generation })
    }
    if (!shrunk && isShorter && generation.fingerprint !== undefined && !isArchive)
      this.#endings.lost(generation, sizeBytes, generation.sizeBytes, 'it was cut shorter, behind what was read')
    if (!shrunk) generation.sizeBytes = sizeBytes
    if (grown || shrunk) {
      generation.changedAtMs = nowMs
      generation.finished = false
      generation.pollIntervalMs = limits.pollIntervalMinMs
    } else {
      generation.pollIntervalMs = Math.min(generation.pollIntervalMs * 2, limits.pollIntervalMaxMs)
    }
    if (shrunk)
      this.#endings.replaced(
        generation,
        sizeBytes < generation.knownBytes
          ? 'it is shorter than what was read'
          : 'it did not grow, and the bytes before the offset are others',
      )
    else if (generation.readable) this.#o.readable(generation)
    return grown || shrunk
  }

  #vanished(directories: readonly SeenDirectory[], keysByPath: ReadonlyMap<string, string>): void {
    const unknownIn = new Map(directories.map(({ directory, unknown }) => [directory, unknown]))
    for (const generation of this.#family.generations) {
      const { currentPath, directory } = generation
      const unknown = directory === undefined ? undefined : unknownIn.get(directory)
      if (directory === undefined || unknown === undefined || this.#untold.has(generation.key)) continue
      if (currentPath === undefined) {
        this.#endings.vanish(generation, 'it was deleted while it was not open')
        continue
      }
      if (unknown.has(currentPath) || keysByPath.get(currentPath) === generation.key) continue
      // It may have been renamed to what could not be looked at.
      if (unknown.size > 0 && generation.descriptor === -1) continue
      if (generation.descriptor === -1) {
        // Deleted, or renamed while it was looked for: the next listing tells.
        generation.currentPath = undefined
        this.#o.lookAgain(directory)
        continue
      }
      generation.place(undefined)
      // It may show again under another name: its time begins now.
      generation.changedAtMs = this.#o.clock.monotonicMs()
      // Deleted, or renamed to a place that is not looked at: the descriptor still leads to it.
      if (generation.stage === 'live') {
        generation.stage = 'rotated'
        this.#o.happened({ kind: 'rotated', generation })
      }
      generation.nextPollMs = 0
    }
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

/** It gave its descriptor back, and its name leads to it. */
function isClosed({ descriptor, currentPath, packing, wanted }: Generation): boolean {
  return descriptor === -1 && currentPath !== undefined && packing === undefined && wanted === undefined
}

/** The same, and it may be written. */
function isAskedByName(generation: Generation): boolean {
  return generation.stage === 'live' && generation.directory !== undefined && isClosed(generation)
}

/** Files under their first name come before those that may be copies of them. */
function rankOf({ matched, before }: SeenFile): number {
  return matched ? Number(before.length > 0) : 2
}
