import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import { diskError } from '../kit/agent-files.ts'
import { passTick, temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered } from './kit.ts'

describe('rotation', () => {
  test('by rename, several times between two looks, with unread lines in each', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', numbered(1, 10))
    await agent.start()
    await agent.advance(1_000)
    for (let rotation = 1; rotation <= 3; rotation++) {
      tree.append('logs/app.log', numbered(rotation * 100, rotation * 100 + 9))
      for (const n of [2, 1])
        if (fs.existsSync(tree.at(`logs/app.log.${n}`))) tree.rename(`logs/app.log.${n}`, `logs/app.log.${n + 1}`)
      tree.rename('logs/app.log', 'logs/app.log.1')
      tree.write('logs/app.log')
    }
    await agent.advance(15_000)
    const expected = [1, 100, 200, 300].flatMap((first) => linesOf(numbered(first, first + 9)))
    expect(agent.lines(tree.at('logs/app.log')).toSorted()).toEqual(expected.toSorted())
    expect(agent.server.duplicates).toBe(0)
  })

  test('by rename to where nobody looks, still written to', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { paths: [tree.at('logs/*.log')] })
    tree.write('logs/app.log', 'one\n')
    tree.directory('logs/old')
    await agent.start()
    await agent.advance(1_000)
    tree.rename('logs/app.log', 'logs/old/app-is-gone')
    tree.append('logs/old/app-is-gone', 'two\n')
    await agent.advance(2_000)
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(['one', 'two'])
  })

  test.each([
    ['caught up', 'ok'],
    ['behind', 'hang'],
  ] as const)('by copytruncate, %s', async (_where, outcome) => {
    const tree = temporaryTree()
    const agent = agentOver(tree, {}, systemDisk, { slots: 1, concurrency: 1, batchBytes: 8_192 })
    const text = numbered(1, 500)
    tree.write('logs/app.log', text)
    agent.server.outcome = () => outcome
    agent.server.patience = () => new Promise((resolve) => agent.clock.after(1_000, resolve))
    await agent.start()
    await agent.advance(500)
    tree.copyTruncate('logs/app.log', 'logs/app.log.1')
    tree.append('logs/app.log', numbered(501, 520))
    agent.server.outcome = () => 'ok'
    await agent.advance(60_000)
    expect(agent.lines(tree.at('logs/app.log')).toSorted()).toEqual(linesOf(text + numbered(501, 520)).toSorted())
    expect(agent.messages.filter(({ code }) => code === 'GAP')).toEqual([])
  })

  test('by truncation, refilled to exactly the same size', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'the first line\n')
    await agent.start()
    await agent.advance(5_000)
    fs.truncateSync(tree.at('logs/app.log'))
    tree.append('logs/app.log', 'a second line.\n')
    await agent.advance(15_000)
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(['the first line', 'a second line.'])
  })

  test('ends a last line without its newline, after a while', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'one\nno newline')
    await agent.start()
    await agent.advance(60_000)
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(['one'])
    tree.rename('logs/app.log', 'logs/app.log.1')
    await agent.advance(10_000 + limits.endedQuietMs)
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(['one', 'no newline'])
  })
})

describe('deletion', () => {
  test('while it is open: all of it is shipped, also what comes later, and then it is let go', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', numbered(1, 100))
    const writer = fs.openSync(tree.at('logs/app.log'), 'a')
    agent.server.outcome = () => 'hang'
    agent.server.patience = () => new Promise((resolve) => agent.clock.after(1_000, resolve))
    await agent.start()
    await agent.advance(500)
    tree.remove('logs/app.log')
    fs.writeSync(writer, numbered(101, 110))
    agent.server.outcome = () => 'ok'
    await agent.advance(20_000)
    fs.writeSync(writer, numbered(111, 112))
    await agent.advance(1_000)
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(linesOf(numbered(1, 112)))
    fs.closeSync(writer)
    await agent.advance(limits.deletedHoldMs + 10_000)
    expect(agent.agent.figures()).toMatchObject({ files: 0, openFiles: 0, gaps: 0 })
  })

  test('a moment before the stop', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'one\n')
    await agent.start()
    await agent.advance(5_000)
    const writer = fs.openSync(tree.at('logs/app.log'), 'a')
    tree.remove('logs/app.log')
    await agent.advance(15_000)
    fs.writeSync(writer, 'last words\n')
    const summary = await agent.stop()
    expect(summary).toMatchObject({ heldLines: 0, unreadBytes: 0 })
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(['one', 'last words'])
    fs.closeSync(writer)
  })

  test('of a whole directory: nothing is kept of what was in it', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    for (let n = 0; n < 5; n++) tree.write(`logs/sub/${n}.log`, 'a line\n')
    await agent.start()
    await agent.advance(1_000)
    tree.remove('logs/sub')
    await agent.advance(limits.deletedHoldMs + 15_000)
    expect(Object.keys(agent.stored())).toHaveLength(5)
    expect(agent.agent.figures()).toMatchObject({ files: 0, openFiles: 0, directories: 1 })
    expect(agent.messages.map(({ code }) => code)).toEqual([])
  })

  test('while Remora was down: the gap is named, with its size', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', numbered(1, 10))
    await agent.start()
    await agent.advance(1_500)
    agent.server.outcome = () => 'failed'
    tree.append('logs/app.log', numbered(11, 20))
    await agent.advance(2_000)
    agent.crash()
    tree.remove('logs/app.log')
    agent.server.outcome = () => 'ok'
    await agent.start()
    // An archive of it might show.
    await agent.advance(limits.endedQuietMs + 1_000)
    const gaps = agent.messages.filter(({ code }) => code === 'GAP')
    expect(gaps).toHaveLength(1)
    expect(gaps[0]).toMatchObject({ level: 'error', path: tree.at('logs/app.log') })
    expect(gaps[0]?.text).toContain(`${numbered(11, 20).length} bytes at the least were not shipped, from offset`)
  })
})

describe('many names', () => {
  test('equal files are both shipped', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    for (const name of ['a', 'b']) tree.write(`logs/${name}.log`, numbered(1, 50))
    await agent.start()
    await agent.advance(1_000)
    for (const name of ['a', 'b']) expect(agent.lines(tree.at(`logs/${name}.log`))).toEqual(linesOf(numbered(1, 50)))
  })

  test.each([['logs/other.log'], ['logs/sub/other.log']])('a hard link %s is shipped once', async (other) => {
    const tree = temporaryTree()
    tree.directory('logs/sub')
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'one\ntw')
    tree.hardLink(other, 'logs/app.log')
    await agent.start()
    await agent.advance(3_000)
    // Each directory is looked at by itself.
    for (const directory of ['logs', 'logs/sub', 'logs', 'logs/sub']) {
      agent.hint(tree.at(directory))
      await agent.advance(limits.endedQuietMs + 1_000)
    }
    tree.append('logs/app.log', 'o\nthree\n')
    await agent.advance(15_000)
    const all = Object.values(agent.stored()).flat()
    expect(all.map(({ message }) => message)).toEqual(['one', 'two', 'three'])
  })

  test('a symlink to a file that no listing shows goes on after copytruncate', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { paths: [tree.at('logs/*.log')] })
    tree.write('logs/data/current', 'one\ntwo\n')
    tree.link('logs/app.log', 'data/current')
    await agent.start()
    await agent.advance(1_000)
    tree.copyTruncate('logs/data/current', 'logs/data/older')
    tree.append('logs/data/current', 'three\n')
    await agent.advance(20_000)
    expect(agent.lines(tree.at('logs/data/current')).toSorted()).toEqual(['one', 'three', 'two'])
  })

  test('more files than may be open: all are shipped, and those that are written to again', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    const count = limits.openFilesMax + 200
    for (let n = 0; n < count; n++) tree.write(`logs/${n}.log`, `first of ${n}\n`)
    await agent.start()
    await agent.advance(15_000)
    expect(agent.server.documents.size).toBe(count)
    expect(agent.agent.figures().openFiles).toBeLessThanOrEqual(limits.openFilesMax + limits.openFilesMax / 8)
    for (let n = 0; n < count; n++) tree.append(`logs/${n}.log`, `second of ${n}\n`)
    await agent.advance(15_000)
    expect(agent.server.documents.size).toBe(2 * count)
  })
})

test('lines that come one by one leave a directory to its watch', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  const logs = tree.directory('logs')
  tree.write('logs/app.log', 'one\n')
  passTick()
  await agent.start()
  await agent.advance(limits.directoryQuietMs + 1_000)
  for (let n = 0; n < 50; n++) {
    tree.append('logs/app.log', `line ${n}\n`)
    agent.hint(logs)
    await agent.advance(100)
    expect(agent.isWatched(logs)).toBe(true)
    // Long before a timer would have come round.
    expect(agent.lines(tree.at('logs/app.log'))).toHaveLength(n + 2)
  }
})

test('lines that come one by one arrive in time although no event ever does', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree, { scanIntervalMs: 10_000 })
  tree.directory('logs')
  tree.write('logs/app.log', 'one\n')
  passTick()
  await agent.start()
  let late = 0
  for (let n = 0; n < 120; n++) {
    tree.append('logs/app.log', `line ${n}\n`)
    await agent.advance(500)
    if (agent.lines(tree.at('logs/app.log')).length < n + 2) late++
  }
  // Those between the first watch and the second scan, which finds the watch out.
  expect(late).toBeLessThan(45)
  expect(agent.lines(tree.at('logs/app.log'))).toHaveLength(121)
})

test('a directory that is written to all the time is let go by its watch, and taken back when it is quiet', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  const logs = tree.directory('logs')
  tree.write('logs/app.log', 'one\n')
  passTick()
  await agent.start()
  await agent.advance(limits.directoryQuietMs + 1_000)
  expect(agent.isWatched(logs)).toBe(true)
  for (let n = 0; n < 40; n++) {
    tree.append('logs/app.log', `line ${n}\n`)
    agent.hint(logs)
    await agent.advance(20)
  }
  expect(agent.isWatched(logs)).toBe(false)
  passTick()
  await agent.advance(limits.directoryQuietMs + 1_000)
  expect(agent.isWatched(logs)).toBe(true)
  expect(agent.lines(tree.at('logs/app.log'))).toHaveLength(41)
})

describe('an error of the disk', () => {
  test.each(['read', 'sizeOf', 'factsOf'] as const)(
    'at %s of one file: the others go on, and it does later',
    async (call) => {
      const tree = temporaryTree()
      let broken = true
      const bad = new Set<number>()
      const disk: Disk = {
        ...systemDisk,
        open: (at) => {
          const descriptor = systemDisk.open(at)
          if (at.endsWith('bad.log')) bad.add(descriptor)
          else bad.delete(descriptor)
          return descriptor
        },
        [call]: (descriptor: number, ...rest: never[]): unknown => {
          if (broken && bad.has(descriptor)) throw diskError('EIO', 'bad.log')
          return Reflect.apply(systemDisk[call] as (...all: unknown[]) => unknown, systemDisk, [descriptor, ...rest])
        },
      }
      const agent = agentOver(tree, {}, disk)
      for (const name of ['bad', 'good']) tree.write(`logs/${name}.log`, numbered(1, 10))
      await agent.start()
      await agent.advance(3_000)
      expect(agent.failure).toBeUndefined()
      expect(agent.lines(tree.at('logs/good.log'))).toHaveLength(10)
      expect(agent.messages.filter(({ path }) => path.endsWith('bad.log')).length).toBeGreaterThan(0)
      broken = false
      await agent.advance(15_000)
      expect(agent.lines(tree.at('logs/bad.log'))).toHaveLength(10)
    },
  )
})
