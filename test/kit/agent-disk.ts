import zlib from 'node:zlib'
import type { DirectoryEntry, Disk } from '../../src/base/disk.ts'
import type { VolumeDisk } from '../../src/base/volume-disk.ts'
import { codeOf, messageOf } from '../../src/base/errors.ts'
import { replaceFile, type Content, type Replacing } from '../../src/base/replace.ts'
import { archiveBroken, archiveCut, type Packing } from '../../src/base/unpack.ts'
import { diskError, type Call, type DiskHooks, type Inode, type MemoryFiles, type Step } from './agent-files.ts'

const bytesOf = (content: Content): Buffer =>
  typeof content === 'string' ? Buffer.from(content) : Buffer.concat(content)

/** A process's view of files in memory. `drop` closes all its descriptors, as the kernel does when it dies. */
export function memoryDisk(files: MemoryFiles, hooks: DiskHooks = {}): Disk & VolumeDisk & { drop(): void } {
  const open = new Map<number, Inode>()
  let descriptors = 10
  const before = (call: Call, path: string) => hooks.before?.(call, path)
  const held = (descriptor: number): Inode => {
    const inode = open.get(descriptor)
    if (inode === undefined) throw diskError('EBADF', String(descriptor))
    return inode
  }
  const inside = (directory: number, name: string) => `${held(directory).path}/${name}`
  const found = (path: string): Inode => {
    const inode = files.find(path)
    if (inode === undefined) throw diskError('ENOENT', path)
    return inode
  }
  const release = (descriptor: number): void => {
    const inode = held(descriptor)
    open.delete(descriptor)
    inode.opens--
    hooks.closed?.(inode)
    files.reap(inode)
  }
  const step = async (name: Step) => hooks.step?.(name)
  const replacing: Replacing = {
    async create(path) {
      await step('create')
      const inode = files.open(path)
      files.write(inode, Buffer.alloc(0))
      return {
        async write(content) {
          await step('write')
          files.write(inode, bytesOf(content))
        },
        async flush() {
          await step('flush')
          files.flush(inode)
        },
        close: () => step('close'),
      }
    },
    exists: (path) => files.find(path) !== undefined,
    async rename(from, to) {
      await step('rename')
      files.rename(from, to)
    },
    async flushDirectory(path) {
      await step('flushDirectory')
      files.flushDirectory(path)
    },
  }
  return {
    open(path) {
      before('open', path)
      const inode = found(path)
      if (inode.target !== undefined) throw diskError('ELOOP', path)
      inode.opens++
      open.set(++descriptors, inode)
      return descriptors
    },
    close(descriptor) {
      before('close', held(descriptor).path)
      release(descriptor)
    },
    read(descriptor, into, at, length, position) {
      before('read', held(descriptor).path)
      const wanted = Math.min(length, into.length - at)
      const { bytes } = held(descriptor)
      const part = bytes.subarray(position, position + (hooks.short?.(wanted) ?? wanted))
      hooks.read?.(held(descriptor), into, position + part.length)
      into.set(part, at)
      return part.length
    },
    async *unpack(descriptor, packing) {
      const { path, bytes } = held(descriptor)
      const { whole, failure } = unpackedAtOnce(bytes, packing)
      for (let at = 0; at < whole.length; at += unpackedBytes) {
        await Promise.resolve()
        // A process that has died goes on with nothing.
        if (!open.has(descriptor)) await new Promise(() => {})
        before('unpack', path)
        yield whole.subarray(at, at + unpackedBytes)
      }
      await Promise.resolve()
      before('unpack', path)
      if (failure !== undefined) throw failure
    },
    factsOf(descriptor) {
      before('factsOf', held(descriptor).path)
      return files.facts(held(descriptor))
    },
    sizeOf(descriptor) {
      before('sizeOf', held(descriptor).path)
      const inode = held(descriptor)
      hooks.sized?.(inode)
      return { sizeBytes: inode.bytes.length, links: inode.names, modifiedMs: files.facts(inode).modifiedMs }
    },
    look(path) {
      before('look', path)
      const inode = files.find(path)
      return inode && files.facts(inode)
    },
    list(directory) {
      before('list', directory)
      const entries = files.entries(directory)
      if (hooks.listing === undefined) return entries
      // A directory is read in the order of its names' hashes: what is renamed meanwhile may pass from behind the place
      // that the reading has come to before it, or the other way round.
      const early = entries.filter((entry) => !isLate(entry))
      hooks.listing()
      // The directory may be gone now, and what was open goes on being read.
      return [
        ...early,
        ...(files.find(directory)?.entries === undefined ? [] : files.entries(directory).filter(isLate)),
      ]
    },
    resolve(path) {
      before('resolve', path)
      const real = files.resolve(path)
      if (real === undefined) throw diskError('ENOENT', path)
      return real
    },
    pathOf(descriptor) {
      const inode = held(descriptor)
      return inode.names > 0 ? inode.path : `${inode.path} (deleted)`
    },
    makeDirectory(path) {
      before('makeDirectory', path)
      files.makeDirectory(path)
    },
    readText(path) {
      before('readText', path)
      return found(path).bytes.toString('utf8')
    },
    remove(path) {
      before('remove', path)
      files.remove(path)
    },
    async replace(path, previous, content) {
      before('replace', path)
      await replaceFile(replacing, path, previous, content)
      if (path.endsWith('/checkpoint.json')) hooks.replaced?.(bytesOf(content).toString())
    },
    append(path, text) {
      before('append', path)
      files.append(files.open(path), text)
    },
    rename(from, to) {
      before('rename', from)
      files.rename(from, to)
    },
    async flush(path) {
      before('flush', path)
      await step('flush')
      const inode = found(path)
      if (inode.entries === undefined) files.flush(inode)
      else files.flushDirectory(path)
    },
    spaceOf(path) {
      before('spaceOf', path)
      const inode = files.find(path)
      if (inode === undefined) return undefined
      const { kind, device, inode: number, links } = files.facts(inode)
      return { kind, device, inode: number, links, allocatedBytes: Math.ceil(inode.bytes.length / 512) * 512 }
    },
    mounts: () => ['/', '/logs', '/state'],
    refusalToWrite: () => undefined,
    openDirectory(path) {
      before('openDirectory', path)
      const inode = found(path)
      if (inode.entries === undefined) throw diskError('ENOTDIR', path)
      inode.opens++
      open.set(++descriptors, inode)
      return descriptors
    },
    lookIn(directory, name) {
      before('lookIn', inside(directory, name))
      const inode = held(directory).entries!.get(name)
      return inode && files.facts(inode)
    },
    renameIn(directory, from, to) {
      before('renameIn', inside(directory, from))
      files.rename(inside(directory, from), inside(directory, to))
    },
    linkIn(directory, from, to) {
      before('linkIn', inside(directory, from))
      if (held(directory).entries!.has(to)) throw diskError('EEXIST', to)
      files.link(inside(directory, from), inside(directory, to))
    },
    removeIn(directory, name) {
      before('removeIn', inside(directory, name))
      const path = inside(directory, name)
      const inode = found(path)
      hooks.removed?.(inode)
      files.remove(path)
    },
    drop() {
      for (const descriptor of open.keys()) release(descriptor)
    },
  }
}

const unpackedBytes = 700

/** Without the thread pool, whose time is not virtual. Damage takes all that Node's own functions do not give. */
function unpackedAtOnce(bytes: Buffer, packing: Packing): { whole: Buffer; failure?: Error } {
  const unpacked = (finishFlush?: number) =>
    packing === 'gzip'
      ? zlib.gunzipSync(bytes, finishFlush === undefined ? {} : { finishFlush })
      : zlib.zstdDecompressSync(bytes, finishFlush === undefined ? {} : { finishFlush })
  try {
    return { whole: unpacked() }
  } catch (error) {
    if (codeOf(error) !== 'Z_BUF_ERROR') return { whole: Buffer.alloc(0), failure: archiveBroken(messageOf(error)) }
    const { Z_SYNC_FLUSH, ZSTD_e_flush } = zlib.constants
    return { whole: unpacked(packing === 'gzip' ? Z_SYNC_FLUSH : ZSTD_e_flush), failure: archiveCut() }
  }
}

function isLate({ name }: DirectoryEntry): boolean {
  let hash = 7
  for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0
  return ((hash ^ (hash >>> 7)) & 1) === 1
}
