import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { passTick, temporaryTree } from '../kit/agent-tree.ts'
import { Discovered, scanIntervalMs } from './kit.ts'

describe('a look', () => {
  test('finds what matches, with its facts, and what it may have been called before', () => {
    const tree = temporaryTree()
    tree.write('app.log', 'a line\n')
    tree.write('app.log.1', 'an older line\n')
    tree.write('notes.txt')
    const { discovery } = new Discovered([tree.at('*.log')])
    const [listing] = discovery.look(true)
    expect(discovery.sawEverything).toBe(true)
    expect(listing?.directory).toBe(tree.root)
    const names = listing?.entries.map(({ path, matched, before }) => ({ path, matched, before }))
    expect(names?.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual([
      { path: tree.at('app.log'), matched: true, before: [] },
      { path: tree.at('app.log.1'), matched: false, before: [tree.at('app.log')] },
      { path: tree.at('notes.txt'), matched: false, before: [] },
    ])
    const facts = listing?.entries.find(({ matched }) => matched)?.facts
    expect(facts).toMatchObject({
      kind: 'file',
      sizeBytes: 7,
      links: 1,
      inode: fs.statSync(tree.at('app.log'), { bigint: true }).ino,
    })
  })

  test('finds directories below, new ones and those that were renamed, and tells which are gone', () => {
    const tree = temporaryTree()
    tree.write('one/a.log')
    const all = new Discovered([tree.at('**/*.log')])
    expect(all.files(true)).toEqual([tree.at('one/a.log')])

    tree.write('two/deep/b.log')
    expect(all.files()).toContain(tree.at('two/deep/b.log'))

    tree.rename('two', 'three')
    const listings = all.look()
    expect(listings.find(({ directory }) => directory === tree.at('three/deep'))?.entries).toHaveLength(1)
    for (const gone of ['two', 'two/deep']) {
      expect(listings.find(({ directory }) => directory === tree.at(gone))?.entries).toEqual([])
    }

    tree.remove('one')
    expect(all.look().find(({ directory }) => directory === tree.at('one'))?.entries).toEqual([])
    expect(all.discovery.directories).toBe(3)
    expect(all.codes()).toEqual([])
  })

  test('makes nothing new of what is as it was, and tells what is not', () => {
    const tree = temporaryTree()
    for (const name of ['a.log', 'b.log', 'c.log']) tree.write(name, 'a line\n')
    const all = new Discovered([tree.at('*.log')])
    const entriesOf = () => new Map(all.look(true)[0]?.entries.map((entry) => [entry.path, entry]))
    const first = entriesOf()
    const second = entriesOf()
    for (const [path, entry] of second) expect(entry).toBe(first.get(path))
    tree.append('b.log', 'another\n')
    tree.remove('a.log')
    tree.write('a.log', 'of the same size?\n')
    const third = entriesOf()
    for (const [path, { facts }] of third) {
      const { ino, size } = fs.statSync(path, { bigint: true })
      expect(facts).toMatchObject({ inode: ino, sizeBytes: Number(size) })
    }
    expect(third.size).toBe(3)
  })

  test('goes into no directory that cannot hold a match', () => {
    const tree = temporaryTree()
    tree.write('a/x.log')
    tree.write('b/x.log')
    tree.write('a/skipped/x.log')
    const some = new Discovered([tree.at('a/**/*.log')], [tree.at('a/skipped/**')])
    expect(some.look(true).map(({ directory }) => directory)).toEqual([tree.at('a')])
  })

  test('finds a root that comes later, and says until then what is missing', () => {
    const tree = temporaryTree()
    const all = new Discovered([tree.at('late/*.log')])
    expect(all.files(true)).toEqual([])
    expect(all.obstacles).toMatchObject([{ code: 'ENOENT', path: tree.at('late') }])
    expect(all.obstacles[0]?.wayOut).toContain('REMORA_PATHS')
    tree.write('late/app.log')
    expect(all.files(true)).toEqual([tree.at('late/app.log')])
    expect(all.discovery.roots).toEqual([tree.at('late')])
  })

  test('looks into a root that is a symlink, and sees what comes there', () => {
    const tree = temporaryTree()
    tree.directory('volume')
    tree.link('logs', 'volume')
    const all = new Discovered([tree.at('logs/*.log')])
    expect(all.files(true)).toEqual([])
    expect(all.discovery.roots).toEqual([tree.at('volume')])
    passTick()
    tree.write('volume/app.log')
    expect(all.files()).toEqual([tree.at('logs/app.log')])
  })
})

describe('hints', () => {
  test('lost: a watched directory is not looked at, until the rescan finds what came', async () => {
    const tree = temporaryTree()
    tree.write('app.log')
    const all = new Discovered([tree.at('*.log')])
    all.look(true)
    await all.quiet()
    expect(all.watched).toEqual(new Set([tree.root]))
    tree.write('new.log')
    expect(all.files()).toEqual([])
    expect(all.discovery.nextLookMs() - all.clock.nowMs).toBeLessThanOrEqual(scanIntervalMs)
    await all.clock.advanceTo(all.discovery.nextLookMs())
    expect(all.files()).toEqual([tree.at('app.log'), tree.at('new.log')])
    expect(all.discovery.sawEverything).toBe(true)
  })

  test('make one directory be looked at, doubled ones and those from elsewhere do no harm', async () => {
    const tree = temporaryTree()
    tree.write('a/x.log')
    tree.write('b/x.log')
    const all = new Discovered([tree.at('**/*.log')])
    all.look(true)
    await all.quiet()
    all.discovery.hint(tree.at('a'))
    all.discovery.hint(tree.at('a'))
    all.discovery.hint(tree.at('never-heard-of'))
    expect(all.discovery.hinted).toBe(true)
    expect(all.look().map(({ directory }) => directory)).toEqual([tree.at('a')])
    expect(all.discovery.hinted).toBe(false)
    expect(all.look()).toEqual([])
  })

  test('are not listened to while a directory is busy, and looked for again when it was quiet', async () => {
    const tree = temporaryTree()
    tree.write('app.log')
    const all = new Discovered([tree.at('*.log')])
    all.look(true)
    await all.quiet()
    all.discovery.busy(tree.root)
    expect(all.watched.size).toBe(0)
    expect(all.discovery.isWatched(tree.root)).toBe(false)
    expect(all.discovery.nextLookMs() - all.clock.nowMs).toBeLessThanOrEqual(limits.pollIntervalMaxMs)

    await all.pass(limits.directoryQuietMs - 1)
    passTick()
    all.look()
    expect(all.watched.size).toBe(0)
    await all.pass(2)
    expect(all.look()).toEqual([])
    expect(all.watched).toEqual(new Set([tree.root]))
    // What fell between the look and the watch.
    expect(all.discovery.hinted).toBe(true)
    expect(all.look()).toHaveLength(1)
    expect(all.watching).toEqual([`+${tree.root}`, `-${tree.root}`, `+${tree.root}`])
  })

  test('of a directory that took the path of another come from that one', async () => {
    const tree = temporaryTree()
    tree.write('sub/app.log')
    const all = new Discovered([tree.at('**/*.log')])
    all.look(true)
    await all.quiet()
    tree.rename('sub', 'away')
    tree.write('sub/other.log')
    all.discovery.hint(tree.root)
    all.discovery.hint(tree.at('sub'))
    all.look()
    expect(all.watching.at(-1)).toBe(`-${tree.at('sub')}`)
    await all.quiet()
    expect(all.watched).toContain(tree.at('sub'))
  })

  test('that cannot come: the directory is looked at once a second', async () => {
    const tree = temporaryTree()
    tree.write('app.log')
    const all = new Discovered([tree.at('*.log')])
    all.look(true)
    all.discovery.unwatchable(tree.root)
    await all.quiet()
    expect(all.watched.size).toBe(0)
    expect(all.discovery.nextLookMs() - all.clock.nowMs).toBeLessThanOrEqual(limits.unwatchedIntervalMs)
    tree.write('new.log')
    await all.pass(limits.unwatchedIntervalMs)
    expect(all.files()).toContain(tree.at('new.log'))
  })
})
