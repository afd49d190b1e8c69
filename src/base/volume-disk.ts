import fs from 'node:fs'
import { kindOf, systemDisk, type Disk, type FileFacts, type Kind } from './disk.ts'
import { codeOf } from './errors.ts'
import { mountPoints } from './mounts.ts'

/** What an inode takes up on its disk: the blocks that it has, not its size, which counts holes as well. */
export interface Space {
  readonly kind: Kind
  readonly device: bigint
  readonly inode: bigint
  readonly links: number
  readonly allocatedBytes: number
}

/** What it takes to measure a volume and to make room in it. All throw Node's system errors. */
export interface VolumeDisk extends Pick<Disk, 'close' | 'pathOf'> {
  /** Names one after the other: a directory may have more than memory holds. */
  list(directory: string): Iterable<{ readonly name: string }>
  /** Of a path itself, not of what a symlink points to; undefined when there is nothing. */
  spaceOf(path: string): Space | undefined
  /** Where file systems are mounted. */
  mounts(): readonly string[]
  /** Whether names in a directory may be removed: an error code (`EROFS`, `EACCES`) when not. */
  refusalToWrite(directory: string): string | undefined
  /**
   * Opens a directory, to act on what is in it wherever it is moved: never through a symlink at the last step. The
   * functions below take its descriptor and one name.
   */
  openDirectory(path: string): number
  lookIn(directory: number, name: string): FileFacts | undefined
  /** Puts what has a name now, whatever it is, under another one, over what has that. */
  renameIn(directory: number, from: string, to: string): void
  /** A second name; @throws EEXIST when something has it */
  linkIn(directory: number, from: string, to: string): void
  removeIn(directory: number, name: string): void
}

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY, W_OK, X_OK } = fs.constants

/** Node has no `unlinkat` and the like; a path through the descriptor leads to the directory that is open. */
const within = (directory: number, name: string) => `/proc/self/fd/${directory}/${name}`

/** Bytes of a block in `st_blocks`, whatever the file system. Source: `inode(7)`. */
const blockBytes = 512

function* entriesOf(directory: fs.Dir): Generator<{ readonly name: string }> {
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) yield entry
  } finally {
    directory.closeSync()
  }
}

export const systemVolumeDisk: VolumeDisk = {
  list: (directory) => entriesOf(fs.opendirSync(directory, { bufferSize: 256 })),
  close: (descriptor) => systemDisk.close(descriptor),
  pathOf: (descriptor) => systemDisk.pathOf(descriptor),
  spaceOf(path) {
    const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (stats === undefined) return undefined
    const { dev: device, ino: inode, nlink, blocks } = stats
    return { kind: kindOf(stats), device, inode, links: Number(nlink), allocatedBytes: Number(blocks) * blockBytes }
  },
  mounts: () => mountPoints(fs.readFileSync('/proc/self/mountinfo', 'utf8')),
  refusalToWrite(directory) {
    try {
      fs.accessSync(directory, W_OK | X_OK)
      return undefined
    } catch (error) {
      return codeOf(error)
    }
  },
  openDirectory: (path) => fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
  lookIn: (directory, name) => systemDisk.look(within(directory, name)),
  renameIn: (directory, from, to) => fs.renameSync(within(directory, from), within(directory, to)),
  linkIn: (directory, from, to) => fs.linkSync(within(directory, from), within(directory, to)),
  removeIn: (directory, name) => fs.unlinkSync(within(directory, name)),
}
