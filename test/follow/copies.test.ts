import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { temporaryTree, type Tree } from '../kit/agent-tree.ts'
import { agentOver, copyTruncate, linesOf, numbered } from './kit.ts'

/** As logrotate does, with a glob that matches the copies too. */
const wide = (tree: Tree) => ({ paths: [tree.at('logs/app.log*')] })

describe('a copy that the glob itself matches', () => {
  test('is not shipped again, caught up or behind, running or down', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, wide(tree))
    tree.write('logs/app.log', numbered(1, 100))
    await agent.start()
    await agent.advance(2_000)
    for (let round = 1; round <= 4; round++) {
      // Written just before: not read yet.
      tree.append('logs/app.log', numbered(round * 1000, round * 1000 + 49))
      copyTruncate(tree)
      tree.append('logs/app.log', numbered(round * 1000 + 50, round * 1000 + 99))
      await agent.advance(15_000)
    }
    await agent.stop()
    tree.append('logs/app.log', numbered(5_000, 5_049))
    copyTruncate(tree)
    tree.append('logs/app.log', numbered(5_050, 5_099))
    await agent.start()
    await agent.advance(30_000)
    expect(agent.server.documents.size).toBe(600)
    expect(agent.agent.ledger.gaps).toBe(0)
  })

  test('half made, it waits; grown into a file of its own, it is shipped whole', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, wide(tree))
    tree.write('logs/app.log', numbered(1, 100))
    await agent.start()
    await agent.advance(2_000)
    tree.write('logs/app.log.1', 'line')
    await agent.advance(12_000)
    tree.append('logs/app.log.1', ' 1\nline 2\nline 3\n')
    await agent.advance(12_000)
    expect(agent.server.documents.size).toBe(100)
    tree.append('logs/app.log.1', 'something else\n')
    await agent.advance(12_000)
    expect(agent.lines(tree.at('logs/app.log.1'))).toEqual(['line 1', 'line 2', 'line 3', 'something else'])
  })

  test('two files that differ are two, whatever their names', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, wide(tree))
    tree.write('logs/app.log', numbered(1, 10))
    tree.write('logs/app.log.1', numbered(11, 20))
    await agent.start()
    await agent.advance(12_000)
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(linesOf(numbered(1, 10)))
    expect(agent.lines(tree.at('logs/app.log.1'))).toEqual(linesOf(numbered(11, 20)))
  })
})

/** A life of the file: it begins as all others do. */
const life = (banner: string, n: number) => `${banner}\n${numbered(n * 10, n * 10 + 9, 'line 0000000')}`

describe('without the state', () => {
  const pod = { podUid: 'pod' }

  test('lines with a counter come under the same ids: renamed, copied and truncated', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, pod)
    tree.write('logs/app.log', numbered(1, 100, 'line 0000000'))
    await agent.start()
    await agent.advance(2_000)
    copyTruncate(tree)
    tree.append('logs/app.log', numbered(101, 200, 'line 0000000'))
    await agent.advance(2_000)
    copyTruncate(tree)
    tree.append('logs/app.log', numbered(201, 300, 'line 0000000'))
    await agent.advance(2_000)
    await agent.stop()
    fs.rmSync(tree.at('state'), { recursive: true })
    tree.append('logs/app.log', numbered(301, 310, 'line 0000000'))
    copyTruncate(tree)
    tree.append('logs/app.log', numbered(311, 320, 'line 0000000'))
    await agent.start()
    await agent.advance(30_000)
    expect(agent.server.documents.size).toBe(320)
    expect(agent.server.complaints).toEqual([])
  })

  test('a banner is never lost, at the price of duplicates', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, pod)
    tree.write('logs/app.log', life('the application starts\nand says the same', 1))
    await agent.start()
    await agent.advance(2_000)
    await agent.stop()
    copyTruncate(tree)
    tree.append('logs/app.log', life('the application starts\nand says the same', 2))
    fs.rmSync(tree.at('state'), { recursive: true })
    await agent.start()
    await agent.advance(30_000)
    const all = Object.values(agent.stored()).flat()
    expect(all.filter(({ message }) => message.startsWith('line'))).toHaveLength(20)
    // Once as the first life of before, and once for each life now.
    expect(all.filter(({ message }) => message === 'the application starts')).toHaveLength(3)
  })

  test('a banner with a number in it, the same in two files, is none that a name is made of', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, pod)
    tree.write('logs/app.log', life('listening on port 8080', 1))
    await agent.start()
    await agent.advance(2_000)
    await agent.stop()
    tree.rename('logs/app.log', 'logs/app.log.1')
    tree.write('logs/app.log', life('listening on port 8080', 2))
    fs.rmSync(tree.at('state'), { recursive: true })
    await agent.start()
    await agent.advance(30_000)
    const banners = Object.values(agent.stored())
      .flat()
      .filter(({ message }) => message.startsWith('listening'))
    expect(banners.length).toBeGreaterThanOrEqual(2)
  })
})
