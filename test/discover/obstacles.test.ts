import fs from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { diskError, MemoryFiles } from '../kit/agent-files.ts'
import { asNobody, temporaryTree } from '../kit/agent-tree.ts'
import { Discovered } from './kit.ts'

describe('what is no log file is named, and the others go on', () => {
  test('directories, FIFOs and sockets that a glob matches', async () => {
    const tree = temporaryTree()
    tree.write('good.log')
    tree.directory('directory.log')
    tree.fifo('fifo.log')
    const server = createServer().listen(tree.at('socket.log'))
    const all = new Discovered([tree.at('*.log')])
    expect(all.files(true)).toEqual([tree.at('good.log')])
    expect(all.codes().toSorted()).toEqual(
      ['directory', 'fifo', 'socket'].map((kind) => `NOT_A_FILE ${tree.at(`${kind}.log`)}`),
    )
    for (const { path, message, wayOut } of all.obstacles) {
      expect(message).toContain(`a ${path.slice(tree.root.length + 1, -4)} is not a log file`)
      expect(wayOut).toContain('REMORA_EXCLUDE')
    }
    server.close()
  })

  test('files in a directory of that name are found all the same', () => {
    const tree = temporaryTree()
    tree.write('x.log/inner.log')
    expect(new Discovered([tree.at('**/*.log')]).files(true)).toEqual([tree.at('x.log/inner.log')])
  })

  test('symlinks: inside they lead to their target, outside nowhere', () => {
    const tree = temporaryTree()
    const outside = temporaryTree()
    outside.write('secret.log', 'secret\n')
    tree.write('app-1.txt', 'x')
    tree.directory('sub')
    tree.link('current.log', 'app-1.txt')
    tree.link('escaped.log', outside.at('secret.log'))
    tree.link('escaped-directory', outside.root)
    tree.link('dangling.log', 'nothing')
    tree.link('loop.log', 'loop.log')
    tree.link('directory.log', 'sub')
    const all = new Discovered([tree.at('**/*.log')])
    expect(all.files(true)).toEqual([tree.at('app-1.txt')])
    expect(all.codes().toSorted()).toEqual([
      `ELOOP ${tree.at('loop.log')}`,
      `NOT_A_FILE ${tree.at('directory.log')}`,
      `SYMLINK_OUTSIDE ${tree.at('escaped.log')}`,
    ])
    expect(JSON.stringify(all.obstacles)).not.toContain('secret')
  })

  test('names of any characters', () => {
    const tree = temporaryTree()
    const names = [
      'two\nlines.log',
      '"quoted".log',
      "it's.log",
      ' .log',
      '*.log',
      '[a].log',
      '{a,b}.log',
      '\\n.log',
      'é😀.log',
    ]
    for (const name of [...names, `${'n'.repeat(251)}.log`]) tree.write(name)
    fs.writeFileSync(Buffer.concat([Buffer.from(`${tree.root}/`), Buffer.from([0xff, 0xfe]), Buffer.from('.log')]), '')
    const all = new Discovered([tree.at('*.log')])
    expect(all.files(true)).toHaveLength(names.length + 1)
    expect(all.obstacles.map(({ code }) => code)).toEqual(['NAME_NOT_UTF8'])
  })

  test('paths longer than the kernel takes', () => {
    const tree = temporaryTree()
    tree.write('app.log')
    const cwd = process.cwd()
    process.chdir(tree.root)
    for (let depth = 0; depth < 17; depth++) {
      fs.mkdirSync('d'.repeat(250))
      process.chdir('d'.repeat(250))
      fs.writeFileSync('x.log', '')
    }
    process.chdir(cwd)
    const all = new Discovered([tree.at('**/*.log')])
    const files = all.files(true)
    expect(files).toContain(tree.at('app.log'))
    expect(files.length).toBeGreaterThan(10)
    expect(all.obstacles.length).toBeGreaterThan(0)
    for (const { code } of all.obstacles) expect(code).toBe('ENAMETOOLONG')
  })
})

describe('a directory that cannot be read', () => {
  test('is named with the way out; the others go on; what it held may still be there', () => {
    const tree = temporaryTree()
    fs.chmodSync(tree.root, 0o755)
    tree.write('good/app.log')
    tree.write('closed/app.log')
    fs.chmodSync(tree.at('closed'), 0)
    const all = new Discovered([tree.at('**/*.log')])
    expect(asNobody(() => all.files(true))).toEqual([tree.at('good/app.log')])
    expect(all.codes()).toEqual([`EACCES ${tree.at('closed')}`])
    expect(all.obstacles[0]?.wayOut).toContain('fsGroup')
    expect(all.obstacles[0]?.message).toMatch(
      /^it may not be read and searched by uid \d+ with groups .*\(owner \d+:\d+, mode 0000\)$/,
    )
    expect(all.discovery.isUnsure(tree.at('closed/app.log'))).toBe(true)
    expect(all.discovery.isUnsure(tree.at('good/app.log'))).toBe(false)

    fs.chmodSync(tree.at('closed'), 0o755)
    expect(asNobody(() => all.files(true))).toHaveLength(2)
    expect(all.discovery.isUnsure(tree.at('closed/app.log'))).toBe(false)
  })

  test('above: losing the right to it while it is looked at stops nothing', () => {
    const tree = temporaryTree()
    fs.chmodSync(tree.root, 0o755)
    tree.write('a/b/app.log')
    const all = new Discovered([tree.at('a/**/*.log')])
    expect(asNobody(() => all.files(true))).toHaveLength(1)
    fs.chmodSync(tree.at('a'), 0)
    expect(asNobody(() => all.files())).toEqual([])
    expect(asNobody(() => all.files(true))).toEqual([])
    expect(all.discovery.isUnsure(tree.at('a/b/app.log'))).toBe(true)
    expect(all.discovery.roots).toEqual([tree.at('a')])
    fs.chmodSync(tree.at('a'), 0o755)
    expect(asNobody(() => all.files(true))).toHaveLength(1)
  })

  test('above the root: the one that refuses is named, with its owner and mode', () => {
    const tree = temporaryTree()
    fs.chmodSync(tree.root, 0o755)
    tree.write('closed/deep/logs/app.log')
    fs.chmodSync(tree.at('closed'), 0o700)
    if (process.getuid?.() !== 0) fs.chmodSync(tree.at('closed'), 0)
    const all = new Discovered([tree.at('closed/deep/logs/*.log')])
    expect(asNobody(() => all.files(true))).toEqual([])
    expect(all.codes()).toEqual([`EACCES ${tree.at('closed')}`])
    expect(all.obstacles[0]?.message).toMatch(/mode 0[07]00\)$/)
  })

  test('a root that is a symlink: what it leads to is named, with owner and mode', () => {
    const tree = temporaryTree()
    fs.chmodSync(tree.root, 0o755)
    tree.write('real/app.log')
    tree.link('logs', 'real')
    fs.chmodSync(tree.at('real'), 0)
    const all = new Discovered([tree.at('logs/*.log')])
    expect(asNobody(() => all.files(true))).toEqual([])
    expect(all.obstacles.map(({ path, message }) => [path, /mode \d+/.exec(message)?.[0]])).toEqual([
      [tree.at('logs'), 'mode 0000'],
    ])
  })

  test('searched: it is said once, not for each of its files', () => {
    const tree = temporaryTree()
    fs.chmodSync(tree.root, 0o755)
    for (let n = 0; n < 50; n++) tree.write(`names/${n}.log`)
    fs.chmodSync(tree.at('names'), 0o744)
    const all = new Discovered([tree.at('**/*.log')])
    expect(asNobody(() => all.files(true))).toEqual([])
    expect(all.codes()).toEqual([`EACCES ${tree.at('names')}`])
  })

  test('one entry that fails hides no other, and counts as unknown', () => {
    const clock = new VirtualClock()
    const files = new MemoryFiles(() => clock.wallMs)
    files.makeDirectory('/logs')
    for (const name of ['a', 'b', 'c']) files.open(`/logs/${name}.log`)
    const disk = memoryDisk(files, {
      before: (call, path) => {
        if (call === 'look' && path === '/logs/b.log') throw diskError('EIO', path)
      },
    })
    const all = new Discovered(['/logs/*.log'], [], disk)
    const [listing] = all.look(true)
    expect(listing?.entries.map(({ path }) => path)).toEqual(['/logs/a.log', '/logs/c.log'])
    expect([...(listing?.unknown ?? [])]).toEqual(['/logs/b.log'])
    expect(all.discovery.isUnsure('/logs/b.log')).toBe(true)
    expect(all.codes()).toEqual(['EIO /logs/b.log'])
  })
})

function memory() {
  const clock = new VirtualClock()
  const files = new MemoryFiles(() => clock.wallMs)
  return { files, disk: memoryDisk(files) }
}

describe('limits', () => {
  test('depth', () => {
    const { files, disk } = memory()
    files.makeDirectory(`/logs${'/d'.repeat(40)}`)
    const all = new Discovered(['/logs/**/*.log'], [], disk)
    all.look(true)
    expect(all.discovery.directories).toBeLessThan(limits.directoryDepthMax)
    expect(all.obstacles.map(({ code }) => code)).toEqual(['TOO_MANY_DIRECTORIES'])
  })

  test('entries of one directory', () => {
    const { files, disk } = memory()
    files.makeDirectory('/logs')
    const names = Array.from({ length: limits.directoryEntriesMax + 1 }, (_, n) => ({
      name: `${n}`,
      kind: 'file' as const,
    }))
    const all = new Discovered(['/logs/*.log'], [], { ...disk, list: () => names })
    all.look(true)
    expect(all.codes()).toEqual(['DIRECTORY_TOO_LARGE /logs'])
  })

  test('watches: the directories beyond are looked at once a second', async () => {
    const { files, disk } = memory()
    for (let n = 0; n < limits.watchesMax + 10; n++) files.makeDirectory(`/logs/${n}`)
    const all = new Discovered(['/logs/**/*.log'], [], disk)
    all.look(true)
    await all.quiet()
    expect(all.watched.size).toBe(limits.watchesMax)
    expect(all.discovery.nextLookMs() - all.clock.nowMs).toBeLessThanOrEqual(limits.unwatchedIntervalMs)
    // One that goes makes room.
    files.remove('/logs/0')
    all.look(true)
    expect(all.watched.size).toBe(limits.watchesMax - 1)
    await all.quiet()
    expect(all.watched.size).toBe(limits.watchesMax)
  })
})
