import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered, rotate, storedLines } from './kit.ts'

const twice = (text: string, again: string) => [...linesOf(text), ...linesOf(again)].toSorted()

describe('lines that count, from the first one on', () => {
  test.each([
    ['alone', ''],
    ['behind a banner', 'started\n'],
    ['behind a banner with a number', 'listening on port 8080\n'],
  ])('%s: stored once, also when the state is lost', async (_where, banner) => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { podUid: 'pod' })
    const lines = numbered(1, 20)
    tree.write('logs/app.log', banner + lines)
    await agent.start()
    await agent.advance(3_000)
    await agent.stop()
    tree.remove('state')
    await agent.start()
    await agent.advance(3_000)
    // A banner says nothing of which life it is of.
    expect(storedLines(agent)).toEqual(twice(lines, banner + banner))
  })

  test('the first one, alone for long, is shipped alone; the second one tells the same all the same', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { podUid: 'pod' })
    tree.write('logs/app.log', 'line 1\n')
    await agent.start()
    await agent.advance(limits.countPatienceMs / 2)
    expect(storedLines(agent)).toEqual([])
    await agent.advance(limits.countPatienceMs)
    expect(storedLines(agent)).toEqual(['line 1'])
    tree.append('logs/app.log', numbered(2, 9))
    await agent.advance(3_000)
    await agent.stop()
    tree.remove('state')
    await agent.start()
    await agent.advance(3_000)
    expect(storedLines(agent)).toEqual(twice(numbered(1, 9), 'line 1\n'))
  })

  test('the first one was shipped alone before a crash: it keeps its name when the second one comes', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'line 1\n')
    await agent.start()
    // Shipped, and its answer not in the checkpoint yet.
    await agent.until(() => storedLines(agent).length === 1)
    agent.crash()
    tree.append('logs/app.log', numbered(2, 9))
    await agent.start()
    await agent.advance(3_000)
    expect(storedLines(agent)).toEqual(linesOf(numbered(1, 9)))
  })

  test('a line with a number is shipped as soon as the next one shows that it does not count', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'listening on port 8080\nready\n')
    await agent.start()
    await agent.advance(limits.countPatienceMs / 2)
    expect(storedLines(agent)).toEqual(['listening on port 8080', 'ready'])
  })

  test('at a stop nothing waits', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'line 1\n')
    await agent.start()
    await agent.stop()
    expect(storedLines(agent)).toEqual(['line 1'])
  })

  test('nor in a file that was rotated away, which its successor waits for', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'line 1\n')
    await agent.start()
    await agent.advance(limits.countPatienceMs / 2)
    rotate(tree, 'logs/app.log', 5)
    tree.write('logs/app.log', numbered(2, 9))
    await agent.advance(1_000)
    expect([...agent.server.documents.values()].map(({ message }) => message)).toEqual(linesOf(numbered(1, 9)))
  })
})
