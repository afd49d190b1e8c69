import fs from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { codeOf } from '../../src/base/errors.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { MemoryFiles } from '../kit/agent-files.ts'
import { temporaryTree } from '../kit/agent-tree.ts'

const path = fc.constantFrom('/a.log', '/a.log', '/a.log.1', '/b.log', '/sub/c.log', '/sub', '/nothing/x.log')
const anyCommand = fc.oneof(
  fc.record({ do: fc.constant('append' as const), path, bytes: fc.nat(40) }),
  fc.record({ do: fc.constant('truncate' as const), path, bytes: fc.nat(20) }),
  fc.record({ do: fc.constant('rename' as const), path, to: path }),
  fc.record({ do: fc.constant('remove' as const), path }),
  fc.record({ do: fc.constant('makeDirectory' as const), path: fc.constantFrom('/sub', '/sub2', '/sub/deeper') }),
  fc.record({ do: fc.constant('open' as const), path }),
  fc.record({ do: fc.constant('read' as const), file: fc.nat(3), from: fc.nat(50), length: fc.nat(60) }),
  fc.record({ do: fc.constant('close' as const), file: fc.nat(3) }),
  fc.record({ do: fc.constantFrom('look' as const, 'list' as const, 'readText' as const), path }),
)
type Command = typeof anyCommand extends fc.Arbitrary<infer T> ? T : never

/** What happens to files beside the disk that the agent sees. */
interface World {
  readonly disk: Disk
  readonly root: string
  append(path: string, text: string): void
  truncate(path: string, bytes: number): void
  rename(from: string, to: string): void
  remove(path: string): void
  makeDirectory(path: string): void
}

/** Does one thing, and says what came of it in words that do not depend on the file system. */
// oxlint-disable-next-line typescript/consistent-return -- every case returns
function outcome(world: World, command: Command, open: number[]): unknown {
  const { disk, root } = world
  const at = 'path' in command ? `${root}${command.path}` : ''
  const file = 'file' in command ? open[command.file % open.length] : undefined
  try {
    switch (command.do) {
      case 'append':
        world.append(at, 'x'.repeat(command.bytes))
        return undefined
      case 'truncate':
        world.truncate(at, command.bytes)
        return undefined
      case 'rename':
        world.rename(at, `${root}${command.to}`)
        return undefined
      case 'remove':
        world.remove(at)
        return undefined
      case 'makeDirectory':
        world.makeDirectory(at)
        return undefined
      case 'open':
        return open.push(disk.open(at))
      case 'read': {
        if (file === undefined || disk.factsOf(file).kind !== 'file') return undefined
        const into = Buffer.alloc(100)
        const got = disk.read(file, into, 5, command.length, command.from)
        const { sizeBytes, links } = disk.sizeOf(file)
        return [got, into.toString('latin1'), sizeBytes, links, disk.pathOf(file).slice(root.length)]
      }
      case 'close':
        if (file === undefined) return undefined
        disk.close(file)
        return open.splice(command.file % open.length, 1).length
      case 'look': {
        const facts = disk.look(at)
        return facts && [facts.kind, facts.kind === 'file' && [facts.sizeBytes, facts.links]]
      }
      case 'list':
        return disk.list(at).toSorted((a, b) => a.name.localeCompare(b.name))
      case 'readText':
        return disk.readText(at)
    }
  } catch (error) {
    return codeOf(error)
  }
}

function realWorld(): World {
  const { root } = temporaryTree()
  return {
    disk: systemDisk,
    root,
    append: (at, text) => fs.appendFileSync(at, text),
    truncate: (at, bytes) => fs.truncateSync(at, Math.min(bytes, fs.statSync(at).size)),
    rename: (from, to) => fs.renameSync(from, to),
    remove: (at) => fs.unlinkSync(at),
    makeDirectory: (at) => void fs.mkdirSync(at, { recursive: true }),
  }
}

function memoryWorld(): World {
  const files = new MemoryFiles(() => 0)
  files.makeDirectory('/root')
  const found = (at: string) => {
    const inode = files.find(at)
    if (inode === undefined) throw Object.assign(new Error(at), { code: 'ENOENT' })
    return inode
  }
  return {
    disk: memoryDisk(files),
    root: '/root',
    append: (at, text) => files.append(files.open(at), text),
    truncate: (at, bytes) => files.truncate(found(at), bytes),
    rename: (from, to) => void files.rename(from, to),
    remove: (at) => {
      found(at)
      files.remove(at)
    },
    makeDirectory: (at) => files.makeDirectory(at),
  }
}

/** Files in place of directories and the other way round: the model's application does not do such things. */
const isPlain = ({ disk, root }: World, command: Command) => {
  if (!('path' in command) || ['look', 'list', 'open', 'makeDirectory'].includes(command.do)) return true
  const kinds = [command.path, ...('to' in command ? [command.to] : [])].map((at) => disk.look(`${root}${at}`)?.kind)
  return !kinds.includes('directory') && !command.path.endsWith('sub') && !command.path.endsWith('sub2')
}

test('files in memory behave as those on the disk', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 120, size: 'max' }), (commands) => {
      const [real, memory] = [realWorld(), memoryWorld()]
      const [realOpen, memoryOpen]: [number[], number[]] = [[], []]
      for (const one of commands) {
        if (!isPlain(memory, one) || ('to' in one && one.to.startsWith('/sub') && !one.to.includes('.'))) continue
        const expected = outcome(real, one, realOpen)
        expect(outcome(memory, one, memoryOpen), JSON.stringify(one)).toEqual(expected)
      }
      for (const descriptor of realOpen) systemDisk.close(descriptor)
    }),
    { numRuns: 200 },
  )
})
