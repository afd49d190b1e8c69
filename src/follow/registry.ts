import type { Clock } from '../base/clock.ts'
import type { Disk, FileFacts } from '../base/disk.ts'
import { limits } from '../base/limits.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import type { SavedGeneration } from '../base/state.ts'
import { Generation } from './generation.ts'
import { beginsWith, fingerprintOf, guardAt, hashOf, keyOf, type Fingerprint } from './identity.ts'
import { openInside, type Opened } from './opening.ts'
import { resumeAt, strangerIs } from './rotation.ts'

/** A regular file in a listing; see `discover/discovery.ts`. */
export interface SeenFile {
  readonly path: string
  readonly facts: FileFacts
  readonly matched: boolean
  readonly before: readonly string[]
}

export interface SeenDirectory {
  readonly directory: string
  readonly entries: readonly SeenFile[]
  /** Paths in it that could not be looked at. */
  readonly unknown: ReadonlySet<string>
}

/** What happened to files, for log and metrics. */
export type Happening =
  | {
      readonly kind: 'found' | 'resumed' | 'rotated' | 'deleted' | 'replaced' | 'missed' | 'copy' | 'finished'
      readonly generation: Generation
    }
  | { readonly kind: 'gap'; readonly generation: Generation; readonly bytes: number; readonly why: string }
  | {
      readonly kind: 'refused'
      readonly path: string
      readonly code: string
      readonly message: string
      readonly wayOut: string
    }

export interface RegistryOptions {
  readonly disk: Disk
  readonly clock: Clock
  /** Real directories that nothing is read outside of. */
  readonly roots: () => readonly string[]
  /** Whether a path may be there although no listing shows it. */
  readonly isUnsure: (path: string) => boolean
  /** Wall clock of the first start here: a rotated file that was born later is ours. */
  readonly sinceMs: number
  /** Files that are there at the first start, before any checkpoint, are read from their end. */
  readonly startAtEnd: boolean
  readonly happened: (happening: Happening) => void
  /** A listing did not tell enough: another one is wanted soon. */
  readonly lookAgain: (directory: string) => void
  /** Makes the name of a generation that begins its `_id`s. */
  readonly name: (generation: Generation, fingerprint: Fingerprint) => string
  /** It has bytes that nobody has searched, or has ended with a last line that lacks its newline. */
  readonly readable: (generation: Generation) => void
  /** Whether every line that was read of it has a final verdict. */
  readonly settled: (generation: Generation) => boolean
}

/** A file with the bytes of a generation that is read elsewhere. */
interface Copy {
  readonly owner: Generation
  readonly birthNs: bigint
  /** When it was found; it may still grow. */
  readonly sizeBytes: number
  /** The last bytes then. */
  readonly tail: Buffer
}

/** Which generation each file is: opens, remembers and forgets them. The decisions are in `rotation.ts`. */
export class Registry {
  readonly #o: RegistryOptions
  readonly #generations = new Set<Generation>()
  readonly #byKey = new Map<string, Generation>()
  readonly #latest = new Map<string, Generation>()
  readonly #copies = new Map<string, Copy>()
  /** Saved generations that no file was found for yet, by inode. */
  readonly #saved = new Map<string, SavedGeneration[]>()
  /** Inodes of saved generations that are there in this look, and could not be opened. */
  /** When a file was first seen that may be a copy of a live one, by its key; monotonic. */
  readonly #doubts = new Map<string, number>()
  /** Directories in which a listing has shown growth. */
  readonly #grown = new Set<string>()
  readonly #unopened = new Set<string>()
  #listings = new Map<string, readonly SeenFile[]>()
  /** Of the saved ones those that one look has not shown: a rename during it may have hidden them. */
  readonly #absent = new Set<SavedGeneration>()
  #firstLook = true
  /** Files that were opened and have their generation now. */
  readonly #attached = new WeakSet<Opened>()

  constructor(options: RegistryOptions, saved: readonly SavedGeneration[]) {
    this.#o = options
    // The last life of an inode first: that is the one which may go on.
    const ordered = saved.toSorted((a, b) => b.epoch - a.epoch)
    for (const entry of ordered) this.#saved.set(entry.inode, [...(this.#saved.get(entry.inode) ?? []), entry])
  }

  get generations(): ReadonlySet<Generation> {
    return this.#generations
  }

  /** Saved generations whose file is there and could not be opened yet: they stay in the checkpoint as they are. */
  get waiting(): SavedGeneration[] {
    return [...this.#saved.values()].flat()
  }

  get openFiles(): number {
    let open = 0
    for (const generation of this.#generations) if (generation.descriptor !== -1) open++
    return open
  }

  /** Something that is saved was not found: the next look must bring everything. What that does not hold either is gone. */
  get searching(): boolean {
    return this.#absent.size > 0
  }

  /**
   * Takes in what one look found.
   *
   * @param everything  every directory was looked at; so it must be at the first call
   */
  observe(directories: readonly SeenDirectory[], everything: boolean): void {
    // A copy is made before its file is truncated: what was truncated before this listing has its copy in it.
    const wanting = [...this.#generations].filter(({ copyWanted }) => copyWanted)
    this.#listings = new Map(directories.map((seen) => [seen.directory, seen.entries]))
    // Oldest first, so that a rotated file gets its place before its successor.
    const files = directories.flatMap((seen) => seen.entries)
    const ordered = files.toSorted((a, b) => a.facts.modifiedMs - b.facts.modifiedMs)
    const keysByPath = new Map(files.map((file) => [file.path, keyOf(file.facts)]))
    this.#unopened.clear()
    const strangers = ordered.filter((file) => !this.#tried(file, true, () => this.#recognize(file, keysByPath)))
    if (everything) this.#search()
    // After all that is known has its place, and what a glob matches: what is left may be a copy of it.
    strangers.sort((a, b) => Number(b.matched) - Number(a.matched))
    const early = this.searching
    for (const file of strangers) {
      this.#tried(file, undefined, () => {
        if (!this.#recognize(file, keysByPath) && (file.matched || !early)) this.#stranger(file)
      })
    }
    this.#firstLook = false
    for (const seen of directories) this.#vanished(seen, keysByPath)
    for (const generation of wanting) if (this.#takeCopy(generation)) generation.copyWanted = false
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
    for (const generation of this.#generations) {
      if (generation.descriptor === -1) {
        const waitedMs = nowMs - generation.changedAtMs
        if (generation.copyWanted && waitedMs >= limits.endedQuietMs)
          this.#gone(generation, 'it was truncated, and no copy with the rest was found beside it')
        continue
      }
      if (generation.nextPollMs > nowMs && !everything) continue
      const { directory, stage, failed } = generation
      if (!everything && directory !== undefined && stage === 'live' && !failed && watched(directory)) {
        generation.nextPollMs = nowMs + limits.pollIntervalMaxMs
        continue
      }
      try {
        if (this.#ask(generation, nowMs) && directory !== undefined) grown.add(directory)
      } catch (error) {
        if (codeOf(error) === '') throw error
        this.failedToRead(generation)
      }
    }
    return grown
  }

  /** True when it grew. */
  #ask(generation: Generation, nowMs: number): boolean {
    if (generation.failed) {
      generation.failed = false
      generation.searchAgain()
    }
    const grown = this.#look(generation, nowMs)
    generation.nextPollMs = nowMs + generation.pollIntervalMs
    if (!generation.finished && this.hasEnded(generation)) this.#o.readable(generation)
    this.#retire(generation, nowMs)
    return grown
  }

  /** When `poll` has something to do next, monotonic; Infinity: only a hint can tell. */
  nextPollMs(watched: (directory: string) => boolean): number {
    let nextMs = Infinity
    for (const generation of this.#generations) {
      if (generation.descriptor === -1) {
        if (generation.copyWanted) nextMs = Math.min(nextMs, generation.changedAtMs + limits.endedQuietMs)
        continue
      }
      const { directory } = generation
      if (directory !== undefined && generation.stage === 'live' && !generation.failed && watched(directory)) continue
      if (generation.nextPollMs < nextMs) nextMs = generation.nextPollMs
    }
    return nextMs
  }

  /** Finds the name that begins the ids of a generation; false while its first line is not complete. */
  identify(generation: Generation): boolean {
    if (generation.id !== undefined) return true
    const ended = this.hasEnded(generation)
    generation.fingerprint ??= fingerprintOf(this.#o.disk, generation.descriptor, ended)
    if (generation.fingerprint === undefined) return false
    generation.searchAgain()
    generation.id = this.#o.name(generation, generation.fingerprint)
    return true
  }

  /** The content of an open file is another one: its generation has ended, and a new one begins in the same inode. */
  replaced(generation: Generation): void {
    const nowMs = this.#o.clock.monotonicMs()
    const successor = this.#make(generation.path, generation.epoch + 1)
    this.#move(generation, successor)
    this.#end(generation, nowMs)
    this.#look(successor, nowMs)
  }

  /** Everything of a generation that has ended was read: no more is expected. */
  finish(generation: Generation): void {
    if (generation.finished) return
    generation.finished = true
    this.#o.happened({ kind: 'finished', generation })
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
    if (generation.stage === 'live') return false
    if (generation.stage === 'replaced') return true
    return this.#o.clock.monotonicMs() - generation.changedAtMs >= limits.endedQuietMs
  }

  /** Opens a file again whose descriptor was given back. False: its name leads to another file now, or to none. */
  reopen(generation: Generation): boolean {
    if (generation.descriptor !== -1) return true
    if (generation.currentPath === undefined) return false
    const opened = this.#open(generation.currentPath)
    if (opened === undefined) return false
    if (keyOf(opened.facts) !== generation.key || !sameBirth(opened.facts.birthNs, generation.birthNs)) {
      this.#o.disk.close(opened.descriptor)
      return false
    }
    generation.descriptor = opened.descriptor
    this.#spareDescriptors(generation)
    return true
  }

  close(): void {
    for (const generation of this.#generations) this.#release(generation)
  }

  /** False: nobody knows this file. */
  #recognize(file: SeenFile, keysByPath: ReadonlyMap<string, string>): boolean {
    const key = keyOf(file.facts)
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      if (known.descriptor !== -1 || sameBirth(known.birthNs, file.facts.birthNs)) {
        this.#again(known, file, keysByPath)
        return true
      }
      this.#vanish(known, 'it was deleted, and its inode was given to another file')
    }
    const copy = this.#copies.get(key)
    if (copy !== undefined) {
      // A copy grows up to its file's size while it is made; beyond that, or emptied, it is a copy no more.
      const { birthNs, sizeBytes } = file.facts
      const fits = sizeBytes >= copy.sizeBytes && sizeBytes <= copy.owner.sizeBytes
      if (fits && sameBirth(copy.birthNs, birthNs)) {
        this.#compare(copy)
        return true
      }
      this.#copies.delete(key)
      copy.owner.copies.delete(key)
    }
    for (const saved of this.#saved.get(String(file.facts.inode)) ?? []) {
      if (this.#resume(saved, file)) return true
    }
    return false
  }

  /** A copy tells more of what its file held than the bytes before the offset, when many lives begin alike. */
  #compare({ owner, sizeBytes, tail }: Copy): void {
    if (owner.descriptor === -1 || guardAt(this.#o.disk, owner.descriptor, sizeBytes).equals(tail)) return
    this.replaced(owner)
  }

  #again(known: Generation, file: SeenFile, keysByPath: ReadonlyMap<string, string>): void {
    const { sizeBytes, modifiedMs } = file.facts
    const rewritten = modifiedMs !== known.modifiedMs
    if ((sizeBytes !== known.sizeBytes || rewritten) && this.reopen(known)) {
      if (this.#look(known, this.#o.clock.monotonicMs()) && known.directory !== undefined) {
        this.#grown.add(known.directory)
      }
      // Nothing to read, and so nobody else compares: it may have been truncated and refilled to the same size.
      const unread = known.sizeBytes !== Math.max(known.offset, known.searchedTo)
      if (rewritten && !unread && known.descriptor !== -1 && !this.#isIntact(known)) this.replaced(known)
    }
    known.modifiedMs = this.#o.clock.nowMs() - modifiedMs < limits.tickMs ? -1 : modifiedMs
    // The look showed another content: the inode belongs to the successor now.
    const holder = this.#byKey.get(keyOf(file.facts))
    if (holder !== known) {
      if (holder !== undefined) this.#again(holder, file, keysByPath)
      return
    }
    if (known.currentPath === file.path) return
    // Two names of one inode: it keeps the one it has while that still leads to it.
    if (this.#isThere(known, keysByPath)) return
    known.place(file.path)
    if (known.stage === 'replaced') return
    const stage = file.path === known.path ? 'live' : 'rotated'
    if (stage === 'rotated' && known.stage !== 'rotated') this.#o.happened({ kind: 'rotated', generation: known })
    known.stage = stage
  }

  /** Whether its name still leads to it; a name in a directory that was not listed now is looked at. */
  #isThere({ currentPath, directory, key }: Generation, keysByPath: ReadonlyMap<string, string>): boolean {
    if (currentPath === undefined) return false
    if (this.#listings.has(directory ?? '')) return keysByPath.get(currentPath) === key
    const facts = this.#o.disk.look(currentPath)
    return facts !== undefined && keyOf(facts) === key
  }

  /** Whether an open file still has the bytes that were read of it last, or that its id was made of. */
  #isIntact({ descriptor, offset, guard, fingerprint }: Generation): boolean {
    if (offset > 0) return guardAt(this.#o.disk, descriptor, offset).equals(guard)
    return fingerprint === undefined || beginsWith(this.#o.disk, descriptor, fingerprint)
  }

  #resume(saved: SavedGeneration, file: SeenFile): boolean {
    this.#unopened.add(saved.inode)
    return this.#withOpened(file, true, (opened) => {
      const { disk, clock } = this.#o
      const { descriptor, facts } = opened
      const guard = guardAt(disk, descriptor, saved.offset)
      const resume = resumeAt({
        sameBirth: sameBirth(BigInt(saved.birthNs), facts.birthNs),
        sameBeginning: saved.fingerprint === null ? undefined : beginsWith(disk, descriptor, saved.fingerprint),
        sizeBytes: facts.sizeBytes,
        offsetBytes: saved.offset,
        guardHolds: hashOf(guard) === saved.guardHash,
      })
      this.#unopened.delete(saved.inode)
      if (resume === 'other') return false
      this.#unsave(saved)
      const generation = this.#restore(saved)
      if (resume === 'resume') {
        this.#attach(generation, opened, file.path)
        generation.guard = guard
        if (file.path !== saved.path) generation.stage = 'rotated'
        this.#o.happened({ kind: 'resumed', generation })
        this.#look(generation, clock.monotonicMs())
        return true
      }
      const successor = this.#make(saved.path, saved.epoch + 1)
      this.#attach(successor, opened, file.path)
      this.#end(generation, clock.monotonicMs())
      this.#look(successor, clock.monotonicMs())
      return true
    })
  }

  #unsave(saved: SavedGeneration): void {
    this.#absent.delete(saved)
    const rest = this.#saved.get(saved.inode)?.filter((other) => other !== saved) ?? []
    if (rest.length > 0) this.#saved.set(saved.inode, rest)
    else this.#saved.delete(saved.inode)
  }

  #restore(saved: SavedGeneration): Generation {
    const generation = this.#make(saved.path, saved.epoch)
    generation.id = saved.id ?? undefined
    generation.fingerprint = saved.fingerprint ?? undefined
    generation.offset = saved.offset
    generation.skipping = saved.skipping
    generation.searchAgain()
    generation.savedGuardHash = saved.guardHash
    generation.sizeBytes = saved.sizeBytes
    generation.finished = saved.finished
    return generation
  }

  #stranger(file: SeenFile): void {
    const looksRotated = file.before.length > 0
    if (!file.matched && !looksRotated) return
    const bornMs = file.facts.birthNs > 0n ? Number(file.facts.birthNs / 1_000_000n) : file.facts.modifiedMs
    const bornSince = bornMs >= this.#o.sinceMs
    if (!file.matched && !bornSince) return
    this.#withOpened(file, undefined, (opened) => {
      if (this.#isPacked(file, opened)) return
      const fingerprint = file.matched ? undefined : fingerprintOf(this.#o.disk, opened.descriptor, false)
      const owner = fingerprint && this.#ownerOf(file, fingerprint.hash, opened)
      // Equal bytes alone prove nothing: a copy is younger than its file. Where births are not known, the file must be
      // truncated soon, or it is a file of its own.
      const younger = owner !== undefined && owner.birthNs > 0n && opened.facts.birthNs > owner.birthNs
      const sure = owner !== undefined && (owner.stage === 'replaced' || owner.key === '' || younger)
      const unborn = owner?.birthNs === 0n || opened.facts.birthNs === 0n
      const doubtful = owner !== undefined && !sure && unborn && this.#isDoubtful(keyOf(opened.facts))
      const decision = strangerIs({
        matched: file.matched,
        looksRotated,
        bornSince,
        hasFingerprint: fingerprint !== undefined && !doubtful,
        copyOfKnown: sure,
      })
      if (decision === 'new' || decision === 'missed') this.#begin(file, opened, decision)
      if (decision !== 'copy' || owner === undefined) return
      const key = keyOf(opened.facts)
      owner.copies.add(key)
      const { birthNs, sizeBytes } = opened.facts
      const tail = guardAt(this.#o.disk, opened.descriptor, sizeBytes)
      this.#copies.set(key, { owner, birthNs, sizeBytes, tail })
      this.#doubts.delete(key)
      this.#o.happened({ kind: 'copy', generation: owner })
    })
  }

  #begin(file: SeenFile, opened: Opened, decision: 'new' | 'missed'): void {
    const path = file.matched ? file.path : (file.before.find((name) => this.#hasPath(name)) ?? file.before[0]!)
    const fromEnd = decision === 'new' && this.#firstLook && this.#o.startAtEnd
    const start = fromEnd ? this.#endOf(opened) : undefined
    const live = decision === 'missed' ? this.#latest.get(path) : undefined
    const generation = this.#make(path, 0)
    this.#attach(generation, opened, file.path)
    if (decision === 'missed') generation.stage = 'rotated'
    if (live !== undefined) {
      // Older than the one that has the name now: before it, not behind it.
      generation.predecessor = live.predecessor
      live.predecessor = generation
      this.#latest.set(path, live)
    }
    if (start !== undefined) {
      generation.offset = opened.facts.sizeBytes
      generation.searchAgain()
      generation.fingerprint = start.fingerprint
      generation.guard = start.guard
      // In the middle of a line: it begins before the end, so it is not ours.
      generation.skipping = start.guard.length > 0 && start.guard.at(-1) !== 10
    }
    this.#o.happened({ kind: decision === 'new' ? 'found' : 'missed', generation })
    this.#look(generation, this.#o.clock.monotonicMs())
  }

  #endOf({ descriptor, facts }: Opened): { fingerprint: Fingerprint | undefined; guard: Buffer } {
    const { disk } = this.#o
    return { fingerprint: fingerprintOf(disk, descriptor, false), guard: guardAt(disk, descriptor, facts.sizeBytes) }
  }

  /** Whether the time is not over in which a file with the bytes of a live one may turn out to be its copy. */
  #isDoubtful(key: string): boolean {
    const nowMs = this.#o.clock.monotonicMs()
    const sinceMs = this.#doubts.get(key) ?? nowMs
    this.#doubts.set(key, sinceMs)
    if (nowMs - sinceMs < limits.copyDoubtMs) return true
    this.#doubts.delete(key)
    return false
  }

  /** A packed file is no text, whatever its name says; its lines were read before it was packed. */
  #isPacked(file: SeenFile, opened: Opened): boolean {
    const head = Buffer.alloc(8)
    const got = this.#o.disk.read(opened.descriptor, head, 0, head.length, 0)
    const packed = got === head.length && packedHeads.some((magic) => head.subarray(0, magic.length).equals(magic))
    if (packed && file.matched) {
      this.#o.happened({
        kind: 'refused',
        path: file.path,
        code: 'COMPRESSED',
        message: 'it is compressed, and is not read',
        wayOut: 'Leave compressed files out with REMORA_EXCLUDE.',
      })
    }
    return packed
  }

  /** The generation that this file is a copy of, whole or still being made. */
  #ownerOf(file: SeenFile, hash: string, opened: Opened): Generation | undefined {
    const { disk } = this.#o
    for (const generation of this.#generations) {
      if (!file.before.includes(generation.path)) continue
      if (generation.descriptor !== -1) generation.fingerprint ??= fingerprintOf(disk, generation.descriptor, false)
      if (generation.fingerprint?.hash !== hash) continue
      if (this.reopen(generation)) {
        // A copy has no more than its file, for that only grows.
        const at = opened.facts.sizeBytes
        const fits = at <= disk.sizeOf(generation.descriptor).sizeBytes
        if (fits && guardAt(disk, opened.descriptor, at).equals(guardAt(disk, generation.descriptor, at))) {
          // Only the file that still has its name can be truncated behind a copy: a rotated one is just alike.
          if (generation.stage === 'live') return generation
          continue
        }
        // Last, for it may have been truncated just now.
        if (!this.#isIntact(generation)) this.replaced(generation)
      }
      // The oldest that fits: with equal beginnings a later life would fit as well.
      const wanted = generation.key === '' && generation.copies.size === 0
      if (wanted && holdsRestOf(disk, generation, opened)) return generation
    }
    return undefined
  }

  #hasPath(path: string): boolean {
    for (const generation of this.#generations) if (generation.path === path) return true
    return false
  }

  /** Gives the inode of one generation to its successor. */
  #move(from: Generation, to: Generation): void {
    to.key = from.key
    to.inode = from.inode
    to.birthNs = from.birthNs
    to.place(from.currentPath)
    to.descriptor = from.descriptor
    to.stage = from.stage === 'rotated' || from.stage === 'deleted' ? from.stage : 'live'
    this.#byKey.set(to.key, to)
    from.descriptor = -1
    from.key = ''
    from.place(undefined)
  }

  /** The inode is gone. Is there a copy, that is known by its generation still. */
  #vanish(generation: Generation, why: string): void {
    if (generation.copies.size === 0) return this.#gone(generation, why)
    this.#byKey.delete(generation.key)
    generation.key = ''
    generation.place(undefined)
    this.#end(generation, this.#o.clock.monotonicMs())
  }

  /** A content is gone from its inode: what was not read of it may be in a copy. */
  #end(generation: Generation, nowMs: number): void {
    generation.stage = 'replaced'
    generation.changedAtMs = nowMs
    generation.copyWanted = true
    this.#o.happened({ kind: 'replaced', generation })
    this.#o.lookAgain(directoryOf(generation.path))
  }

  /** Goes on in a copy of a content that is gone. False: there is none in the last listings. */
  #takeCopy(generation: Generation): boolean {
    if (generation.fingerprint === undefined) return false
    const entries = this.#listings.get(directoryOf(generation.path)) ?? []
    return entries.some((file) => {
      const owner = this.#copies.get(keyOf(file.facts))?.owner
      if (this.#byKey.has(keyOf(file.facts)) || (owner !== undefined && owner !== generation)) return false
      if (owner === undefined && !file.before.includes(generation.path)) return false
      return this.#tried(file, false, () =>
        this.#withOpened(file, false, (opened) => this.#goOn(generation, file, opened)),
      )
    })
  }

  #goOn(generation: Generation, file: SeenFile, opened: Opened): boolean {
    if (!holdsRestOf(this.#o.disk, generation, opened)) return false
    const guard = guardAt(this.#o.disk, opened.descriptor, generation.offset)
    // With more to compare, what seemed to be a further copy may be another life with an equal beginning.
    for (const key of generation.copies) this.#copies.delete(key)
    generation.copies.clear()
    this.#attach(generation, opened, file.path)
    generation.guard = guard
    generation.searchAgain()
    generation.sizeBytes = opened.facts.sizeBytes
    this.#o.readable(generation)
    return true
  }

  /** Opens what the listing has seen, and closes it again unless a generation has taken it. */
  #withOpened<T>(file: SeenFile, otherwise: T, use: (opened: Opened) => T): T {
    const opened = this.#openSeen(file)
    if (opened === undefined) return otherwise
    try {
      return use(opened)
    } finally {
      if (!this.#attached.has(opened)) this.#o.disk.close(opened.descriptor)
    }
  }

  /** The file that the listing has seen, not one that was rotated into its name since: the next look sees both. */
  #openSeen(file: SeenFile): Opened | undefined {
    const opened = this.#open(file.path)
    if (opened === undefined || keyOf(opened.facts) === keyOf(file.facts)) return opened
    this.#o.disk.close(opened.descriptor)
    return undefined
  }

  #open(path: string): Opened | undefined {
    const opened = openInside(this.#o.disk, path, this.#o.roots())
    if ('descriptor' in opened) return opened
    // Rotated away between look and opening: the next look finds it under its new name.
    if (opened.code !== 'ENOENT') this.#o.happened({ kind: 'refused', path, ...opened })
    return undefined
  }

  #make(path: string, epoch: number): Generation {
    const generation = new Generation(path, epoch, this.#o.clock.monotonicMs(), limits.pollIntervalMinMs)
    generation.predecessor = this.#latest.get(path)
    this.#latest.set(path, generation)
    this.#generations.add(generation)
    return generation
  }

  #attach(generation: Generation, opened: Opened, path: string): void {
    this.#attached.add(opened)
    generation.descriptor = opened.descriptor
    generation.key = keyOf(opened.facts)
    generation.inode = opened.facts.inode
    generation.birthNs = opened.facts.birthNs
    generation.place(path)
    this.#byKey.set(generation.key, generation)
    this.#spareDescriptors(generation)
  }

  /** True when it grew. */
  #look(generation: Generation, nowMs: number): boolean {
    const { sizeBytes, links, modifiedMs } = this.#o.disk.sizeOf(generation.descriptor)
    // Written without a byte to read: as a rule what was read already, at times another content of the same size.
    const behind = Math.max(generation.offset, generation.searchedTo)
    const silent = modifiedMs !== generation.writtenMs && sizeBytes === behind && sizeBytes > 0
    generation.writtenMs = modifiedMs
    const grown = sizeBytes > generation.sizeBytes
    const shrunk = sizeBytes < generation.knownBytes || (silent && !this.#isIntact(generation))
    if (sizeBytes < generation.searchedTo || silent) generation.searchAgain()
    if (links === 0 && generation.stage !== 'deleted' && generation.stage !== 'replaced') {
      generation.stage = 'deleted'
      generation.place(undefined)
      this.#o.happened({ kind: 'deleted', generation })
    }
    if (!shrunk) generation.sizeBytes = sizeBytes
    if (grown || shrunk) {
      generation.changedAtMs = nowMs
      generation.finished = false
      generation.pollIntervalMs = limits.pollIntervalMinMs
    } else {
      generation.pollIntervalMs = Math.min(generation.pollIntervalMs * 2, limits.pollIntervalMaxMs)
    }
    if (shrunk) this.replaced(generation)
    else if (generation.readable) this.#o.readable(generation)
    return grown || shrunk
  }

  #vanished({ directory, unknown }: SeenDirectory, keysByPath: ReadonlyMap<string, string>): void {
    for (const generation of this.#generations) {
      const { currentPath } = generation
      if (generation.directory !== directory) continue
      if (currentPath === undefined) {
        this.#vanish(generation, 'it was deleted while it was not open')
        continue
      }
      if (unknown.has(currentPath) || keysByPath.get(currentPath) === generation.key) continue
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

  /** What the state knows and a look at everything has not shown. */
  #search(): void {
    for (const saved of this.waiting) {
      if (this.#unopened.has(saved.inode) || this.#o.isUnsure(saved.currentPath ?? saved.path)) continue
      if (!this.#absent.has(saved)) {
        this.#absent.add(saved)
        continue
      }
      this.#unsave(saved)
      const generation = this.#restore(saved)
      generation.stage = 'replaced'
      // Its inode is gone, yet a copy of its content may be there.
      if (this.#takeCopy(generation)) continue
      this.#gone(generation, 'it was deleted while Remora was not running')
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
      this.#release(generation)
      this.#vanish(generation, 'it was deleted')
    } else if (generation.finished) {
      this.#release(generation)
    }
  }

  #gone(generation: Generation, why: string): void {
    generation.copyWanted = false
    const bytes = generation.unreadBytes
    this.#release(generation)
    this.#forget(generation)
    if (bytes > 0 && !generation.finished) this.#o.happened({ kind: 'gap', generation, bytes, why })
  }

  #forget(generation: Generation): void {
    this.#generations.delete(generation)
    if (this.#byKey.get(generation.key) === generation) this.#byKey.delete(generation.key)
    if (this.#latest.get(generation.path) === generation) this.#latest.delete(generation.path)
    for (const key of generation.copies) this.#copies.delete(key)
  }

  #release(generation: Generation): void {
    if (generation.descriptor === -1) return
    this.#o.disk.close(generation.descriptor)
    generation.descriptor = -1
  }

  /**
   * Over the budget, files give their descriptors back: first those that are wholly read, then those that still have
   * their first name, which lead the shortest way back; the ones that were quiet for longest first.
   */
  #spareDescriptors(keep: Generation): void {
    // Many at once: the search costs as much for one.
    let over = this.openFiles - limits.openFilesMax
    if (over < limits.openFilesMax / 8) return
    const spare = [...this.#generations].filter(
      (generation) =>
        generation !== keep &&
        generation.descriptor !== -1 &&
        generation.currentPath !== undefined &&
        (generation.unreadBytes === 0 || generation.stage === 'live'),
    )
    for (const generation of spare.toSorted(
      (a, b) => Number(a.unreadBytes > 0) - Number(b.unreadBytes > 0) || a.changedAtMs - b.changedAtMs,
    )) {
      if (over-- <= 0) return
      this.#release(generation)
    }
  }
}

/** What gzip, zstd, xz, zip and bzip2 files begin with. */
const packedHeads = ['1f8b', '28b52ffd', 'fd377a585a00', '504b0304', '425a683931415926'].map((hex) =>
  Buffer.from(hex, 'hex'),
)

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function sameBirth(a: bigint, b: bigint): boolean {
  return a === b || a === 0n || b === 0n
}

/** Whether an open file begins as the generation did and has the same bytes before its offset. */
function holdsRestOf(disk: Disk, generation: Generation, opened: Opened): boolean {
  const { fingerprint, offset } = generation
  if (fingerprint === undefined || disk.sizeOf(opened.descriptor).sizeBytes < offset) return false
  if (!beginsWith(disk, opened.descriptor, fingerprint)) return false
  return hashOf(guardAt(disk, opened.descriptor, offset)) === generation.guardHash()
}
