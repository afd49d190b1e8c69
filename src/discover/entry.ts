import type { FileFacts } from '../base/disk.ts'

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
