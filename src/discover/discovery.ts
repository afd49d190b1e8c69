import path from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { DirectoryEntry, Disk, FileFacts } from '../base/disk.ts'
import { backOffMs } from '../base/backing-off.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { isWithin, type Globs } from './globs.ts'
import { namesBeforeRotation } from './siblings.ts'
import type { Watch } from './watch.ts'

/** A regular file that the look has seen, or what a symlink inside the root leads to. */
export interface Entry {
  /** Where it is opened: the real path, no symlink in it below the root. */
  readonly path: string
  readonly facts: FileFacts
  /** A glob matches this name. */
  readonly matched: boolean
  /** Paths that a glob matches and that this file may have had before a rotation. */
  readonly before: readonly string[]
}

/** Everything in one directory at one moment. */
export interface Listing {
  readonly directory: string
  readonly entries: readonly Entry[]
  /** Paths in it that could not be looked at: nobody knows whether they are what they were. */
  readonly unknown: ReadonlySet<string>
}

/** Something that a glob names and that cannot be tailed. Said once for each path and code. */
export interface Obstacle {
  readonly path: string
  readonly code: string
  readonly message: string
  readonly wayOut: string
}

/** What a name is worth. */
interface Match {
  readonly matched: boolean
  readonly before: readonly string[]
}

const noMatch: Match = { matched: false, before: [] }
const plainMatch: Match = { matched: true, before: [] }

interface Directory {
  readonly path: string
  /** By name, of what was listed lately: comparing a name with the globs takes longer than looking at its file. */
  readonly matches: Map<string, Match>
  /** The same by what they say: many names say the same. */
  readonly equal: Map<string, Match>
  /** Device and inode: another directory may take the path, and a watch stays with the one it was put on. */
  key: string
  modifiedMs: number
  lookedAtMs: number
  changedAtMs: number
  /** When it is looked at without any hint, while it is not watched. */
  nextLookMs: number
  watched: boolean
  /** Files in it that were looked at although their name tells nothing. */
  strangers: number
  /** The watch failed: it is looked at on a timer for good. */
  unwatchable: boolean
}

export interface DiscoveryOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly globs: Globs
  readonly watch: Watch
  readonly scanIntervalMs: number
  readonly obstacle: (obstacle: Obstacle) => void
}

const access = 'Give the user that Remora runs as the right to read and search it (fsGroup, or a shared group).'
const descriptors = 'It is looked at again at each scan. Raise the limit of open files (ulimit -n).'

/** What a person can do when a directory cannot be looked at. */
const waysOut: Readonly<Record<string, string>> = {
  ENOENT:
    'It is looked for again at each scan. Check REMORA_PATHS and the volume mount if the application should have made it.',
  EACCES: access,
  EPERM: access,
  EMFILE: descriptors,
  ENFILE: descriptors,
}

/**
 * Which files exist. The disk is the truth: a directory is listed when its modification time moved, when a hint came,
 * and at each rescan in case a hint was lost. While its files are busy the watch of a directory is let go, for it
 * would make an event of each write; the look on a timer costs less (ARCHITECTURE.md).
 */
export class Discovery {
  readonly #o: DiscoveryOptions
  readonly #directories = new Map<string, Directory>()
  readonly #hints = new Set<string>()
  /** Where each glob's root really is. */
  readonly #roots = new Map<string, string>()
  /** Directories that are there and could not be listed, or not all of them. */
  readonly #unsure = new Set<string>()
  /** Directories beside the watched ones that rotated files are moved to (`olddir`). */
  readonly #annexes = new Set<string>()
  #rescanAtMs = 0
  #sawEverything = false
  #widely = true
  #watches = 0
  /** In all directories. */
  #strangers = 0
  #unwatchings = 0

  constructor(options: DiscoveryOptions) {
    this.#o = options
  }

  /** Directories that exist below the globs' roots now. */
  get directories(): number {
    return this.#directories.size
  }

  /** The real directories that nothing is read outside of. */
  get roots(): readonly string[] {
    return [...this.#roots.values()]
  }

  /** The same path, with its root as that really is: below that there is no symlink. */
  realPathOf(at: string): string {
    for (const [root, real] of this.#roots)
      if (root !== real && isWithin(at, root)) return `${real === '/' ? '' : real}${at.slice(root.length)}`
    return at
  }

  /** Whether a path may be there although no listing shows it. */
  isUnsure(at: string): boolean {
    return [...this.#unsure].some((directory) => isWithin(at, directory))
  }

  hint(directory: string): void {
    if (this.#directories.has(directory)) this.#hints.add(directory)
  }

  /** The directory cannot be watched: from now on it is looked at on a timer. */
  unwatchable(directory: string): void {
    const known = this.#directories.get(directory)
    if (known === undefined) return
    this.busy(directory)
    known.unwatchable = true
    // What happened since the watch was asked for shows in the next look.
    this.#hints.add(directory)
  }

  /** Lets go of a directory's watch while files in it grow; `look` takes it up again when it was quiet for a while. */
  busy(directory: string): void {
    const known = this.#directories.get(directory)
    if (known === undefined) return
    known.changedAtMs = this.#o.clock.monotonicMs()
    known.nextLookMs = 0
    this.#unwatch(known)
  }

  /** How often a watch was let go: files that it spoke for are to be asked. */
  get unwatchings(): number {
    return this.#unwatchings
  }

  /** When `look` has something to do without any hint: for the caller's one timer. Milliseconds, monotonic. */
  nextLookMs(): number {
    let nextMs = this.#rescanAtMs
    for (const directory of this.#directories.values()) {
      if (!directory.watched && directory.nextLookMs < nextMs) nextMs = directory.nextLookMs
    }
    return nextMs
  }

  /** Whether a hint would come from this directory. */
  isWatched(directory: string): boolean {
    return this.#directories.get(directory)?.watched ?? false
  }

  /** The last look was at every directory. */
  get sawEverything(): boolean {
    return this.#sawEverything
  }

  /** The names that a file may have had before it was rotated, of those that a glob matches. */
  namesBefore(at: string): readonly string[] {
    return this.#match(at, this.#directories.get(path.dirname(at))).before
  }

  /** Whether any directory has a hint that was not followed yet. */
  get hinted(): boolean {
    return this.#hints.size > 0
  }

  /**
   * Lists what may have changed since the last call; everything when the rescan is due or `everything` is asked for.
   *
   * @param widely  something is missing: directories beside the watched ones may hold it
   */
  look(everything = false, widely = false): Listing[] {
    const nowMs = this.#o.clock.monotonicMs()
    this.#widely ||= widely
    const listings: Listing[] = []
    this.#sawEverything = everything || nowMs >= this.#rescanAtMs
    if (this.#sawEverything) {
      this.#rescanAtMs = nowMs + this.#o.scanIntervalMs
      this.#hints.clear()
      this.#findRoots()
      for (const directory of this.#directories.keys()) this.#list(directory, listings, false)
      this.#widely = false
      return listings
    }
    for (const directory of this.#directories.values()) {
      const hinted = this.#hints.delete(directory.path)
      if (!hinted && (directory.watched || !this.#isDue(directory, nowMs) || !this.#moved(directory))) {
        this.#settleDown(directory, nowMs)
        continue
      }
      this.#list(directory.path, listings, true)
    }
    return listings
  }

  /** Whether an unwatched directory is looked at now; the next time is that much later the longer it was quiet. */
  #isDue(directory: Directory, nowMs: number): boolean {
    // A look that others have asked for costs little where files grow, and shows a rotation sooner.
    const isActive = this.#isActive(directory)
    if (directory.nextLookMs > nowMs && !(isActive && this.#directories.size <= activeDirectoriesMax)) return false
    const leastMs = isActive ? limits.pollIntervalMaxMs : limits.unwatchedIntervalMs
    directory.nextLookMs = nowMs + backOffMs(nowMs - directory.changedAtMs, this.#directories.size, leastMs)
    return true
  }

  #isActive(directory: Directory): boolean {
    return this.#o.clock.monotonicMs() - directory.changedAtMs < limits.directoryQuietMs
  }

  #moved(directory: Directory): boolean {
    let facts: FileFacts | undefined
    try {
      facts = this.#lookInto(directory.path)
    } catch {
      // To be listed, which says what is wrong.
      return true
    }
    return (
      facts === undefined ||
      facts.modifiedMs !== directory.modifiedMs ||
      directory.lookedAtMs - facts.modifiedMs < limits.tickMs
    )
  }

  /** Facts of the directory itself where the path is a symlink to it, as a root may be. */
  #lookInto(directory: string): FileFacts | undefined {
    return this.#o.disk.look(`${directory}/.`)
  }

  /** Watches a quiet directory again, and hints at it once more: something may fall between look and watch. */
  #settleDown(directory: Directory, nowMs: number): void {
    if (directory.watched || directory.unwatchable || this.#isActive(directory)) return
    if (this.#watches >= limits.watchesMax) return
    directory.watched = true
    this.#hints.add(directory.path)
    directory.changedAtMs = nowMs
    this.#watches++
    this.#o.watch.add(directory.path)
  }

  #findRoots(): void {
    for (const root of this.#o.globs.roots()) {
      try {
        const real = this.#o.disk.resolve(root)
        // Where a root is was decided when it was first seen: whoever may write above it must not move it elsewhere.
        const first = this.#roots.get(root)
        if (first !== undefined && first !== real) {
          this.#o.obstacle({
            path: root,
            code: 'ROOT_MOVED',
            message: `it led to ${first} at first, and leads to ${real} now, which is not followed`,
            wayOut: 'Restart Remora if that is meant.',
          })
          continue
        }
        this.#roots.set(root, real)
        this.#know(root)
      } catch (error) {
        // What cannot be asked now is still where it was.
        if (codeOf(error) !== 'ENOENT') this.#unsure.add(root)
        this.#failed(root, error)
      }
    }
  }

  #know(directory: string): Directory {
    let known = this.#directories.get(directory)
    if (known === undefined) {
      const nowMs = this.#o.clock.monotonicMs()
      known = {
        path: directory,
        matches: new Map(),
        equal: new Map(),
        key: '',
        modifiedMs: -1,
        lookedAtMs: 0,
        changedAtMs: nowMs,
        nextLookMs: 0,
        watched: false,
        strangers: 0,
        unwatchable: false,
      }
      this.#directories.set(directory, known)
    }
    return known
  }

  /** A directory is gone, and with it what was in it. */
  #forget(directory: string, listings: Listing[]): void {
    for (const known of this.#directories.values()) {
      if (!isWithin(known.path, directory)) continue
      this.#directories.delete(known.path)
      this.#strangers -= known.strangers
      this.#annexes.delete(known.path)
      this.#hints.delete(known.path)
      this.#unsure.delete(known.path)
      this.#unwatch(known)
      listings.push({ directory: known.path, entries: [], unknown: new Set() })
    }
  }

  #unwatch(known: Directory): void {
    if (!known.watched) return
    this.#o.watch.remove(known.path)
    known.watched = false
    this.#unwatchings++
    this.#watches--
  }

  #failed(at: string, error: unknown): void {
    const code = codeOf(error)
    const wayOut = waysOut[code] ?? 'It is looked at again at each scan.'
    this.#o.obstacle({ path: at, code, message: messageOf(error), wayOut })
  }

  #list(directory: string, listings: Listing[], recurse: boolean): void {
    const known = this.#directories.get(directory)
    if (known === undefined) return
    const entries: Entry[] = []
    const unknown = new Set<string>()
    try {
      const before = this.#lookInto(directory)
      const names = this.#o.disk.list(directory)
      if (names.length > limits.directoryEntriesMax) {
        this.#o.obstacle({
          path: directory,
          code: 'DIRECTORY_TOO_LARGE',
          message: `it has ${names.length} entries, and ${limits.directoryEntriesMax} are looked at`,
          wayOut: 'Remove old files, or narrow REMORA_PATHS to a smaller directory.',
        })
        names.length = limits.directoryEntriesMax
      }
      known.lookedAtMs = this.#o.clock.nowMs()
      this.#strangers -= known.strangers
      known.strangers = 0
      if (before !== undefined) this.#note(known, before)
      // Names of files that are gone: as many as there are, before they are forgotten.
      if (known.matches.size > 2 * names.length + namesSpare) this.#forgetMatches(known)
      for (const { name, kind } of names) {
        const at = path.join(directory, name)
        try {
          if (kind === 'directory') this.#directory(at, listings, recurse)
          else this.#file(known, at, kind === 'symlink', this.#isCrowded(names.length), entries)
        } catch (error) {
          if (codeOf(error) === '') throw error
          // A directory that may be read but not searched fails with each of its files: said once.
          this.#failed(codeOf(error) === 'EACCES' ? directory : at, error)
          unknown.add(at)
        }
      }
    } catch (error) {
      const gone = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
      if (gone) this.#forget(directory, listings)
      else this.#unsure.add(directory)
      if (!gone || this.#o.globs.roots().includes(directory)) this.#failed(directory, error)
      return
    }
    if (unknown.size === 0) this.#unsure.delete(directory)
    else this.#unsure.add(directory)
    listings.push({ directory, entries, unknown })
  }

  /** @param names  in the directory that is listed */
  #isCrowded(names: number): boolean {
    return names > limits.directoryCrowd || this.#strangers > limits.strangersMax
  }

  /** Nor are their names remembered. */
  #tooManyStrangers(known: Directory, at: string): void {
    known.matches.delete(path.basename(at))
    this.#o.obstacle({
      path: this.#o.globs.roots().find((root) => isWithin(known.path, root)) ?? known.path,
      code: 'TOO_MANY_STRANGERS',
      message: `more than ${limits.strangersMax} files that no glob matches and that are not named like rotated ones: further ones are not looked at`,
      wayOut:
        'A log that is renamed to such a name is read to its end while it is open, and not found again after a restart. Narrow REMORA_PATHS to the directory of the logs.',
    })
  }

  #forgetMatches({ matches, equal }: Directory): void {
    matches.clear()
    equal.clear()
  }

  #note(known: Directory, { device, inode, modifiedMs }: FileFacts): void {
    const key = `${device}:${inode}`
    if (known.key !== key) this.#unwatch(known)
    known.key = key
    if (known.modifiedMs === modifiedMs) return
    known.modifiedMs = modifiedMs
    known.changedAtMs = this.#o.clock.monotonicMs()
  }

  #directory(at: string, listings: Listing[], recurse: boolean): void {
    if (this.#directories.has(at)) return
    if (this.#o.globs.matches(at)) this.#unfit(at, 'directory')
    if (!this.#o.globs.mayContain(at) && !this.#isAnnex(at)) return
    if (at.split('/').length > limits.directoryDepthMax || this.#directories.size >= limits.directoriesMax) {
      this.#o.obstacle({
        path: at,
        code: 'TOO_MANY_DIRECTORIES',
        message: `more than ${limits.directoriesMax} directories, or deeper than ${limits.directoryDepthMax}`,
        wayOut: 'Narrow REMORA_PATHS, or leave directories out with REMORA_EXCLUDE.',
      })
      return
    }
    this.#know(at)
    // A rescan iterates over the map and comes to what was just added; a single look does not.
    if (recurse) this.#list(at, listings, true)
  }

  /** Whether rotated files of the directory above are moved to this one. */
  #isAnnex(at: string): boolean {
    if (!this.#widely || this.#annexes.has(path.dirname(at)) || this.#o.globs.excludes(at)) return false
    const rotated = listQuietly(this.#o.disk, at).some(
      ({ name, kind }) => kind === 'file' && this.#before(name, path.dirname(at)).length > 0,
    )
    if (rotated) this.#annexes.add(at)
    return rotated
  }

  /** What a file of this name was called in a directory before it was rotated, as far as a glob matches that. */
  #before(name: string, directory: string): string[] {
    return namesBeforeRotation(name)
      .map((before) => path.join(directory, before))
      .filter((before) => this.#o.globs.matches(before))
  }

  #file(known: Directory, at: string, symlink: boolean, crowded: boolean, entries: Entry[]): void {
    const { matched, before } = this.#match(at, known)
    // Any name may be that of a file which is known by its inode; in a crowd only those that could be one are asked.
    if (!matched && before.length === 0) {
      if (crowded) {
        if (this.#strangers > limits.strangersMax) this.#tooManyStrangers(known, at)
        return
      }
      known.strangers++
      this.#strangers++
    }
    const target = symlink ? this.#follow(at, matched) : at
    if (target === undefined) return
    const facts = this.#o.disk.look(target)
    if (facts === undefined) {
      if (matched && target.includes('\uFFFD')) this.#unnameable(at)
      return
    }
    if (facts.kind !== 'file') {
      if (matched) this.#unfit(at, facts.kind)
      return
    }
    entries.push({ path: target, facts, matched, before })
  }

  /** @param directory  that it is in, when it is a known one */
  #match(at: string, directory: Directory | undefined): Match {
    const name = path.basename(at)
    const known = directory?.matches.get(name)
    if (known !== undefined) return known
    const match = this.#compare(at, name)
    if (directory === undefined) return match
    const said = `${match.matched} ${match.before.join('\0')}`
    const equal = directory.equal.get(said) ?? match
    directory.equal.set(said, equal)
    directory.matches.set(name, equal)
    return equal
  }

  #compare(at: string, name: string): Match {
    const matched = this.#o.globs.matches(at)
    const directory = path.dirname(at)
    const home = this.#annexes.has(directory) ? path.dirname(directory) : directory
    const before = this.#before(name, home)
    if (before.length === 0) return matched ? plainMatch : noMatch
    if (!matched && this.#o.globs.excludes(at)) return noMatch
    return { matched, before }
  }

  /** Where a symlink leads, when that is inside a root; anything else is said once and left alone. */
  #follow(at: string, matched: boolean): string | undefined {
    if (!matched) return undefined
    try {
      const target = this.#o.disk.resolve(at)
      if (this.roots.some((root) => isWithin(target, root))) return target
      this.#o.obstacle({
        path: at,
        code: 'SYMLINK_OUTSIDE',
        message: 'it is a symlink to a place outside the watched directories, and is not followed',
        wayOut: 'Have the application write inside the watched directory, or name the real place in REMORA_PATHS.',
      })
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#failed(at, error)
    }
    return undefined
  }

  #unnameable(at: string): void {
    this.#o.obstacle({
      path: at,
      code: 'NAME_NOT_UTF8',
      message: 'its name is not valid UTF-8, so it cannot be opened by it; its lines are not shipped',
      wayOut: 'Have the application name its log files in UTF-8.',
    })
  }

  #unfit(at: string, kind: FileFacts['kind']): void {
    this.#o.obstacle({
      path: at,
      code: 'NOT_A_FILE',
      message: `a ${kind} is not a log file; it is left alone`,
      wayOut: 'Leave it out with REMORA_EXCLUDE, or narrow REMORA_PATHS.',
    })
  }
}

/** With no more than these, busy ones are looked at whenever anything is. */
const activeDirectoriesMax = 64

/** So many names more than there are do not matter. */
const namesSpare = 64

/** What is in a directory that nobody asked for. */
function listQuietly(disk: Disk, directory: string): DirectoryEntry[] {
  try {
    return disk.list(directory).slice(0, limits.directoryEntriesMax)
  } catch (error) {
    if (codeOf(error) === '') throw error
    return []
  }
}
