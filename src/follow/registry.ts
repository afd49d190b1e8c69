import { codeOf, isSystemError, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { SavedGeneration } from '../base/state.ts'
import { Archives } from './archives.ts'
import { Copies, type Copy } from './copies.ts'
import { Descriptors } from './descriptors.ts'
import { Elders } from './elders.ts'
import { Family } from './family.ts'
import type { Generation } from './generation.ts'
import { beginsWith, guardAt, isIntact, isSearched, keyOf, readFully, sameBirth } from './identity.ts'
import { leaveAnchor, nameLines, noteAnchor, useAnchor, wantsName, widen } from './naming.ts'
import type { Parts, RegistryOptions } from './parts.ts'
import { probe } from './probing.ts'
import { Rest } from './rest.ts'
import { Resuming } from './resuming.ts'
import { broken, byAge, stampOf, type SeenDirectory, type SeenFile } from './seen.ts'
import { Strangers } from './strangers.ts'

/** Which generation each file is: opens, remembers and forgets them. The decisions are in `rotation.ts`. */
export class Registry {
  readonly #o: RegistryOptions
  readonly #family: Family
  readonly #copies: Copies
  readonly #archives: Archives
  readonly #descriptors: Descriptors
  readonly #elders: Elders
  readonly #rest: Rest
  readonly #strangers: Strangers
  readonly #resuming: Resuming
  /** Directories in which a listing has shown growth. */
  readonly #grown = new Set<string>()
  #listings = new Map<string, readonly SeenFile[]>()
  /** The inode that each name led to in the last listings. */
  #keysByPath: ReadonlyMap<string, string> = new Map()
  /** Inodes of which the present look cannot tell whether they are still what is known. */
  readonly #untold = new Set<string>()
  #firstLook = true
  #hurried = false

  constructor(options: RegistryOptions, saved: readonly SavedGeneration[]) {
    this.#o = options
    this.#family = new Family(options)
    this.#copies = new Copies(options.clock)
    this.#descriptors = new Descriptors({
      disk: options.disk,
      roots: options.roots,
      refused: (path, refusal) => options.happened({ kind: 'refused', path, ...refusal }),
    })
    this.#elders = new Elders(options.lookAgain)
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
      replaced: (generation, why) => this.replaced(generation, why),
      ended: (generation, why) => this.#end(generation, why),
      gone: (generation) => this.#gone(generation),
      forget: (generation) => this.#forget(generation),
    }
    this.#rest = new Rest(parts)
    this.#strangers = new Strangers(parts, this.#rest)
    this.#resuming = new Resuming(parts, this.#rest, saved)
  }

  get generations(): ReadonlySet<Generation> {
    return this.#family.generations
  }

  /** Saved generations whose file is there and could not be opened yet: they stay in the checkpoint as they are. */
  get waiting(): SavedGeneration[] {
    return this.#resuming.waiting
  }

  get openFiles(): number {
    return this.#descriptors.open
  }

  /** Something was not found: the next look must bring everything. What that does not hold either is gone. */
  get searching(): boolean {
    return this.#resuming.searching || this.#rest.searching
  }

  /**
   * Takes in what one look found.
   *
   * @param everything  every directory was looked at; so it must be at the first call
   */
  observe(directories: readonly SeenDirectory[], everything: boolean): void {
    this.#rest.beginLook(everything)
    this.#listings = new Map(directories.map((seen) => [seen.directory, seen.entries]))
    // Oldest first, so that a rotated file gets its place before its successor.
    const files = directories.flatMap((seen) => seen.entries)
    const ordered = files.toSorted(byAge)
    this.#keysByPath = new Map(files.map((file) => [file.path, keyOf(file.facts)]))
    this.#resuming.beginLook()
    this.#untold.clear()
    this.#elders.beginLook(this.#family.generations, this.#listings, everything)
    const strangers = ordered.filter((file) => !this.#tried(file, true, () => this.#recognize(file)))
    if (everything) this.#resuming.search(files)
    // After all that is known has its place, and what a glob matches: what is left may be a copy of it.
    strangers.sort((a, b) => rankOf(a) - rankOf(b))
    for (const file of strangers) {
      this.#tried(file, undefined, () => {
        if (!this.#recognize(file))
          this.#strangers.observe(file, file.before.length > 0 && this.#resuming.mayOwn(file), this.#firstLook)
      })
    }
    this.#firstLook = false
    for (const seen of directories) this.#vanished(seen)
    this.#rest.endLook(files)
    for (const { directory, unknown } of directories) {
      const isThere = (path: string, key: string) =>
        unknown.has(path) || (this.#keysByPath.get(path) === key && this.#family.withKey(key) === undefined)
      this.#archives.sweep(directory, isThere)
      this.#copies.sweep(directory, isThere)
    }
    this.#elders.endLook(this.#family.generations, everything)
    if (everything) this.#archives.looked()
  }

  /** Nobody looks any more: what waited for that is read. */
  lastLook(): void {
    this.#elders.lastLook(this.#family.generations)
  }

  /**
   * Asks each open file whose time has come for its size.
   *
   * @param watched     whether a hint would come from this directory: its files need no asking
   * @param everything  all of them, whether their time has come or not
   * @returns           the directories in which something grew
   */
  poll(watched: (directory: string) => boolean, everything: boolean): Set<string> {
    const nowMs = this.#o.clock.monotonicMs()
    const grown = new Set<string>(this.#grown)
    this.#grown.clear()
    for (const generation of this.#family.generations) {
      const { countsUntilMs = Infinity, stage } = generation
      // Of a file that was rotated away no further line is waited for: its successor waits.
      if (countsUntilMs <= nowMs || (countsUntilMs < Infinity && stage !== 'live')) this.#countNoMore(generation)
      if (generation.descriptor === -1) {
        if (nowMs - generation.changedAtMs >= limits.endedQuietMs && this.#rest.isGivenUp(generation)) {
          if (!this.#rest.looksForOutrun(generation)) this.#gone(generation)
        } else if (this.#waitsForTurn(generation)) this.#safely(generation, () => this.#takeTurn(generation))
        continue
      }
      if (generation.nextPollMs > nowMs && !everything) continue
      const { directory, failed } = generation
      if (!everything && directory !== undefined && stage === 'live' && !failed && watched(directory)) {
        generation.nextPollMs = nowMs + limits.pollIntervalMaxMs
        continue
      }
      this.#safely(generation, () => {
        if (this.#ask(generation, nowMs) && directory !== undefined) grown.add(directory)
      })
    }
    this.#archives.poll()
    return grown
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

  /** The disk has failed in the middle of an archive, which says nothing of the archive. */
  #isInterrupted(descriptor: number): boolean {
    return isSystemError(this.#o.disk.failureOf(descriptor))
  }

  /** True when it grew. */
  #ask(generation: Generation, nowMs: number): boolean {
    if (generation.packing !== undefined && this.#isInterrupted(generation.descriptor)) {
      this.#descriptors.release(generation)
      this.failedToRead(generation)
      return false
    }
    const wasFailing = generation.failed
    if (wasFailing) generation.searchAgain()
    const grown = this.#look(generation, nowMs)
    if (wasFailing) generation.failed = false
    generation.nextPollMs = nowMs + generation.pollIntervalMs
    if (!generation.finished && this.hasEnded(generation)) this.#o.readable(generation)
    this.#retire(generation, nowMs)
    return grown
  }

  /** When `poll` has something to do next, monotonic; Infinity: only a hint can tell. */
  nextPollMs(watched: (directory: string) => boolean): number {
    let nextMs = this.#archives.nextMs
    for (const generation of this.#family.generations) {
      nextMs = Math.min(nextMs, generation.countsUntilMs ?? Infinity)
      if (generation.descriptor === -1) {
        if (this.#rest.isGivenUp(generation)) nextMs = Math.min(nextMs, generation.changedAtMs + limits.endedQuietMs)
        if (this.#waitsForTurn(generation)) nextMs = 0
        continue
      }
      const { directory } = generation
      if (directory !== undefined && generation.stage === 'live' && !generation.failed && watched(directory)) continue
      if (generation.nextPollMs < nextMs) nextMs = generation.nextPollMs
    }
    return nextMs
  }

  /** Finds the names that begin the ids of a generation; false while there is none for the line at its offset. */
  identify(generation: Generation): boolean {
    if (wantsName(generation) && generation.packing === undefined) {
      const head = readFully(this.#o.disk, generation.descriptor, limits.headBytesMax, 0)
      // The bytes of another content must not name this one: so it is compared after they were read.
      if (isIntact(this.#o.disk, generation)) this.#name(generation, head)
    }
    return generation.naming() !== undefined
  }

  #name(generation: Generation, head: Uint8Array): void {
    const patient = !this.#hurried && !generation.impatient && generation.stage === 'live'
    const options = { ended: this.hasEnded(generation), patient }
    const waits = nameLines(this.#o.names, generation, head, options, (other) => this.#noteAgain(other))
    generation.impatient = false
    if (!waits) generation.countsUntilMs = undefined
    else generation.countsUntilMs ??= this.#o.clock.monotonicMs() + limits.countPatienceMs
  }

  /** A content that nobody has read yet may be another one by now than the one that was noted. */
  #noteAgain(other: Generation): void {
    if (other.anchor !== undefined || other.descriptor === -1 || other.packing !== undefined) return
    leaveAnchor(this.#o.names, other)
    noteAnchor(this.#o.names, other, readFully(this.#o.disk, other.descriptor, limits.headBytesMax, 0))
  }

  /** The line that waits for the next one is shipped as it is. */
  #countNoMore(generation: Generation): void {
    generation.countsUntilMs = undefined
    generation.impatient = true
    generation.searchAgain()
    this.#o.readable(generation)
  }

  /** Nothing waits for what may come: Remora stops. */
  hurry(): void {
    this.#hurried = true
    for (const generation of this.#family.generations) {
      if (generation.countsUntilMs !== undefined) this.#countNoMore(generation)
      if (generation.searchedTo <= generation.offset) continue
      // Written anew in the same tick, to the same size: nobody looks later.
      generation.searchAgain()
      if (generation.readable) this.#o.readable(generation)
    }
  }

  /** The content of an open file is another one: its generation has ended, and a new one begins in the same inode. */
  replaced(generation: Generation, why: string): void {
    if (generation.packing !== undefined) {
      // Another archive has its place, and is read through as one.
      this.#descriptors.release(generation)
      this.#archives.forget(generation.key)
      this.#family.disown(generation)
      return this.#end(generation, why)
    }
    const successor = this.#family.makeAfter(generation)
    this.#family.pass(generation, successor)
    this.#descriptors.pass(generation, successor)
    this.#end(generation, why)
    this.#look(successor, this.#o.clock.monotonicMs())
  }

  /** Bytes of it were put into a batch: the more of its beginning is known, the fewer contents are taken for it. */
  consumed(generation: Generation): void {
    useAnchor(this.#o.names, generation)
    const { fingerprint, packing, descriptor } = generation
    const known = Math.min(generation.offset, limits.headBytesMax)
    if (fingerprint === undefined || fingerprint.bytes >= known || packing !== undefined) return
    widen(generation, readFully(this.#o.disk, descriptor, known, 0), known)
  }

  /** More of an archive is unpacked. */
  progressed(descriptor: number): void {
    for (const generation of this.#family.generations) {
      if (generation.descriptor !== descriptor) continue
      this.#safely(generation, () => void this.#ask(generation, this.#o.clock.monotonicMs()))
    }
  }

  /** Everything of a generation that has ended was read: no more is expected. */
  finish(generation: Generation): void {
    if (generation.finished) return
    const { stage } = generation
    // A write in the same tick as the last look, that left the size as it was, has shown nowhere.
    if (
      (stage === 'rotated' || stage === 'deleted') &&
      generation.descriptor !== -1 &&
      !isIntact(this.#o.disk, generation)
    )
      return this.replaced(generation, 'it has ended, and the bytes before the offset are others')
    generation.finished = true
    const { offset, provenBytes } = generation
    if (provenBytes > offset)
      this.#lost(generation, offset, provenBytes, 'they were written between copy and truncation')
    const failure = generation.descriptor === -1 ? undefined : this.#o.disk.failureOf(generation.descriptor)
    if (failure !== undefined) this.#o.happened(broken(generation.currentPath ?? generation.path, failure))
    this.#o.happened({ kind: 'finished', generation })
    // The decoder's memory is another one's.
    if (generation.packing !== undefined) {
      this.#descriptors.release(generation)
      this.#archives.turn()
    }
    this.#retire(generation, this.#o.clock.monotonicMs())
  }

  /** A read failed: it is tried again after a while, and the other files go on. */
  failedToRead(generation: Generation): void {
    generation.failed = true
    generation.searchedTo = generation.sizeBytes
    generation.nextPollMs = this.#o.clock.monotonicMs() + limits.readRetryMs
  }

  /** Whether the last line needs no newline any more. */
  hasEnded(generation: Generation): boolean {
    if (generation.packing !== undefined) {
      const { descriptor } = generation
      return descriptor !== -1 && this.#o.disk.isWhole(descriptor) && !this.#isInterrupted(descriptor)
    }
    if (generation.stage === 'live') return false
    if (generation.stage === 'replaced') return true
    return this.#o.clock.monotonicMs() - generation.changedAtMs >= limits.endedQuietMs
  }

  /** Opens a file again whose descriptor was given back. False: its name leads to another file now, or to none. */
  reopen(generation: Generation): boolean {
    return this.#descriptors.reopen(generation)
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
      this.#vanish(known, 'it was deleted, and its inode was given to another file')
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
    this.replaced(owner, 'a copy of it ends with other bytes')
  }

  #again(known: Generation, file: SeenFile): void {
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
    if ((resized || rewritten) && this.reopen(known)) {
      if (this.#look(known, this.#o.clock.monotonicMs()) && known.directory !== undefined) {
        this.#grown.add(known.directory)
      }
      // Nothing to read, and so nobody else compares: it may have been truncated and refilled to the same size.
      const unread = known.sizeBytes !== Math.max(known.offset, known.searchedTo)
      if (rewritten && !unread && known.descriptor !== -1) this.#compareAgain(known)
    }
    known.modifiedMs = this.#o.clock.nowMs() - modifiedMs < limits.tickMs ? -1 : modifiedMs
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
      this.replaced(generation, 'it was written without growing, and the bytes before the offset are others')
    } else if (generation.searchedTo > generation.offset && !isSearched(this.#o.disk, generation)) {
      generation.searchAgain()
      this.#o.readable(generation)
    }
  }

  /** Whether its name still leads to it; a name in a directory that was not listed now is looked at. */
  #isThere({ currentPath, directory, key }: Generation): boolean {
    if (currentPath === undefined) return false
    if (this.#listings.has(directory ?? '')) return this.#keysByPath.get(currentPath) === key
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
      return this.#keysByPath.get(currentPath) === key
    }
  }

  /** The inode is gone. Is there a copy or an archive, the content goes on in that. */
  #vanish(generation: Generation, why: string): void {
    generation.goneWhy = why
    if (generation.copies.size === 0 && generation.fingerprint === undefined) return this.#gone(generation)
    this.#descriptors.release(generation)
    this.#family.disown(generation)
    if (generation.copies.size > 0) return this.#end(generation, why)
    generation.stage = 'replaced'
    this.#rest.want(generation, 'archive')
  }

  /** A content is gone from its inode: what was not read of it may be in a copy. */
  #end(generation: Generation, why: string): void {
    leaveAnchor(this.#o.names, generation)
    generation.countsUntilMs = undefined
    generation.stage = 'replaced'
    // What the last look saw may have been the size of the other content.
    if (generation.fingerprint !== undefined) generation.sizeBytes = Math.max(generation.offset, generation.provenBytes)
    generation.goneWhy = `${why}, and no copy with the rest was found`
    this.#o.happened({ kind: 'replaced', generation, why })
    this.#rest.want(generation, 'copy')
  }

  /** True when it grew. */
  #look(generation: Generation, nowMs: number): boolean {
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
      this.#lost(generation, sizeBytes, generation.sizeBytes, 'it was cut shorter, behind what was read')
    if (!shrunk) generation.sizeBytes = sizeBytes
    if (grown || shrunk) {
      generation.changedAtMs = nowMs
      generation.finished = false
      generation.pollIntervalMs = limits.pollIntervalMinMs
    } else {
      generation.pollIntervalMs = Math.min(generation.pollIntervalMs * 2, limits.pollIntervalMaxMs)
    }
    if (shrunk)
      this.replaced(
        generation,
        sizeBytes < generation.knownBytes
          ? 'it is shorter than what was read'
          : 'it did not grow, and the bytes before the offset are others',
      )
    else if (generation.readable) this.#o.readable(generation)
    return grown || shrunk
  }

  #vanished({ directory, unknown }: SeenDirectory): void {
    for (const generation of this.#family.generations) {
      const { currentPath } = generation
      if (generation.directory !== directory || this.#untold.has(generation.key)) continue
      if (currentPath === undefined) {
        this.#vanish(generation, 'it was deleted while it was not open')
        continue
      }
      if (unknown.has(currentPath) || this.#keysByPath.get(currentPath) === generation.key) continue
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

  /** Closes and forgets what has ended, once everything of it has its verdict. */
  #retire(generation: Generation, nowMs: number): void {
    if (generation.unreadBytes > 0 && !generation.finished) return
    if (generation.stage === 'live' || !this.#o.settled(generation)) return
    const quietMs = nowMs - generation.changedAtMs
    if (generation.stage === 'deleted' || generation.currentPath === undefined) {
      // Moved to where nobody looks, it may be written for long; deleted, it takes up space that nobody sees.
      if (quietMs < (generation.stage === 'deleted' ? limits.deletedHoldMs : limits.unseenHoldMs)) return
      this.#descriptors.release(generation)
      this.#vanish(generation, 'it was deleted')
    } else if (generation.finished) {
      this.#descriptors.release(generation)
    }
  }

  #gone(generation: Generation): void {
    generation.wanted = undefined
    const bytes = generation.unreadBytes
    this.#descriptors.release(generation)
    this.#forget(generation)
    if (bytes === 0 || generation.finished) return
    this.#o.happened({ kind: 'gap', generation, bytes, why: generation.goneWhy })
  }

  /** Bytes `[from, to)` that were there are gone, and the generation goes on. */
  #lost(generation: Generation, from: number, to: number, why: string): void {
    generation.provenBytes = from
    this.#o.happened({ kind: 'gap', generation, bytes: to - from, why })
  }

  #forget(generation: Generation): void {
    this.#family.forget(generation)
    this.#copies.forgetOf(generation)
    if (generation.anchorHash !== undefined)
      this.#o.names.forget(generation, generation.basePath, generation.anchorHash)
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
