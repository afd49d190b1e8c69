import type { Disk, FileFacts } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { denialOf, isDenied, ownReader } from '../base/rights.ts'

export interface Opened {
  readonly descriptor: number
  readonly facts: FileFacts
}

export interface Refusal {
  readonly code: string
  readonly message: string
  readonly wayOut: string
  /** YAML for the Pod's manifest. */
  readonly lines?: readonly string[]
}

const deletedMark = ' (deleted)'

/**
 * Opens what a stranger named and looks at what it got: a directory on the way may have become a symlink, and the
 * file something else, between the look and the opening.
 *
 * @param roots  real directories; nothing outside of them is read
 * @param own    real directories of Remora's own: nothing in them is read, were it to ship what it has written itself
 */
export function openInside(
  disk: Disk,
  path: string,
  roots: readonly string[],
  own: readonly string[] = [],
): Opened | Refusal {
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
    const isIn = (directory: string) => real.startsWith(directory === '/' ? '/' : `${directory}/`)
    const isOwn = own.some(isIn)
    if (facts.kind === 'file' && roots.some(isIn) && !isOwn) return { descriptor, facts }
    refusal = facts.kind === 'file' && isOwn ? ownState : outsideRoot(facts.kind)
  } catch (error) {
    refusal = refusalOf(disk, path, error)
  }
  disk.close(descriptor)
  return refusal
}

const ownState: Refusal = {
  code: 'OWN_STATE',
  message: 'it leads into REMORA_STATE_DIR: what Remora has written itself is not shipped',
  wayOut: 'Move REMORA_STATE_DIR out of the watched directories.',
}

const outsideRoot = (kind: FileFacts['kind']): Refusal => ({
  code: 'OUTSIDE_ROOT',
  message: kind === 'file' ? 'it leads outside the watched directories' : `it turned out to be a ${kind}`,
  wayOut: 'Name the real place in REMORA_PATHS, or leave it out with REMORA_EXCLUDE.',
})

function refusalOf(disk: Disk, path: string, error: unknown): Refusal {
  const code = codeOf(error)
  if (isDenied(code)) return { code, ...denialOf(lookQuietly(disk, path), ownReader()) }
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

/** A path with every symlink resolved; as it is where that cannot be found out. */
export function realPlaceOf(disk: Disk, path: string): string {
  try {
    return disk.resolve(path)
  } catch (error) {
    if (codeOf(error) === '') throw error
    return path
  }
}

function lookQuietly(disk: Disk, path: string): FileFacts | undefined {
  try {
    return disk.look(path)
  } catch {
    return undefined
  }
}
