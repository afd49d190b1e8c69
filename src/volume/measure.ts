import type { Space, VolumeDisk } from '../base/volume-disk.ts'
import { codeOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Doubt } from './doubts.ts'

export interface Measured {
  /** Blocks of files and directories, hard links once. */
  readonly bytes: number
  readonly entries: number
  /** Undefined: `bytes` is all of it. */
  readonly doubt: Doubt | undefined
  /** Time that was spent, without that of others in between. */
  readonly tookMs: number
}

/** The volume itself could not be looked at. */
export interface Unmeasured {
  readonly bytes: undefined
  readonly doubt: Doubt
}

/** A directory that is gone, or was a file by then, is no news. */
const passing = new Set(['ENOENT', 'ENOTDIR'])

/**
 * How much a volume holds, as the kubelet counts it: the blocks of everything with a name, directories, hidden files and
 * those of strangers too, an inode once, nothing that is mounted in it, no symlink followed. Source: cAdvisor, `fs/fs.go`,
 * `GetDirUsage`, which is `du -s`. In slices, so that shipping goes on in between.
 *
 * @param rest  lets others have their turn, after each slice; false: it is given up
 * @returns     undefined when it was given up
 */
export async function measure(
  disk: VolumeDisk,
  directory: string,
  monotonicMs: () => number,
  rest: () => Promise<boolean>,
): Promise<Measured | Unmeasured | undefined> {
  let root: Space | undefined
  let mounts: ReadonlySet<string>
  try {
    root = disk.spaceOf(directory)
    // One of the same device, as another `emptyDir` of the same node has, is told by its being a mount only.
    mounts = new Set(disk.mounts())
  } catch (error) {
    return unmeasured(directory, codeOf(error), error)
  }
  if (root?.kind !== 'directory') return unmeasured(directory, root === undefined ? 'ENOENT' : 'ENOTDIR')
  const linked = new Set<string>()
  const directories = [directory]
  let bytes = root.allocatedBytes
  let entries = 0
  let tookMs = 0
  let unreadable: Doubt | undefined
  let sliceFromMs = monotonicMs()
  let isWhole = true
  const whole = () => (isWhole &&= entries < limits.volumeEntriesMax && directories.length < limits.directoriesMax)
  for (let at = directories.pop(); at !== undefined && whole(); at = directories.pop()) {
    for (const { name } of entriesOf(at)) {
      if (!whole()) break
      if (++entries % limits.volumeSliceEntries === 0) {
        tookMs += monotonicMs() - sliceFromMs
        if (!(await rest())) return undefined
        sliceFromMs = monotonicMs()
      }
      const path = `${at === '/' ? '' : at}/${name}`
      const space = spaceOf(path, at)
      if (space === undefined || space.device !== root.device || mounts.has(path)) continue
      if (space.kind === 'directory') directories.push(path)
      else if (space.links > 1) {
        const key = String(space.inode)
        if (linked.has(key)) continue
        // Beyond that each name counts: too much rather than too little.
        if (linked.size < limits.volumeLinksMax) linked.add(key)
      }
      bytes += space.allocatedBytes
    }
  }
  tookMs += monotonicMs() - sliceFromMs
  if (unreadable?.kind === 'unmeasured') return { bytes: undefined, doubt: unreadable }
  return { bytes, entries, doubt: whole() ? unreadable : { kind: 'more', entries }, tookMs }

  function* entriesOf(at: string) {
    let isFirst = true
    try {
      for (const entry of disk.list(at)) {
        isFirst = false
        yield entry
      }
    } catch (error) {
      note(at, error, at === directory && isFirst ? 'unmeasured' : 'partly')
    }
  }

  /** @param directoryOfIt  one that may be listed and not searched fails with each of its files */
  function spaceOf(path: string, directoryOfIt: string) {
    try {
      return disk.spaceOf(path)
    } catch (error) {
      note(codeOf(error) === 'EACCES' ? directoryOfIt : path, error, 'partly')
      return undefined
    }
  }

  function note(path: string, error: unknown, kind: 'partly' | 'unmeasured') {
    const code = codeOf(error)
    if (code === '') throw error
    if (kind === 'unmeasured' || !passing.has(code)) unreadable ??= { kind, path, code }
  }
}

function unmeasured(path: string, code: string, error?: unknown): Unmeasured {
  if (code === '') throw error
  return { bytes: undefined, doubt: { kind: 'unmeasured', path, code } }
}
