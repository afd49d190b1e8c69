import type { FileFacts } from '../base/disk.ts'
import type { Generation } from './generation.ts'
import type { Refusal } from './opening.ts'

/** A regular file in a listing; see `discover/discovery.ts`. */
export interface SeenFile {
  readonly path: string
  readonly facts: FileFacts
  readonly matched: boolean
  /** Names that it may have had before a rotation, of those that a glob matches. */
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
      readonly kind:
        | 'found'
        | 'resumed'
        | 'rotated'
        | 'deleted'
        | 'replaced'
        | 'missed'
        | 'copy'
        | 'finished'
        | 'freed'
        | 'dropped'
      readonly generation: Generation
      /** Which fact decided. */
      readonly why?: string
    }
  | { readonly kind: 'gap'; readonly generation: Generation; readonly bytes: number; readonly why: string }
  /** Bytes of a file that nobody could open are gone. */
  | { readonly kind: 'unopened'; readonly path: string; readonly bytes: number; readonly refusal: Refusal }
  | {
      readonly kind: 'refused'
      readonly path: string
      readonly code: string
      readonly message: string
      readonly wayOut: string
    }

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** A number that rotation counts up, behind the name or before the ending of an archive. */
const countedUp = /\.(\d{1,4})(?:\.\w+)?$/

/** Rotated files before the others, the oldest first: by birth, by the last write, by the number that rotation gave. */
export function byAge(a: SeenFile, b: SeenFile): number {
  return (
    Number(a.before.length === 0) - Number(b.before.length === 0) ||
    Number(a.facts.birthNs - b.facts.birthNs) ||
    a.facts.modifiedMs - b.facts.modifiedMs ||
    rotationsOf(b) - rotationsOf(a)
  )
}

function rotationsOf({ path, before }: SeenFile): number {
  return before.length === 0 ? 0 : Number(countedUp.exec(path)?.[1] ?? 0)
}

/** Changes when a file is written. */
export function stampOf({ sizeBytes, modifiedMs }: FileFacts): string {
  return `${sizeBytes} ${modifiedMs}`
}

/** Without its directory. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Whether a file may be a rotated form of one with any of these names. */
export function mayComeFrom({ before }: SeenFile, ...paths: readonly (string | undefined)[]): boolean {
  return paths.some((path) => path !== undefined && before.includes(path))
}

/** The same for what is known, under any name that it had. */
export function isNamedAlike(file: SeenFile, { path, basePath, lastPath }: Generation): boolean {
  return mayComeFrom(file, path, basePath, lastPath)
}

/**
 * Whether a file may hold a content, going by names: also in another directory where a line tells, for files with one name in
 * many directories may begin alike; and as an archive that its writer has gone on with.
 */
export function mayHold(file: SeenFile, generation: Generation): boolean {
  const { path, anchor, packing } = generation
  if (isNamedAlike(file, generation) || (packing !== undefined && file.path === path)) return true
  const name = `/${nameOf(path)}`
  return anchor !== undefined && file.before.some((before) => before.endsWith(name))
}

/** What to say of an archive that can be unpacked in part only. */
export function broken(path: string, { message }: Error): Happening {
  return {
    kind: 'refused',
    path,
    code: 'ARCHIVE_BROKEN',
    message: `it cannot be unpacked further: ${message}`,
    wayOut: 'What could be unpacked is shipped. Look at the file with `gzip -t` or `zstd -t`.',
  }
}
