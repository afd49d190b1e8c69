import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { passTick, temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, compress, linesOf, numbered, old, rotate, storedLines } from './kit.ts'

const sorted = (...texts: string[]) => texts.flatMap((text) => linesOf(text)).toSorted()

describe('a crash loop: only the time between a banner and a trace tells its lives apart', () => {
  const trace = '   at com.acme.payments.Main.start(Main.java)\n'.repeat(8)
  const life = (n: number) => `started\n2026-01-01T00:00:0${n} ERROR cannot connect\n${trace}`

  test('rotated twice while it was down: the one between is no copy', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', life(1))
    await agent.start()
    await agent.advance(3_000)
    await agent.stop()
    for (const n of [2, 3]) {
      rotate(tree, 'logs/app.log', 5)
      passTick()
      tree.write('logs/app.log', life(n))
    }
    await agent.start()
    await agent.advance(60_000)
    expect(storedLines(agent)).toEqual(sorted(life(1), life(2), life(3)))
    expect(agent.agent.ledger.gaps).toBe(0)
  })

  test('of two processes at once: both are shipped', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', life(1))
    await agent.start()
    await agent.advance(3_000)
    passTick()
    tree.write('logs/app-1.log', life(2))
    await agent.advance(60_000)
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(linesOf(life(1)))
    expect(agent.lines(tree.at('logs/app-1.log'))).toEqual(linesOf(life(2)))
  })

  test('a banner with numbers, and neither state nor file of the life before: it is stored again', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { podUid: 'pod' })
    const banner = 'Copyright 2024 ACME\nlistening on port 8080\n'
    tree.write('logs/app.log', banner + life(1))
    await agent.start()
    await agent.advance(3_000)
    await agent.stop()
    tree.remove('state')
    tree.remove('logs/app.log')
    tree.write('logs/app.log', banner + life(2))
    await agent.start()
    await agent.advance(10_000)
    expect(storedLines(agent)).toEqual(sorted(banner + life(1), banner + life(2)))
  })
})

describe('copied and truncated, the copy is known', () => {
  test('of a file that was read from its end on', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { startAt: 'end' })
    tree.write('logs/app.log', numbered(1, 20))
    await agent.start()
    await agent.advance(1_000)
    tree.append('logs/app.log', numbered(21, 30))
    await agent.advance(2_000)
    tree.append('logs/app.log', numbered(31, 40))
    tree.copyTruncate('logs/app.log', 'logs/app.log.1')
    await agent.advance(60_000)
    expect(storedLines(agent)).toEqual(sorted(numbered(21, 40)))
  })

  test.each([
    ['that came and went', true],
    ['that stays', false],
  ])('after another copy %s', async (_what, goes) => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', numbered(1, 5_000))
    await agent.start()
    await agent.advance(2_000)
    passTick()
    fs.copyFileSync(tree.at('logs/app.log'), tree.at('logs/app.log.bak'))
    await agent.advance(2_000)
    if (goes) tree.remove('logs/app.log.bak')
    await agent.advance(12_000)
    tree.append('logs/app.log', numbered(5_001, 5_010))
    passTick()
    tree.copyTruncate('logs/app.log', 'logs/app.log.1')
    await agent.advance(60_000)
    expect(storedLines(agent)).toEqual(sorted(numbered(1, 5_010)))
  })
})

test('a second name for a file, and for its archive, brings nothing twice', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  tree.write('logs/app.log', numbered(1, 500))
  await agent.start()
  await agent.advance(2_000)
  tree.hardLink('logs/app.log.1', 'logs/app.log')
  await agent.advance(2_000)
  tree.remove('logs/app.log')
  tree.write('logs/app.log', numbered(501, 600))
  await agent.advance(60_000)
  old(tree, 'logs/app.log.1')
  compress(tree, 'logs/app.log.1', 'gz')
  tree.hardLink('logs/app.log.2.gz', 'logs/app.log.1.gz')
  await agent.advance(60_000)
  expect(storedLines(agent)).toEqual(sorted(numbered(1, 600)))
})
