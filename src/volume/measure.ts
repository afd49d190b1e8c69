import type { VolumeDisk } from '../base/volume-disk.ts'
import { codeOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'

export interface Measured {
  /** Blocks of files and directories, hard links once. */
  readonly bytes: number
  readonly entries: number
  /** False: there is more than a bound, and the rest is not in `bytes`. */
  readonly whole: boolean
  /** A directory that could not be listed, the first one. */
  readonly unreadable: string | undefined
  /** Time that was spent, without that of others in between. */
  readonly tookMs: number
}

/** A directory that is gone, or was a file by then, is no news. */
const passing = new Set(['ENOENT', 'ENOTDIR'])

/**
 * How much a volume holds, as the kubelet counts it: the blocks of everything with a name, directories, hidden files and
 * those of strangers too, an inode once, nothing that is mounted in it, no symlink followed. Source: cAdvisor, `fs/fs.go`,
 * `GetDirUsage`, which is `du -s`. In slices, so that shipping goes on in between.
 *
 * @param rest  lets others have their turn, after each slice; false: it is given up
 * @returns     undefined when it was given up, or the directory is not there
 */
export async function measure(
  disk: VolumeDisk,
  directory: string,
  monotonicMs: () => number,
  rest: () => Promise<boolean>,
): Promise<Measured | undefined> {
  const root = spaceOf(directory)
  if (root?.kind !== 'directory') return undefined
  // One of the same device, as another `emptyDir` of the same node has, is told by its being a mount only.
  const mounts = new Set(disk.mounts())
  const linked = new Set<string>()
  const directories = [directory]
  let bytes = root.allocatedBytes
  let entries = 0
  let tookMs = 0
  let unreadable: string | undefined
  let sliceFromMs = monotonicMs()
  let isWhole = true
  const whole = () => (isWhole &&= entries < limits.volumeEntriesMax && directories.length < limits.directoriesMax)
  for (let at = directories.pop(); at !== undefined && whole(); at = directories.pop()) {
    for (const { name } of list(at)) {
      if (!whole()) break
      if (++entries % limits.volumeSliceEntries === 0) {
        tookMs += monotonicMs() - sliceFromMs
        if (!(await rest())) return undefined
        sliceFromMs = monotonicMs()
      }
      const path = `${at === '/' ? '' : at}/${name}`
      const space = spaceOf(path)
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
  return { bytes, entries, whole: whole(), unreadable, tookMs }

  function list(at: string) {
    try {
      return disk.list(at)
    } catch (error) {
      if (codeOf(error) === '') throw error
      if (!passing.has(codeOf(error))) unreadable ??= at
      return []
    }
  }

  function spaceOf(path: string) {
    try {
      return disk.spaceOf(path)
    } catch (error) {
      if (codeOf(error) === '') throw error
      return undefined
    }
  }
}
