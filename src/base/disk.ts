import fs from 'node:fs'
import { assert, codeOf } from './errors.ts'
import { replaceFile, type Content, type Replacing } from './replace.ts'
import { unpackBytes, type Packing } from './unpack.ts'

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
   * Opens what a stranger named, for reading: never through a symlink at the last step, and only a regular file. The caller still
   * has to look at what it got (`factsOf`, `pathOf`): of anything else it gets a descriptor that leads to no content.
   */
  open(path: string): number
  close(descriptor: number): void
  /** Reads at most `length` bytes at `position`; returns how many. */
  read(descriptor: number, into: Uint8Array, at: number, length: number, position: number): number
  /** What is inside of a packed file, from its start; see `unpackBytes`. The descriptor stays open. */
  unpack(descriptor: number, packing: Packing): AsyncIterable<Buffer>
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
  /** The text of a regular file, of `bytesMax` bytes at most; never through a symlink at the last step. */
  readText(path: string, bytesMax?: number): string
  remove(path: string): void
  /** Writes and flushes a file, keeps the one before as `previous`, and puts the new one in its place at once. */
  replace(path: string, previous: string, content: Content): Promise<void>
  append(path: string, text: string): void
  rename(from: string, to: string): void
  /** Until the device has what was written to a file, or the names of a directory. */
  flush(path: string): Promise<void>
}

export function kindOf(stats: fs.Stats | fs.BigIntStats | fs.Dirent): Kind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  return stats.isSocket() ? 'socket' : 'device'
}

/** One for all files of a file system: a bigint of its own for each of 10,000 is memory for nothing. */
let device = 0n

function factsFrom(stats: fs.BigIntStats): FileFacts {
  if (stats.dev !== device) device = stats.dev
  return {
    kind: kindOf(stats),
    device,
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
/** Names a place without opening what is there. Node does not list it; Linux has the same on all that Node runs on. Source: open(2). */
const O_PATH = 0o10000000

/**
 * What was looked at is what is opened, whatever the name leads to by then. For to open a FIFO lets whoever waits to write into
 * it go on, and kills it when its reader is closed; and to open a device may do anything. What is no regular file stays
 * unopened: of its descriptor there are facts and the place, and nothing to read.
 */
function openFile(path: string): number {
  const place = fs.openSync(path, O_PATH | O_NOFOLLOW)
  let isKept = false
  try {
    const stats = fs.fstatSync(place)
    if (stats.isSymbolicLink())
      throw Object.assign(new Error(`ELOOP: it is a symlink, open '${path}'`), { code: 'ELOOP' })
    isKept = !stats.isFile()
    return isKept ? place : openAgain(place, path)
  } finally {
    if (!isKept) fs.closeSync(place)
  }
}

function openAgain(place: number, path: string): number {
  const link = `/proc/self/fd/${place}`
  try {
    return fs.openSync(link, O_RDONLY | O_NONBLOCK | O_NOCTTY)
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replace(link, path)
    throw error
  }
}

/** Of its own: never into a FIFO, and never through a symlink, which somebody has put there. */
async function createFile(path: string): Promise<fs.promises.FileHandle> {
  try {
    return await fs.promises.open(path, 'wx', 0o600)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  // A crash has left it.
  await fs.promises.unlink(path)
  return fs.promises.open(path, 'wx', 0o600)
}

async function writeAll(file: fs.promises.FileHandle, content: Content): Promise<void> {
  if (typeof content === 'string') return file.writeFile(content)
  for (const piece of content) await file.writeFile(piece)
}

const systemReplacing: Replacing = {
  async create(path) {
    const file = await createFile(path)
    return { write: (content) => writeAll(file, content), flush: () => file.datasync(), close: () => file.close() }
  },
  exists: (path) => fs.existsSync(path),
  rename: (from, to) => fs.promises.rename(from, to),
  flushDirectory: flush,
}

/** Linux flushes through any descriptor, one for reading too. */
async function flush(path: string): Promise<void> {
  const handle = await fs.promises.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const systemDisk: Disk = {
  open: openFile,
  close: (descriptor) => fs.closeSync(descriptor),
  read: (descriptor, into, at, length, position) => fs.readSync(descriptor, into, at, length, position),
  unpack: (descriptor, packing) =>
    unpackBytes((into, at, length, position) => fs.readSync(descriptor, into, at, length, position), packing),
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
  readText(path, bytesMax = Infinity) {
    const descriptor = systemDisk.open(path)
    try {
      const stats = fs.fstatSync(descriptor)
      if (!stats.isFile()) throw new Error(`it is a ${kindOf(stats)}`)
      if (stats.size > bytesMax) throw new Error(`it has ${stats.size} bytes, more than ${bytesMax}`)
      return fs.readFileSync(descriptor, 'utf8')
    } finally {
      fs.closeSync(descriptor)
    }
  },
  remove: (path) => fs.rmSync(path, { force: true }),
  async replace(path, previous, content) {
    const directory = path.slice(0, path.lastIndexOf('/'))
    assert(directory !== '' && previous.startsWith(`${directory}/`), 'state lives in one directory')
    await replaceFile(systemReplacing, path, previous, content)
  },
  append: (path, text) => fs.appendFileSync(path, text, { mode: 0o600 }),
  rename: (from, to) => fs.renameSync(from, to),
  flush,
}
