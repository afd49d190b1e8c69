import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { deserialize } from '../../src/settle/state-text.ts'
import { MemoryServer } from '../kit/agent-server.ts'
import { temporaryTree, type Tree } from '../kit/agent-tree.ts'
import type { AgentHarness } from '../kit/agent.ts'
import { agentOver, linesOf, numbered } from './kit.ts'

const ways: [string, (agent: AgentHarness) => Promise<unknown>][] = [
  ['a clean stop', (agent) => agent.stop()],
  ['a crash', async (agent) => agent.crash()],
]

describe.each(ways)('after %s', (_way, end) => {
  /** What happens while it is down, and what is there in the end. */
  test.each<[string, (tree: Tree) => void]>([
    ['nothing', () => {}],
    ['more lines', (tree) => tree.append('logs/app.log', numbered(101, 120))],
    [
      'a rotation',
      (tree) => {
        tree.append('logs/app.log', numbered(101, 110))
        tree.rename('logs/app.log', 'logs/app.log.1')
        tree.write('logs/app.log', numbered(111, 120))
      },
    ],
    [
      'two rotations',
      (tree) => {
        tree.rename('logs/app.log', 'logs/app.log.1')
        tree.write('logs/app.log', numbered(101, 110))
        tree.rename('logs/app.log.1', 'logs/app.log.2')
        tree.rename('logs/app.log', 'logs/app.log.1')
        tree.write('logs/app.log', numbered(111, 120))
      },
    ],
    [
      'copytruncate',
      (tree) => {
        tree.append('logs/app.log', numbered(101, 110))
        tree.copyTruncate('logs/app.log', 'logs/app.log.1')
        tree.append('logs/app.log', numbered(111, 120))
      },
    ],
    [
      'a rename into another directory',
      (tree) => {
        tree.directory('logs/sub')
        tree.rename('logs/app.log', 'logs/sub/app.log')
        tree.append('logs/sub/app.log', numbered(101, 120))
      },
    ],
  ])('and %s meanwhile: each line once', async (what, happens) => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', numbered(1, 100))
    await agent.start()
    await agent.advance(300)
    await end(agent)
    happens(tree)
    await agent.start()
    await agent.advance(15_000)
    const all = Object.values(agent.stored()).flat()
    const expected = linesOf(numbered(1, what === 'nothing' ? 100 : 120))
    expect(all.map(({ message }) => message).toSorted()).toEqual(expected.toSorted())
    expect(agent.messages.filter(({ code }) => code === 'GAP')).toEqual([])
    expect(agent.server.complaints).toEqual([])
  })
})

describe('a crash', () => {
  test('with answers that never came: sent again under the same ids', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    agent.server.outcome = () => 'lost'
    agent.server.lookup = 'failed'
    tree.write('logs/app.log', numbered(1, 300))
    await agent.start()
    await agent.advance(2_000)
    const stored = agent.server.documents.size
    expect(stored).toBeGreaterThan(0)
    agent.crash()
    agent.server.outcome = () => 'ok'
    agent.server.lookup = 'ok'
    await agent.start()
    await agent.advance(5_000)
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(linesOf(numbered(1, 300)))
    // Answered 409, or found there before they were sent again.
    expect(agent.agent.ledger.duplicateLines).toBeGreaterThanOrEqual(stored)
  })

  test('before any checkpoint, and truncated meanwhile: the copy has the same ids', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', numbered(1, 20))
    await agent.start()
    await agent.advance(100)
    expect(agent.server.documents.size).toBe(20)
    agent.crash()
    tree.copyTruncate('logs/app.log', 'logs/app.log.1')
    tree.append('logs/app.log', 'new\n')
    await agent.start()
    await agent.advance(15_000)
    expect(agent.server.documents.size).toBe(21)
  })

  test('after a truncation: the new life keeps its ids, the old one its own', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    const banner = 'the same first line\n'
    tree.write('logs/app.log', `${banner}one\n`)
    await agent.start()
    await agent.advance(3_000)
    tree.copyTruncate('logs/app.log', 'logs/app.log.1')
    await agent.advance(3_000)
    // The new life has no line yet: it must be remembered all the same.
    await agent.stop()
    tree.append('logs/app.log', `${banner}two\n`)
    await agent.start()
    await agent.advance(3_000)
    const messages = Object.values(agent.stored()).flat()
    expect(messages.map(({ message }) => message).toSorted()).toEqual(
      [banner.trim(), banner.trim(), 'one', 'two'].toSorted(),
    )
  })
})

describe('what is there at the first start', () => {
  test('is read from its end when that is asked for, and so after a restart without a new line', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { startAt: 'end' })
    tree.write('logs/app.log', numbered(1, 10))
    tree.write('logs/half.log', 'half a li')
    await agent.start()
    await agent.advance(2_000)
    await agent.stop()
    await agent.start()
    await agent.advance(2_000)
    expect(agent.server.documents.size).toBe(0)
    tree.append('logs/app.log', 'new\n')
    tree.append('logs/half.log', 'ne\nwhole\n')
    tree.write('logs/later.log', 'from its start\n')
    await agent.advance(15_000)
    const all = Object.values(agent.stored()).flat()
    expect(all.map(({ message }) => message).toSorted()).toEqual(['from its start', 'new', 'whole'])
  })

  test('and rotated before that is left alone; what is rotated later is not', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log.2', 'older\n')
    fs.utimesSync(tree.at('logs/app.log.2'), 1, 1)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await agent.start()
    tree.write('logs/app.log', 'one\n')
    tree.rename('logs/app.log', 'logs/app.log.1')
    await agent.advance(15_000)
    expect(agent.lines(tree.at('logs/app.log'))).toEqual(['one'])
  })
})

test('a state of version 1: what was sent and not answered keeps the id that it had', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  tree.write('logs/app.log', numbered(1, 20))
  await agent.start()
  await agent.advance(2_000)
  await agent.stop()
  // It had one name for all lines, and was killed before the first answer.
  const { state } = deserialize(fs.readFileSync(tree.at('state/checkpoint.json'), 'utf8'))
  const guardHash = createHash('sha256').digest().subarray(0, 15).toString('base64url')
  const unsent = { id: 'of-version-1', offset: 0, guardHash, anchor: undefined, packing: undefined, marks: undefined }
  const generations = state.generations.map((generation) => ({ ...generation, ...unsent }))
  const body = JSON.stringify({ instance: state.instance, sinceMs: state.sinceMs, generations })
  const sha256 = createHash('sha256').update(body).digest('base64url')
  tree.remove('state')
  tree.write('state/checkpoint.json', `${JSON.stringify({ remora: 'checkpoint', version: 1, sha256 })}\n${body}\n`)
  agent.server.documents.clear()
  for (const { ids } of agent.server.indices) ids.clear()
  await agent.start()
  await agent.advance(10_000)
  expect(agent.lines(tree.at('logs/app.log'))).toEqual(linesOf(numbered(1, 20)))
  expect(new Set([...agent.server.documents.keys()].map((id) => id.slice(0, 12)))).toEqual(new Set(['of-version-1']))
})

test('two Pods with equal files in one index: every line of both', async () => {
  const server = new MemoryServer()
  for (const podUid of ['5d0c', '77aa']) {
    const tree = temporaryTree()
    const agent = agentOver(tree, { podUid }, undefined, { server })
    tree.write('logs/app.log', numbered(1, 40))
    await agent.start()
    await agent.advance(2_000)
    await agent.stop()
  }
  expect(server.documents.size).toBe(80)
  expect(server.duplicates).toBe(0)
})
