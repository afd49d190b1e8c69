import fs from 'node:fs'
import { assert } from './errors.ts'

export type Kind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'device'

/** What the file system says of one inode. Two files are the same when device and inode agree while both exist. */
export interface FileFacts {
  readonly kind: Kind
  readonly device: bigint
  readonly inode: bigint
  /** Nanoseconds since the epoch; 0 where the file system does not keep it. */
  readonly birthNs: bigint
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** Names that the inode has; 0: deleted, only open descriptors hold it. */
  readonly links: number
  readonly uid: number
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: Kind
}

/**
 * The disk as an argument, so that a test can own it. Everything here is synchronous on purpose, except what waits
 * for the device: reads hit the page cache (the application has just written the bytes), where a system call costs
 * a microsecond and a trip through the thread pool fifty. All throw Node's system errors.
 */
export interface Disk {
  /**
   * Opens what a stranger named, for reading: never through a symlink at the last step, never waiting for a FIFO's
   * writer. The caller still has to look at what it got (`factsOf`, `pathOf`).
   */
  open(path: string): number
  close(descriptor: number): void
  /** Reads at most `length` bytes at `position`; returns how many. */
  read(descriptor: number, into: Uint8Array, at: number, length: number, position: number): number
  factsOf(descriptor: number): FileFacts
  /** Size in bytes, number of names, last write: what is asked of each open file at each look. */
  sizeOf(descriptor: number): { sizeBytes: number; links: number; modifiedMs: number }
  /** Facts of a path itself, not of what a symlink points to; undefined when there is nothing. */
  look(path: string): FileFacts | undefined
  list(directory: string): DirectoryEntry[]
  /** The path with every symlink resolved. */
  resolve(path: string): string
  /** Where an open descriptor really is, symlinked directories resolved. */
  pathOf(descriptor: number): string
  makeDirectory(path: string): void
  readText(path: string): string
  remove(path: string): void
  /** Writes and flushes a file, keeps the one before as `previous`, and puts the new one in its place at once. */
  replace(path: string, previous: string, text: string): Promise<void>
  append(path: string, text: string): void
  rename(from: string, to: string): void
}

function kindOf(stats: fs.Stats | fs.BigIntStats | fs.Dirent): Kind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  return stats.isSocket() ? 'socket' : 'device'
}

function factsFrom(stats: fs.BigIntStats): FileFacts {
  return {
    kind: kindOf(stats),
    device: stats.dev,
    inode: stats.ino,
    birthNs: stats.birthtimeNs,
    sizeBytes: Number(stats.size),
    modifiedMs: Number(stats.mtimeMs),
    links: Number(stats.nlink),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mode: Number(stats.mode) & 0o7777,
  }
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants

export const systemDisk: Disk = {
  open: (path) => fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY),
  close: (descriptor) => fs.closeSync(descriptor),
  read: (descriptor, into, at, length, position) => fs.readSync(descriptor, into, at, length, position),
  factsOf: (descriptor) => factsFrom(fs.fstatSync(descriptor, { bigint: true })),
  sizeOf(descriptor) {
    const stats = fs.fstatSync(descriptor)
    return { sizeBytes: stats.size, links: stats.nlink, modifiedMs: stats.mtimeMs }
  },
  look(path) {
    const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
    return stats && factsFrom(stats)
  },
  list: (directory) =>
    fs.readdirSync(directory, { withFileTypes: true }).map((entry) => ({ name: entry.name, kind: kindOf(entry) })),
  resolve: (path) => fs.realpathSync(path),
  pathOf: (descriptor) => fs.readlinkSync(`/proc/self/fd/${descriptor}`),
  makeDirectory: (path) => void fs.mkdirSync(path, { recursive: true }),
  readText: (path) => fs.readFileSync(path, 'utf8'),
  remove: (path) => fs.rmSync(path, { force: true }),
  async replace(path, previous, text) {
    const temporary = `${path}.tmp`
    const directory = path.slice(0, path.lastIndexOf('/'))
    assert(directory !== '' && previous.startsWith(`${directory}/`), 'state lives in one directory')
    const file = await fs.promises.open(temporary, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.datasync()
    } finally {
      await file.close()
    }
    // At every moment one of the two names leads to a whole file.
    if (fs.existsSync(path)) await fs.promises.rename(path, previous)
    await fs.promises.rename(temporary, path)
    const handle = await fs.promises.open(directory)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  append: (path, text) => fs.appendFileSync(path, text, { mode: 0o600 }),
  rename: (from, to) => fs.renameSync(from, to),
}
