import type { Disk } from '../../src/base/disk.ts'
import { diskError, type DiskHooks, type Inode, type MemoryFiles } from './agent-files.ts'

/** A process's view of files in memory. `drop` closes all its descriptors, as the kernel does when it dies. */
export function memoryDisk(files: MemoryFiles, hooks: DiskHooks = {}): Disk & { drop(): void } {
  const open = new Map<number, Inode>()
  let descriptors = 10
  const before = (call: keyof Disk, path: string) => hooks.before?.(call, path)
  const held = (descriptor: number): Inode => {
    const inode = open.get(descriptor)
    if (inode === undefined) throw diskError('EBADF', String(descriptor))
    return inode
  }
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
  return {
    open(path) {
      before('open', path)
      const inode = found(path)
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
      const part = held(descriptor).bytes.subarray(position, position + Math.min(length, into.length - at))
      into.set(part, at)
      return part.length
    },
    factsOf(descriptor) {
      before('factsOf', held(descriptor).path)
      return files.facts(held(descriptor))
    },
    sizeOf(descriptor) {
      before('sizeOf', held(descriptor).path)
      const inode = held(descriptor)
      return { sizeBytes: inode.bytes.length, links: inode.names, modifiedMs: files.facts(inode).modifiedMs }
    },
    look(path) {
      before('look', path)
      const inode = files.find(path)
      return inode && files.facts(inode)
    },
    list(directory) {
      before('list', directory)
      return files.entries(directory)
    },
    resolve(path) {
      before('resolve', path)
      found(path)
      return path
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
    async replace(path, previous, text) {
      before('replace', path)
      const temporary = `${path}.tmp`
      files.write(files.open(temporary), Buffer.from(text))
      await hooks.pause?.()
      if (files.find(path) !== undefined) files.rename(path, previous)
      await hooks.pause?.()
      files.rename(temporary, path)
      hooks.replaced?.(text)
    },
    append(path, text) {
      before('append', path)
      files.append(files.open(path), text)
    },
    rename(from, to) {
      before('rename', from)
      files.rename(from, to)
    },
    drop() {
      for (const descriptor of open.keys()) release(descriptor)
    },
  }
}
