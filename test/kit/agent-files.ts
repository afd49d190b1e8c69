import type { VolumeDisk } from '../../src/base/volume-disk.ts'
import type { DirectoryEntry, Disk, FileFacts, Kind } from '../../src/base/disk.ts'

/** An inode: what a name leads to, and what a descriptor holds on to after the name is gone. */
export interface Inode {
  readonly number: bigint
  readonly birthNs: bigint
  readonly entries: Map<string, Inode> | undefined
  /** Where a symlink leads. */
  readonly target: string | undefined
  bytes: Buffer
  /** What a power cut leaves of it for certain; undefined: it was never flushed. */
  flushed: Buffer | undefined
  modifiedMs: number
  names: number
  /** Descriptors that lead here. */
  opens: number
  /** Its last name, for `/proc/self/fd`. */
  path: string
}

export type Call = keyof Disk | keyof VolumeDisk

/** Steps of replacing a file: after each one the world may end. */
export type Step = 'create' | 'write' | 'flush' | 'close' | 'rename' | 'flushDirectory'

/**
 * What the file system says of an inode's birth.
 *
 * - `fine`: no two inodes that share a number share it
 * - `coarse`: a millisecond, so that what is made again at once has number and birth of what was there
 * - `none`: 0
 */
export type Births = 'fine' | 'coarse' | 'none'

/** What a test does to one process's view of the disk. */
export interface DiskHooks {
  /** Before each call: may change the disk, or throw what the call is to throw. */
  readonly before?: (call: Call, path: string) => void
  /** Before each step of replacing a file: may take its time, or throw. */
  readonly step?: (step: Step) => Promise<void>
  /** While a directory is being listed: what is renamed now may be seen twice or not at all. */
  readonly listing?: () => void
  /** How many of so many bytes a read brings. */
  readonly short?: (length: number) => number
  /** @param to  where the bytes end that were read */
  readonly read?: (inode: Inode, into: Uint8Array, to: number) => void
  /** The size of an open file was asked for. */
  readonly sized?: (inode: Inode) => void
  readonly closed?: (inode: Inode) => void
  /** A name is about to be removed in an open directory. */
  readonly removed?: (inode: Inode) => void
  /** A checkpoint has been written. */
  readonly replaced?: (text: string) => void
}

export function diskError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, path })
}

/** Directories and files in memory that behave as ext4 does where it matters: an inode's number is reused at once. */
export class MemoryFiles {
  readonly #root: Inode
  readonly #free: bigint[] = []
  readonly #rooms = new WeakMap<Inode, Buffer>()
  readonly #wallMs: () => number
  readonly #births: Births
  #made = 0n
  /** The directory that a power cut reaches: what it held after each change since its last flush, oldest first. */
  #fragile: string | undefined
  #history: Map<string, Inode>[] = []
  #renaming = false
  /** Something happened in a directory. */
  changed: (directory: string) => void = () => {}

  constructor(wallMs: () => number, births: Births = 'fine') {
    this.#wallMs = wallMs
    this.#births = births
    this.#root = this.#make('/', true)
    this.#root.names = 1
  }

  #make(path: string, directory: boolean, target?: string): Inode {
    this.#made++
    const bornNs = BigInt(Math.floor(this.#wallMs())) * 1_000_000n
    return {
      number: this.#free.shift() ?? this.#made + 1n,
      birthNs: this.#births === 'none' ? 0n : this.#births === 'coarse' ? bornNs : bornNs + this.#made,
      entries: directory ? new Map() : undefined,
      target,
      bytes: nothing,
      flushed: undefined,
      modifiedMs: this.#wallMs(),
      names: 0,
      opens: 0,
      path,
    }
  }

  /** Gives the number of an inode back when nothing leads to it any more. */
  reap(inode: Inode): void {
    if (inode.names > 0 || inode.opens > 0) return
    // A power cut may bring it back.
    if (this.#fragile !== undefined && inode.path.startsWith(this.#fragile)) return
    this.#free.push(inode.number)
    this.#free.sort((a, b) => Number(a - b))
  }

  find(path: string): Inode | undefined {
    let at: Inode | undefined = this.#root
    for (const part of path.split('/').slice(1)) if (part !== '' && part !== '.') at = at?.entries?.get(part)
    return at
  }

  /** The path behind a symlink at the last step, for there are no others; undefined when nothing is there. */
  resolve(path: string): string | undefined {
    const inode = this.find(path)
    if (inode?.target === undefined) return inode && path
    return this.find(inode.target)?.target === undefined && this.find(inode.target) ? inode.target : undefined
  }

  #parent(path: string): { directory: Inode; at: string; name: string } {
    const cut = path.lastIndexOf('/')
    const at = path.slice(0, cut) || '/'
    const directory = this.find(at)
    if (directory?.entries === undefined) throw diskError('ENOENT', path)
    return { directory, at, name: path.slice(cut + 1) }
  }

  #link(path: string, inode: Inode): void {
    const { directory, at, name } = this.#parent(path)
    directory.entries!.set(name, inode)
    inode.names++
    this.#name(inode, path)
    directory.modifiedMs = this.#wallMs()
    this.#note(at)
    this.changed(at)
  }

  #name(inode: Inode, path: string): void {
    inode.path = path
    for (const [name, inner] of inode.entries ?? []) this.#name(inner, `${path}/${name}`)
  }

  makeDirectory(path: string): void {
    let at = ''
    for (const part of path.split('/').slice(1)) {
      at += `/${part}`
      if (this.find(at) === undefined) this.#link(at, this.#make(at, true))
    }
  }

  /** The file at a path, made when there is none. */
  open(path: string): Inode {
    const known = this.find(path)
    if (known !== undefined) return known
    const inode = this.#make(path, false)
    this.#link(path, inode)
    return inode
  }

  write(inode: Inode, bytes: Buffer): void {
    inode.bytes = bytes
    inode.modifiedMs = this.#wallMs()
    if (inode.names > 0) this.changed(inode.path.slice(0, inode.path.lastIndexOf('/')) || '/')
  }

  append(inode: Inode, text: string): void {
    const added = Buffer.from(text)
    const { length } = inode.bytes
    // Room behind the bytes, so that a file that grows is not copied each time: only while nobody else shares it.
    let room = this.#rooms.get(inode)
    if (room === undefined || room.buffer !== inode.bytes.buffer || length + added.length > room.length) {
      room = Buffer.allocUnsafeSlow(2 * (length + added.length))
      room.set(inode.bytes)
      this.#rooms.set(inode, room)
    }
    room.set(added, length)
    this.write(inode, room.subarray(0, length + added.length))
  }

  /** As a writer without O_APPEND does: behind the end it leaves a hole, which reads as NULs. */
  writeAt(inode: Inode, position: number, text: string): void {
    const added = Buffer.from(text)
    const bytes = Buffer.alloc(Math.max(inode.bytes.length, position + added.length))
    bytes.set(inode.bytes)
    bytes.set(added, position)
    this.write(inode, bytes)
  }

  symlink(path: string, target: string): void {
    this.#link(path, this.#make(path, false, target))
  }

  truncate(inode: Inode, bytes = 0): void {
    this.#rooms.delete(inode)
    this.write(inode, inode.bytes.subarray(0, bytes))
  }

  remove(path: string): Inode | undefined {
    const { directory, at, name } = this.#parent(path)
    const inode = directory.entries!.get(name)
    if (inode === undefined) return undefined
    directory.entries!.delete(name)
    directory.modifiedMs = this.#wallMs()
    inode.names--
    this.reap(inode)
    this.#note(at)
    this.changed(at)
    return inode
  }

  /** Returns what stood at `to` and is gone. */
  rename(from: string, to: string): Inode | undefined {
    const inode = this.find(from)
    if (inode === undefined) throw diskError('ENOENT', from)
    if (from === to) return undefined
    this.#parent(to)
    inode.names++
    this.#renaming = true
    const gone = this.remove(to)
    this.remove(from)
    this.#renaming = false
    inode.names--
    this.#link(to, inode)
    return gone
  }

  link(from: string, to: string): void {
    this.#link(to, this.find(from)!)
  }

  facts(inode: Inode): FileFacts {
    return {
      kind: kindOf(inode),
      device: 1n,
      inode: inode.number,
      birthNs: inode.birthNs,
      sizeBytes: inode.bytes.length,
      modifiedMs: inode.modifiedMs,
      links: inode.names,
      uid: 0,
      gid: 0,
      mode: 0o644,
    }
  }

  entries(path: string): DirectoryEntry[] {
    const inode = this.find(path)
    if (inode === undefined) throw diskError('ENOENT', path)
    if (inode.entries === undefined) throw diskError('ENOTDIR', path)
    return [...inode.entries].map(([name, entry]) => ({ name, kind: kindOf(entry) }))
  }

  /** From now on a power cut takes from this directory, and the files in it, what was not flushed. */
  makeFragile(directory: string): void {
    this.makeDirectory(directory)
    this.#fragile = directory
    this.flushDirectory(directory)
  }

  flush(inode: Inode): void {
    inode.flushed = Buffer.from(inode.bytes)
  }

  flushDirectory(directory: string): void {
    if (directory === this.#fragile) this.#history = [new Map(this.find(directory)?.entries)]
  }

  /** Undoes changes of the fragile directory that were not flushed, the last ones first, and contents. */
  cutPower(random: () => number): void {
    const directory = this.#fragile === undefined ? undefined : this.find(this.#fragile)
    if (directory?.entries === undefined) return
    const kept = this.#history[Math.floor(random() * this.#history.length)]!
    for (const inode of directory.entries.values()) inode.names--
    directory.entries.clear()
    for (const [name, inode] of kept) {
      directory.entries.set(name, inode)
      inode.names++
      this.#name(inode, `${this.#fragile}/${name}`)
      // The names in a directory of it stay, what is behind them may not.
      for (const inner of inode.entries?.values() ?? [inode]) this.#damage(inner, random)
    }
    this.flushDirectory(this.#fragile!)
  }

  /** A power cut takes what was not flushed: all of it, the second half of the file, or nothing; of one that was appended to, never what was. */
  #damage(inode: Inode, random: () => number): void {
    if (inode.entries !== undefined || inode.flushed?.equals(inode.bytes) === true) return
    const left = random()
    if (left < 0.4) inode.bytes = inode.flushed ?? nothing
    else if (left < 0.8) {
      const { flushed = nothing, bytes } = inode
      const safe = bytes.subarray(0, flushed.length).equals(flushed) ? flushed.length : 0
      inode.bytes = bytes.subarray(0, Math.max(safe, bytes.length >> 1))
    }
    this.#rooms.delete(inode)
    this.flush(inode)
  }

  #note(directory: string): void {
    if (directory !== this.#fragile || this.#renaming) return
    this.#history.push(new Map(this.find(directory)?.entries))
  }
}

const nothing = Buffer.alloc(0)

function kindOf(inode: Inode): Kind {
  if (inode.entries !== undefined) return 'directory'
  return inode.target === undefined ? 'file' : 'symlink'
}
