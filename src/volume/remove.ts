import type { FileFacts } from '../base/disk.ts'
import { codeOf } from '../base/errors.ts'
import type { VolumeDisk } from '../base/volume-disk.ts'

/**
 * What became of an attempt to remove a file.
 *
 * - `removed`: the inode that was meant has no name any more
 * - `other`: its name, or its directory's, leads to something else now, or to nothing; or it was written to
 * - `linked`: it has another name, so that removing this one would free nothing
 * - `refused`: the disk does not allow it
 */
export type Removed =
  | { readonly kind: 'removed' | 'other' | 'linked' }
  | {
      readonly kind: 'refused'
      readonly code: string
      /** It is there under this name now, for it could not be given its own back. */
      readonly leftAs?: string
    }

/** Names in a directory are one component: nothing that leads elsewhere. */
const isName = (name: string) => name !== '' && name !== '.' && name !== '..' && !name.includes('/')

/**
 * Removes the one inode that is meant, whatever others do to its name meanwhile. Between a look and an `unlink` a name may
 * come to lead to another file, as when a rotator moves each file on by one. So the file is put under a name first that
 * nobody else knows, looked at there, and only then removed; what turns out to be another one gets its name back. All in
 * the directory that is open, which no symlink can replace.
 *
 * @param expected  what the file was when it was decided that it may go
 * @param aside     a name, not yet in use, that a rotated file could have: after a crash it is known under that
 */
export function removeFile(disk: VolumeDisk, path: string, expected: FileFacts, aside: string): Removed {
  const at = path.lastIndexOf('/')
  const [directory, name] = [path.slice(0, at) || '/', path.slice(at + 1)]
  if (!isName(name) || !isName(aside)) return { kind: 'other' }
  let descriptor: number
  try {
    descriptor = disk.openDirectory(directory)
  } catch (error) {
    return failed(error)
  }
  try {
    // Every step of the way may have become a symlink.
    if (disk.pathOf(descriptor) !== directory) return { kind: 'other' }
    const found = disk.lookIn(descriptor, name)
    if (found === undefined || !isSame(found, expected)) return { kind: 'other' }
    if (found.links !== 1) return { kind: 'linked' }
    if (disk.lookIn(descriptor, aside) !== undefined) return { kind: 'other' }
    disk.renameIn(descriptor, name, aside)
    return removeAside(disk, descriptor, name, aside, expected)
  } catch (error) {
    return failed(error)
  } finally {
    disk.close(descriptor)
  }
}

function removeAside(disk: VolumeDisk, descriptor: number, name: string, aside: string, expected: FileFacts): Removed {
  let trouble: Removed = { kind: 'other' }
  try {
    const taken = disk.lookIn(descriptor, aside)
    if (taken !== undefined && isSame(taken, expected) && taken.links === 1) {
      disk.removeIn(descriptor, aside)
      return { kind: 'removed' }
    }
  } catch (error) {
    trouble = failed(error)
  }
  const code = giveBack(disk, descriptor, name, aside)
  return code === undefined ? trouble : { kind: 'refused', code, leftAs: aside }
}

/** Never over what has the name by now. @returns undefined, or why it could not be */
function giveBack(disk: VolumeDisk, descriptor: number, name: string, aside: string): string | undefined {
  try {
    try {
      disk.linkIn(descriptor, aside, name)
      disk.removeIn(descriptor, aside)
      return undefined
    } catch (error) {
      // Where hard links to files of others are not allowed (`fs.protected_hardlinks`), or none at all, or to no directory.
      if (codeOf(error) === 'EEXIST' || codeOf(error) === '') throw error
      if (disk.lookIn(descriptor, name) !== undefined) return 'EEXIST'
      disk.renameIn(descriptor, aside, name)
      return undefined
    }
  } catch (error) {
    if (codeOf(error) === '') throw error
    return codeOf(error)
  }
}

function isSame(found: FileFacts, expected: FileFacts): boolean {
  return (
    found.kind === 'file' &&
    found.device === expected.device &&
    found.inode === expected.inode &&
    found.birthNs === expected.birthNs &&
    found.sizeBytes === expected.sizeBytes &&
    found.modifiedMs === expected.modifiedMs
  )
}

function failed(error: unknown): Removed {
  const code = codeOf(error)
  if (code === '') throw error
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' ? { kind: 'other' } : { kind: 'refused', code }
}
