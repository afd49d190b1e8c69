import path from 'node:path'
import type { DirectoryEntry, Disk } from '../base/disk.ts'
import { codeOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Directory } from './directory.ts'
import type { Globs } from './globs.ts'
import { namesBeforeRotation } from './siblings.ts'

/** What a name is worth. */
export interface Match {
  readonly matched: boolean
  readonly before: readonly string[]
}

const noMatch: Match = { matched: false, before: [] }
const plainMatch: Match = { matched: true, before: [] }

/** So many names more than there are do not matter. */
const namesSpare = 64

/** What names are worth, by the globs and by what rotation may have made of them; remembered for what was listed lately. */
export class Matching {
  readonly #globs: Globs
  /** Directories beside the watched ones that rotated files are moved to (`olddir`). */
  readonly #annexes = new Set<string>()

  constructor(globs: Globs) {
    this.#globs = globs
  }

  /** @param directory  that it is in, when it is a known one */
  of(at: string, directory: Directory | undefined): Match {
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

  /** Nor is its name remembered. */
  forgetName({ matches }: Directory, at: string): void {
    matches.delete(path.basename(at))
  }

  /** Names of files that are gone: as many as there are, before they are forgotten. @param names  in the directory now */
  tidy({ matches, equal }: Directory, names: number): void {
    if (matches.size <= 2 * names + namesSpare) return
    matches.clear()
    equal.clear()
  }

  /** Whether rotated files of the directory above are moved to this one, which is remembered. */
  isAnnex(disk: Disk, at: string): boolean {
    if (this.#annexes.has(path.dirname(at)) || this.#globs.excludes(at)) return false
    const rotated = listQuietly(disk, at).some(
      ({ name, kind }) => kind === 'file' && this.#before(name, path.dirname(at)).length > 0,
    )
    if (rotated) this.#annexes.add(at)
    return rotated
  }

  /** The directory is gone. */
  forgetAnnex(at: string): void {
    this.#annexes.delete(at)
  }

  #compare(at: string, name: string): Match {
    const matched = this.#globs.matches(at)
    const directory = path.dirname(at)
    const home = this.#annexes.has(directory) ? path.dirname(directory) : directory
    const before = this.#before(name, home)
    if (before.length === 0) return matched ? plainMatch : noMatch
    if (!matched && this.#globs.excludes(at)) return noMatch
    return { matched, before }
  }

  /** What a file of this name was called in a directory before it was rotated, as far as a glob matches that. */
  #before(name: string, directory: string): string[] {
    return namesBeforeRotation(name)
      .map((before) => path.join(directory, before))
      .filter((before) => this.#globs.matches(before))
  }
}

/** What is in a directory that nobody asked for. */
function listQuietly(disk: Disk, directory: string): DirectoryEntry[] {
  try {
    return disk.list(directory).slice(0, limits.directoryEntriesMax)
  } catch (error) {
    if (codeOf(error) === '') throw error
    return []
  }
}
