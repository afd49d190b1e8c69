/** What a state directory holds, for `remora inspect`: reads, and changes nothing. */
import type { Disk } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import type { SavedGeneration, State } from '../base/state.ts'
import {
  checkpointPath,
  findInstallation,
  findState,
  previousPath,
  type Found,
  type Installation,
} from '../settle/reading.ts'
import type { Read } from '../settle/state-text.ts'
import { formerFiles, lettersDirectory, segmentsIn } from '../ship/letters/segments.ts'

/** One of the two checkpoints. */
export interface CheckpointFile {
  readonly path: string
  readonly found: Found<Read>
  readonly sizeBytes: number
  readonly writtenMs: number
}

export interface OtherFile {
  readonly name: string
  readonly sizeBytes: number
  readonly writtenMs: number
}

export interface StateDirectory {
  readonly directory: string
  /** Why it cannot be looked into; `missing`: there is none. */
  readonly obstacle: 'missing' | { readonly why: string } | undefined
  readonly checkpoints: readonly CheckpointFile[]
  /** The one that `remora run` would begin with. */
  readonly used: { readonly path: string; readonly read: Read } | undefined
  readonly installation: Found<Installation>
  readonly setAside: readonly OtherFile[]
  readonly deadLetters: readonly OtherFile[]
  /** Half-written, of a crash or of this moment. */
  readonly drafts: readonly OtherFile[]
}

export function stateDirectoryOf(directory: string, disk: Disk): StateDirectory {
  const { names, obstacle } = namesIn(directory, disk)
  let checkpoints = checkpointsOf(directory, disk)
  // Between two renames the newest has no name for a moment.
  if (checkpoints[0]?.found.kind === 'none') checkpoints = checkpointsOf(directory, disk)
  const used = checkpoints.find(({ found }) => found.kind === 'readable')
  const files = (isOne: (name: string) => boolean) => names.filter(isOne).map((name) => fileOf(directory, name, disk))
  return {
    directory,
    obstacle,
    checkpoints,
    used: used?.found.kind === 'readable' ? { path: used.path, read: used.found.value } : undefined,
    installation: findInstallation(disk, directory),
    setAside: files((name) => name.includes('.unreadable-')),
    deadLetters: deadLettersOf(directory, disk),
    drafts: files((name) => name.endsWith('.tmp')),
  }
}

/** With those that an earlier version has left beside their directory. */
function deadLettersOf(directory: string, disk: Disk): OtherFile[] {
  const former = formerFiles(directory).map(({ path }) => path.slice(directory.length + 1))
  const there = former.filter((name) => looked(`${directory}/${name}`, disk)?.kind === 'file')
  try {
    const segments = segmentsIn(disk, lettersDirectory(directory))
    return [
      ...there.map((name) => fileOf(directory, name, disk)),
      ...segments.map(({ name, sizeBytes, modifiedMs }) => ({
        name: `dead-letters/${name}`,
        sizeBytes,
        writtenMs: modifiedMs,
      })),
    ]
  } catch {
    return there.map((name) => fileOf(directory, name, disk))
  }
}

function namesIn(directory: string, disk: Disk): { names: string[]; obstacle: StateDirectory['obstacle'] } {
  try {
    const names = disk.list(directory).map(({ name }) => name)
    return { names: names.toSorted(), obstacle: undefined }
  } catch (error) {
    return { names: [], obstacle: codeOf(error) === 'ENOENT' ? 'missing' : { why: messageOf(error) } }
  }
}

function checkpointsOf(directory: string, disk: Disk): CheckpointFile[] {
  return [checkpointPath(directory), previousPath(directory)].map((path) => {
    const { sizeBytes = 0, modifiedMs: writtenMs = 0 } = looked(path, disk) ?? {}
    return { path, found: findState(disk, path), sizeBytes, writtenMs }
  })
}

function fileOf(directory: string, name: string, disk: Disk): OtherFile {
  const { sizeBytes = 0, modifiedMs: writtenMs = 0 } = looked(`${directory}/${name}`, disk) ?? {}
  return { name, sizeBytes, writtenMs }
}

function looked(path: string, disk: Disk): ReturnType<Disk['look']> {
  try {
    return disk.look(path)
  } catch {
    return undefined
  }
}

/** A generation as a person asks for it. */
export interface Row {
  readonly saved: SavedGeneration
  /** Now, when its inode is where it was last seen; otherwise as the state has it. */
  readonly sizeBytes: number
  readonly isThere: boolean
  /** Bytes that have no final verdict; 0 of one that is finished. */
  readonly lagBytes: number
  /** Of its bytes, with a final verdict: 0 to 100. */
  readonly percent: number
}

export function rowOf(saved: SavedGeneration, disk: Disk): Row {
  const facts = looked(saved.currentPath ?? saved.path, disk)
  const isThere = facts?.kind === 'file' && String(facts.inode) === saved.inode
  // The size of an archive is not that of what is in it.
  const sizeBytes = isThere && saved.packing === null ? facts.sizeBytes : saved.sizeBytes
  const lagBytes = saved.finished && sizeBytes === saved.sizeBytes ? 0 : Math.max(0, sizeBytes - saved.offset)
  const percent = sizeBytes === 0 || lagBytes === 0 ? 100 : Math.floor((100 * saved.offset) / sizeBytes)
  return { saved, sizeBytes, isThere, lagBytes, percent }
}

/** The furthest behind first. */
export function rowsOf(state: State, disk: Disk): Row[] {
  const rows = state.generations.map((saved) => rowOf(saved, disk))
  return rows.toSorted((a, b) => b.lagBytes - a.lagBytes || (a.saved.path < b.saved.path ? -1 : 1))
}

export interface Totals {
  readonly generations: number
  readonly finished: number
  readonly sizeBytes: number
  readonly offsetBytes: number
  readonly lagBytes: number
}

export function totalsOf(rows: readonly Row[]): Totals {
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0)
  return {
    generations: rows.length,
    finished: sum(({ saved }) => Number(saved.finished)),
    sizeBytes: sum(({ sizeBytes }) => sizeBytes),
    offsetBytes: sum(({ saved }) => saved.offset),
    lagBytes: sum(({ lagBytes }) => lagBytes),
  }
}

/** 0: there is a state, or there is none yet; 1: the newest, or what there is at all, cannot be read. */
export function exitCodeOf({ obstacle, checkpoints }: StateDirectory): 0 | 1 {
  const newest = checkpoints.find(({ found }) => found.kind !== 'none')
  return newest?.found.kind === 'unreadable' || typeof obstacle === 'object' ? 1 : 0
}
