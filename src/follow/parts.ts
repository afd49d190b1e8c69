import type { Clock } from '../base/clock.ts'
import type { Archives } from './archives.ts'
import type { Copies } from './copies.ts'
import type { Descriptors } from './descriptors.ts'
import type { Elders } from './elders.ts'
import type { Family } from './family.ts'
import type { Generation } from './generation.ts'
import type { Names } from './names.ts'
import type { Happening, SeenFile } from './seen.ts'
import type { Unopened } from './unopened.ts'
import type { Unpacking } from './unpacking.ts'

export interface RegistryOptions {
  readonly disk: Unpacking
  readonly clock: Clock
  /** Real directories that nothing is read outside of. */
  readonly roots: () => readonly string[]
  /** Real directories of Remora's own that nothing is read in. */
  readonly own?: () => readonly string[]
  /** How many files may be open at once. */
  readonly openFilesMax?: number
  /** Whether a path may be there although no listing shows it. */
  readonly isUnsure: (path: string) => boolean
  /** Wall clock of the first start here: a rotated file that was born later is ours. */
  readonly sinceMs: number
  /** Files that are there at the first start, before any checkpoint, are read from their end. */
  readonly startAtEnd: boolean
  readonly happened: (happening: Happening) => void
  /** The state knew it: what was read of it before may have been sent. */
  readonly restored: (generation: Generation) => void
  /** A listing did not tell enough: another one is wanted soon. */
  readonly lookAgain: (directory: string) => void
  /** Gives out what `_id`s begin with. */
  readonly names: Names<Generation>
  /** The names that a file may have had before it was rotated, of those that a glob matches. */
  readonly namesBefore: (path: string) => readonly string[]
  /** It has bytes that nobody has searched, or has ended with a last line that lacks its newline. */
  readonly readable: (generation: Generation) => void
  /** Whether every line that was read of it has a final verdict. */
  readonly settled: (generation: Generation) => boolean
}

/** What the parts of the registry share. */
export interface Parts extends RegistryOptions {
  readonly family: Family
  readonly copies: Copies
  readonly archives: Archives
  readonly descriptors: Descriptors
  readonly elders: Elders
  readonly unopened: Unopened
  /** One file that cannot be read does not keep the others from being seen. */
  readonly tried: <T>(file: SeenFile, otherwise: T, see: () => T) => T
  /** Whether the state knows of a content under this name that was not found yet. */
  readonly isSaved: (path: string) => boolean
  /** Whether the name of a generation still leads to it. */
  readonly isThere: (generation: Generation) => boolean
  /** Its time to be asked may come soon. */
  readonly soon: (generation: Generation) => void
  /** Opens a file again whose descriptor was given back. */
  readonly reopen: (generation: Generation) => boolean
  /** A file that is known was seen. */
  readonly again: (known: Generation, file: SeenFile) => void
  /** Asks an open file for its size. */
  readonly look: (generation: Generation) => void
  /** The content of an open file is another one. */
  readonly replaced: (generation: Generation, why: string) => void
  /** The content of an inode is gone from it: the rest may be in a copy. */
  readonly ended: (generation: Generation, why: string) => void
  /** Whether the last line of a content needs no newline any more. */
  readonly hasEnded: (generation: Generation) => boolean
  /** It is another one's: nothing is said of it. */
  readonly forget: (generation: Generation) => void
  /** Nothing of it will be found any more. */
  readonly gone: (generation: Generation) => void
}
