import type { DirectoryEntry, Disk, FileFacts } from '../../src/base/disk.ts'

/** An inode: what a name leads to, and what a descriptor holds on to after the name is gone. */
export interface Inode {
  readonly number: bigint
  readonly birthNs: bigint
  readonly entries: Map<string, Inode> | undefined
  bytes: Buffer
  modifiedMs: number
  names: number
  /** Descriptors that lead here. */
  opens: number
  /** Its last name, for `/proc/self/fd`. */
  path: string
}

export type Call = keyof Disk

/** What a test does to one process's view of the disk. */
export interface DiskHooks {
  /** Before each call: may change the disk, or throw what the call is to throw. */
  readonly before?: (call: Call, path: string) => void
  /** Between the steps of writing a checkpoint. */
  readonly pause?: () => Promise<void>
  readonly closed?: (inode: Inode) => void
  readonly replaced?: (text: string) => void
}

export function diskError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, path })
}

/** Directories and files in memory that behave as ext4 does where it matters: an inode's number is reused at once. */
export class MemoryFiles {
  readonly #root: Inode
  readonly #free: bigint[] = []
  readonly #wallMs: () => number
  #made = 0n
  /** Something happened in a directory. */
  changed: (directory: string) => void = () => {}

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
    this.#root = this.#make('/', true)
    this.#root.names = 1
  }

  #make(path: string, directory: boolean): Inode {
    this.#made++
    return {
      number: this.#free.shift() ?? this.#made + 1n,
      // Two inodes are never born at one moment: what shares a number does not share this.
      birthNs: BigInt(this.#wallMs()) * 1_000_000n + this.#made,
      entries: directory ? new Map() : undefined,
      bytes: Buffer.alloc(0),
      modifiedMs: this.#wallMs(),
      names: 0,
      opens: 0,
      path,
    }
  }

  /** Gives the number of an inode back when nothing leads to it any more. */
  reap(inode: Inode): void {
    if (inode.names > 0 || inode.opens > 0) return
    this.#free.push(inode.number)
    this.#free.sort((a, b) => Number(a - b))
  }

  find(path: string): Inode | undefined {
    let at: Inode | undefined = this.#root
    for (const part of path.split('/').slice(1)) if (part !== '' && part !== '.') at = at?.entries?.get(part)
    return at
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
    this.write(inode, Buffer.concat([inode.bytes, Buffer.from(text)]))
  }

  truncate(inode: Inode, bytes = 0): void {
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
    const gone = this.remove(to)
    this.remove(from)
    inode.names--
    this.#link(to, inode)
    return gone
  }

  link(from: string, to: string): void {
    this.#link(to, this.find(from)!)
  }

  facts(inode: Inode): FileFacts {
    return {
      kind: inode.entries === undefined ? 'file' : 'directory',
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
    return [...inode.entries].map(([name, { entries }]) => ({
      name,
      kind: entries === undefined ? 'file' : 'directory',
    }))
  }
}
