import type { Disk, FileFacts } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'

export interface Opened {
  readonly descriptor: number
  readonly facts: FileFacts
}

export interface Refusal {
  readonly code: string
  readonly message: string
  readonly wayOut: string
}

const deletedMark = ' (deleted)'

/**
 * Opens what a stranger named and looks at what it got: a directory on the way may have become a symlink, and the
 * file something else, between the look and the opening.
 *
 * @param roots  real directories; nothing outside of them is read
 */
export function openInside(disk: Disk, path: string, roots: readonly string[]): Opened | Refusal {
  let descriptor: number
  try {
    descriptor = disk.open(path)
  } catch (error) {
    return refusalOf(disk, path, error)
  }
  let refusal: Refusal
  try {
    const facts = disk.factsOf(descriptor)
    const place = disk.pathOf(descriptor)
    const real = place.endsWith(deletedMark) ? place.slice(0, -deletedMark.length) : place
    if (facts.kind === 'file' && roots.some((root) => real.startsWith(root === '/' ? '/' : `${root}/`))) {
      return { descriptor, facts }
    }
    refusal = {
      code: 'OUTSIDE_ROOT',
      message:
        facts.kind === 'file' ? 'it leads outside the watched directories' : `it turned out to be a ${facts.kind}`,
      wayOut: 'Name the real place in REMORA_PATHS, or leave it out with REMORA_EXCLUDE.',
    }
  } catch (error) {
    refusal = refusalOf(disk, path, error)
  }
  disk.close(descriptor)
  return refusal
}

function refusalOf(disk: Disk, path: string, error: unknown): Refusal {
  const code = codeOf(error)
  if (code === 'EACCES' || code === 'EPERM') {
    const facts = lookQuietly(disk, path)
    const owner =
      facts === undefined ? '' : ` (owner ${facts.uid}:${facts.gid}, mode ${facts.mode.toString(8).padStart(4, '0')})`
    return {
      code,
      message: `it may not be read by uid ${process.getuid?.()} with groups ${process.getgroups?.().join(', ')}${owner}`,
      wayOut:
        'Run Remora as the owner (runAsUser), or share a group through fsGroup and have the application create its logs readable by it (umask 027).',
    }
  }
  if (code === 'EMFILE')
    return { code, message: 'no file descriptors are left', wayOut: 'Raise the limit of open files (ulimit -n).' }
  if (code === 'ENFILE') {
    const wayOut = 'Raise the limit of open files of the node (fs.file-max, by sysctl).'
    return { code, message: 'no file descriptors are left on the node', wayOut }
  }
  if (code === 'ELOOP') {
    return {
      code,
      message: 'it became a symlink',
      wayOut: 'Symlinks are followed inside the watched directories only.',
    }
  }
  return { code, message: messageOf(error), wayOut: 'It is tried again at each scan.' }
}

/** Nobody waits for it any more, and the kernel has freed the number whatever it answers. */
export function closeQuietly(disk: Disk, descriptor: number): void {
  try {
    disk.close(descriptor)
  } catch (error) {
    if (codeOf(error) === '') throw error
  }
}

function lookQuietly(disk: Disk, path: string): FileFacts | undefined {
  try {
    return disk.look(path)
  } catch {
    return undefined
  }
}
