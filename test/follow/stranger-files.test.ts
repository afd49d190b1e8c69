import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import { passTick, temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered, storedLines } from './kit.ts'

/** What a hostile reviewer has found: files that say too little to be told apart by what they say. */
describe('files in which nothing tells', () => {
  test('a younger one that begins as another one is no copy of it, when that is not truncated', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/worker.log', 'Started\nReady\nListening\n')
    await agent.start()
    await agent.advance(3_000)
    passTick()
    tree.write('logs/worker-1.log', 'Started\nReady\n')
    await agent.advance(limits.copyDoubtMs + 30_000)
    expect(agent.lines(tree.at('logs/worker-1.log'))).toEqual(['Started', 'Ready'])
  })

  test('of one name in two directories: neither is the rest of the other', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    for (const name of ['a', 'b']) {
      tree.directory(`logs/${name}`)
      tree.write(`logs/${name}/app.log`, 'Started\n')
    }
    await agent.start()
    await agent.advance(3_000)
    await agent.stop()
    // The one is emptied, of the other a life was rotated away that begins as the first one did.
    tree.write('logs/a/app.log', '')
    tree.append('logs/a/app.log', 'Other\n')
    passTick()
    tree.write('logs/b/app.log.1', 'Started\nof b\n')
    await agent.start()
    await agent.advance(60_000)
    expect(agent.lines(tree.at('logs/a/app.log'))).toEqual(['Started', 'Other'])
    expect(storedLines(agent)).toContain('of b')
    expect(storedLines(agent).filter((line) => line === 'Started')).toHaveLength(3)
  })
})

test('an entry of the state that may not be read keeps others from being read for a while, not for good', async () => {
  const tree = temporaryTree()
  let refused = ''
  const agent = agentOver(
    tree,
    {},
    {
      ...systemDisk,
      open: (path) => {
        if (path === refused) throw Object.assign(new Error('EACCES: permission denied, open'), { code: 'EACCES' })
        return systemDisk.open(path)
      },
    },
  )
  tree.write('logs/worker.log', '2026-01-01 10:00:00 known\n')
  await agent.start()
  await agent.advance(3_000)
  await agent.stop()
  refused = tree.at('logs/worker.log')
  passTick()
  tree.write('logs/worker.log.1', '2026-01-01 10:00:07 never seen\n')
  await agent.start()
  await agent.advance(limits.copyDoubtMs - 1_000)
  expect(storedLines(agent)).not.toContain('2026-01-01 10:00:07 never seen')
  await agent.advance(60_000)
  expect(storedLines(agent)).toContain('2026-01-01 10:00:07 never seen')
})

test('a status file that is written anew: each line is shipped', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  await agent.start()
  for (let n = 0; n < 10; n++) {
    passTick()
    tree.write('logs/status.log', `queue length is ${n}\n`)
    agent.hint(tree.at('logs'))
    await agent.advance(700)
  }
  await agent.advance(3_000)
  expect(storedLines(agent)).toEqual(linesOf(numbered(0, 9, 'queue length is')).toSorted())
})

describe('a copy that is written over in place each time', () => {
  test.each(['line', '2026-01-01 10:00:00 line'])('%s: each line is stored once', async (prefix) => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', '')
    await agent.start()
    for (let n = 0; n < 6; n++) {
      tree.append('logs/app.log', numbered(10 * n + 1, 10 * n + 10, prefix))
      agent.hint(tree.at('logs'))
      await agent.advance(3_000)
      passTick()
      // cp app.log app.log.1; : > app.log
      fs.writeFileSync(tree.at('logs/app.log.1'), fs.readFileSync(tree.at('logs/app.log')))
      fs.truncateSync(tree.at('logs/app.log'))
      agent.hint(tree.at('logs'))
      await agent.advance(1_000)
    }
    await agent.advance(60_000)
    expect(storedLines(agent)).toEqual(linesOf(numbered(1, 60, prefix)).toSorted())
  })
})
