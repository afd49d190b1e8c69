import fs from 'node:fs'
import zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { passTick, temporaryTree, type Tree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered } from './kit.ts'

const pack = { gz: zlib.gzipSync, zst: zlib.zstdCompressSync } as const

/** As gzip and zstd do: the archive is complete, and carries the time of what it was made of, before that is deleted. */
function compress(tree: Tree, name: string, kind: keyof typeof pack, keep = false): void {
  const { mtime, atime } = fs.statSync(tree.at(name))
  fs.writeFileSync(tree.at(`${name}.${kind}`), pack[kind](fs.readFileSync(tree.at(name))))
  fs.utimesSync(tree.at(`${name}.${kind}`), atime, mtime)
  if (!keep) tree.remove(name)
}

function rotate(tree: Tree, name: string, keep: number, suffix = ''): void {
  for (let n = keep; n >= 1; n--) {
    if (fs.existsSync(tree.at(`${name}.${n}${suffix}`)))
      tree.rename(`${name}.${n}${suffix}`, `${name}.${n + 1}${suffix}`)
  }
  tree.rename(name, `${name}.1`)
}

/** The times that the tests' files carry are real ones: an archive must be older than this to count as complete. */
function old(tree: Tree, name: string): void {
  const then = new Date(Date.now() - 2 * limits.archiveQuietMs)
  fs.utimesSync(tree.at(name), then, then)
}

const wide = (tree: Tree) => ({ paths: [tree.at('logs/**/app.log*')] })
const narrow = () => ({})

describe.each([['**/*.log', narrow] as const, ['**/app.log*', wide] as const])('with the glob %s', (_glob, paths) => {
  describe.each(['gz', 'zst'] as const)('compressed to .%s', (kind) => {
    test('while it runs: nothing twice, and the archive is known', async () => {
      const tree = temporaryTree()
      const agent = agentOver(tree, paths(tree))
      tree.write('logs/app.log', numbered(1, 100))
      await agent.start()
      await agent.advance(1_000)
      for (let round = 1; round <= 3; round++) {
        rotate(tree, 'logs/app.log', 5, `.${kind}`)
        tree.write('logs/app.log', numbered(round * 100 + 1, round * 100 + 100))
        old(tree, 'logs/app.log.1')
        compress(tree, 'logs/app.log.1', kind)
        await agent.advance(45_000)
      }
      expect(new Set(agent.lines(tree.at('logs/app.log')))).toEqual(new Set(linesOf(numbered(1, 400))))
      expect(agent.server.documents.size).toBe(400)
      expect(Object.keys(agent.stored())).toEqual([tree.at('logs/app.log')])
      expect(agent.server.duplicates).toBe(0)
      expect(agent.agent.ledger.gaps).toBe(0)
    })

    test('while it was down, half read: goes on inside, then with the successor', async () => {
      const tree = temporaryTree()
      const agent = agentOver(tree, paths(tree))
      tree.write('logs/app.log', numbered(1, 100))
      await agent.start()
      await agent.advance(5_000)
      await agent.stop()
      tree.append('logs/app.log', numbered(101, 5_000))
      old(tree, 'logs/app.log')
      rotate(tree, 'logs/app.log', 5)
      compress(tree, 'logs/app.log.1', kind)
      tree.write('logs/app.log', numbered(5_001, 5_010))
      await agent.start()
      await agent.advance(60_000)
      expect(new Set(agent.lines(tree.at('logs/app.log')))).toEqual(new Set(linesOf(numbered(1, 5_010))))
      expect(agent.server.documents.size).toBe(5_010)
      expect(agent.server.duplicates).toBe(0)
      expect(agent.agent.ledger.gaps).toBe(0)
      expect(agent.messages.filter(({ level }) => level === 'error')).toEqual([])
    })

    test('twice while it was down: the one that nobody saw is read from its start', async () => {
      const tree = temporaryTree()
      const agent = agentOver(tree, paths(tree))
      tree.write('logs/app.log', numbered(1, 100))
      await agent.start()
      await agent.advance(5_000)
      agent.crash()
      for (const first of [101, 201]) {
        tree.append('logs/app.log', numbered(first, first + 99))
        old(tree, 'logs/app.log')
        rotate(tree, 'logs/app.log', 5, `.${kind}`)
        compress(tree, 'logs/app.log.1', kind)
      }
      tree.write('logs/app.log', numbered(301, 310))
      await agent.start()
      await agent.advance(60_000)
      expect(new Set(agent.lines(tree.at('logs/app.log')))).toEqual(new Set(linesOf(numbered(1, 310))))
      expect(agent.server.documents.size).toBe(310)
      // And nothing of it again, however often it starts and whatever is renamed.
      await agent.stop()
      rotate(tree, 'logs/app.log', 5, `.${kind}`)
      await agent.start()
      await agent.advance(30_000)
      expect(agent.server.documents.size).toBe(310)
    })

    test('copied, truncated, and the copy compressed, while it was down', async () => {
      const tree = temporaryTree()
      const agent = agentOver(tree, paths(tree))
      tree.write('logs/app.log', numbered(1, 100))
      await agent.start()
      await agent.advance(5_000)
      agent.crash()
      tree.append('logs/app.log', numbered(101, 200))
      fs.copyFileSync(tree.at('logs/app.log'), tree.at('logs/app.log.1'))
      fs.truncateSync(tree.at('logs/app.log'))
      old(tree, 'logs/app.log.1')
      compress(tree, 'logs/app.log.1', kind)
      tree.append('logs/app.log', numbered(201, 210))
      await agent.start()
      await agent.advance(60_000)
      expect(new Set(agent.lines(tree.at('logs/app.log')))).toEqual(new Set(linesOf(numbered(1, 210))))
      expect(agent.server.documents.size).toBe(210)
    })

    test('the original is kept for a while: it is the same content', async () => {
      const tree = temporaryTree()
      const agent = agentOver(tree, paths(tree))
      tree.write('logs/app.log', numbered(1, 100))
      await agent.start()
      await agent.advance(5_000)
      rotate(tree, 'logs/app.log', 5)
      old(tree, 'logs/app.log.1')
      compress(tree, 'logs/app.log.1', kind, true)
      tree.write('logs/app.log', numbered(101, 110))
      await agent.advance(60_000)
      tree.remove('logs/app.log.1')
      await agent.advance(60_000)
      expect(agent.server.documents.size).toBe(110)
    })

    test('larger than what is held of it at once', async () => {
      const tree = temporaryTree()
      const agent = agentOver(tree, paths(tree))
      tree.write('logs/app.log', 'line 0\n')
      await agent.start()
      await agent.advance(5_000)
      agent.crash()
      tree.append('logs/app.log', numbered(1, 200_000))
      old(tree, 'logs/app.log')
      rotate(tree, 'logs/app.log', 5)
      compress(tree, 'logs/app.log.1', kind)
      await agent.start()
      await agent.advance(120_000)
      expect(agent.server.documents.size).toBe(200_001)
    })

    test('cut short: what can be unpacked is shipped, and it is said', async () => {
      const tree = temporaryTree()
      const agent = agentOver(tree, paths(tree))
      tree.write('logs/app.log', numbered(1, 100))
      await agent.start()
      await agent.advance(5_000)
      agent.crash()
      tree.append('logs/app.log', numbered(101, 60_000))
      old(tree, 'logs/app.log')
      rotate(tree, 'logs/app.log', 5)
      compress(tree, 'logs/app.log.1', kind)
      fs.truncateSync(tree.at(`logs/app.log.1.${kind}`), fs.statSync(tree.at(`logs/app.log.1.${kind}`)).size - 20)
      old(tree, `logs/app.log.1.${kind}`)
      await agent.start()
      await agent.advance(120_000)
      expect(agent.server.documents.size).toBeGreaterThan(100)
      expect(agent.messages.map(({ code }) => code)).toContain('ARCHIVE_BROKEN')
    })
  })
})

describe('moved to another directory and compressed', () => {
  test('while it was down, to a directory that no glob looks at', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { paths: [tree.at('logs/*.log')] })
    tree.write('logs/app.log', numbered(1, 100))
    await agent.start()
    await agent.advance(5_000)
    agent.crash()
    tree.append('logs/app.log', numbered(101, 200))
    old(tree, 'logs/app.log')
    tree.directory('logs/old')
    tree.rename('logs/app.log', 'logs/old/app.log.1')
    compress(tree, 'logs/old/app.log.1', 'gz')
    tree.write('logs/app.log', numbered(201, 210))
    passTick()
    await agent.start()
    await agent.advance(60_000)
    expect(agent.server.documents.size).toBe(210)
  })
})
