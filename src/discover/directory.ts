import type { Entry } from './entry.ts'
import type { Match } from './matching.ts'

/** What is known of one directory that exists below a root. */
export interface Directory {
  readonly path: string
  /** By name, of what was listed lately: comparing a name with the globs takes longer than looking at its file. */
  readonly matches: Map<string, Match>
  /** The same by what they say: many names say the same. */
  readonly equal: Map<string, Match>
  /** What the last listing has found. */
  listed: readonly Entry[]
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
  /** The watch failed, or tells nothing: it is looked at on a timer for good. */
  unwatchable: boolean
}

export function newDirectory(path: string, nowMs: number): Directory {
  return {
    path,
    matches: new Map(),
    equal: new Map(),
    listed: [],
    key: '',
    modifiedMs: -1,
    lookedAtMs: 0,
    changedAtMs: nowMs,
    nextLookMs: 0,
    watched: false,
    strangers: 0,
    unwatchable: false,
  }
}
