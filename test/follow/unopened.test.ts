import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import type { AgentHarness } from '../kit/agent.ts'
import { diskError } from '../kit/agent-files.ts'
import { passTick, temporaryTree, type Tree } from '../kit/agent-tree.ts'
import { agentOver, compress, old, rotate, storedLines } from './kit.ts'

const enoughMs = limits.copyDoubtMs + 25_000

/** An agent on a disk that does not open what `refuses` says, and what happens at an opening is `opening`. */
function world(code = 'EACCES') {
  const tree = temporaryTree()
  const state = { refuses: (path: string) => path.includes('secret'), opening: (_path: string) => {} }
  const agent = agentOver(
    tree,
    {},
    {
      ...systemDisk,
      open: (path) => {
        state.opening(path)
        if (state.refuses(path)) throw diskError(code, path)
        return systemDisk.open(path)
      },
    },
  )
  return { tree, agent, state }
}

async function look(agent: AgentHarness, tree: Tree, forMs = enoughMs): Promise<void> {
  agent.hint(tree.at('logs'))
  await agent.advance(forMs)
}

const gapsOf = ({ messages }: AgentHarness) => messages.filter(({ code }) => code === 'GAP')

describe('a file that was seen, and never opened', () => {
  test.each(['EACCES', 'EMFILE', 'EIO'])(
    'refused with %s and deleted: a gap, said once, of the size seen last',
    async (code) => {
      const { tree, agent } = world(code)
      tree.write('logs/secret.log', 'one\n')
      await agent.start()
      await agent.advance(1_000)
      tree.append('logs/secret.log', 'two\n')
      await look(agent, tree)
      expect(agent.agent.figures().unreadBytes).toBe(8)
      expect(gapsOf(agent)).toEqual([])
      tree.remove('logs/secret.log')
      await look(agent, tree)
      const [gap] = gapsOf(agent)
      expect(gap?.path).toBe(tree.at('logs/secret.log'))
      expect(gap?.text).toContain('8 bytes at the least')
      expect(gap?.text).toContain(code)
      await look(agent, tree)
      expect(gapsOf(agent)).toHaveLength(1)
      const { gaps, gapBytes } = agent.agent.ledger
      expect({ gaps, gapBytes }).toEqual({ gaps: 1, gapBytes: 8 })
      expect(agent.agent.figures().unreadBytes).toBe(0)
      expect((await agent.stop())?.unreadBytes).toBe(0)
    },
  )

  test('that came and went between look and opening', async () => {
    const { tree, agent, state } = world()
    await agent.start()
    state.opening = (path) => tree.remove(path.slice(tree.root.length + 1))
    tree.write('logs/brief.log', 'a line\n')
    await look(agent, tree)
    expect(gapsOf(agent)).toMatchObject([{ path: tree.at('logs/brief.log') }])
    expect(gapsOf(agent)[0]?.text).toContain('7 bytes')
  })

  test('that another one has taken the place of when it is opened', async () => {
    const { tree, agent, state } = world()
    await agent.start()
    tree.write('elsewhere', 'the other\n')
    state.opening = () => {
      state.opening = () => {}
      tree.rename('elsewhere', 'logs/brief.log')
    }
    tree.write('logs/brief.log', 'a line\n')
    await look(agent, tree)
    expect(storedLines(agent)).toEqual(['the other'])
    expect(gapsOf(agent)[0]?.text).toContain('7 bytes')
  })

  test('is no gap when it was renamed and opened then', async () => {
    const { tree, agent, state } = world()
    await agent.start()
    state.opening = () => {
      state.opening = () => {}
      rotate(tree, 'logs/app.log', 3)
    }
    tree.write('logs/app.log', 'a line\n')
    await look(agent, tree)
    expect(storedLines(agent)).toEqual(['a line'])
    expect(gapsOf(agent)).toEqual([])
  })

  test('nor while it is there: renamed, and opened when it may be', async () => {
    const { tree, agent, state } = world()
    tree.write('logs/secret.log', 'a line\n')
    await agent.start()
    await agent.advance(1_000)
    rotate(tree, 'logs/secret.log', 3)
    await look(agent, tree)
    expect(gapsOf(agent)).toEqual([])
    state.refuses = () => false
    await look(agent, tree)
    expect(storedLines(agent)).toEqual(['a line'])
    tree.remove('logs/secret.log.1')
    await look(agent, tree)
    expect(gapsOf(agent)).toEqual([])
  })

  test('renamed, and deleted then: a gap under its first name', async () => {
    const { tree, agent } = world()
    tree.write('logs/secret.log', 'a line\n')
    await agent.start()
    await agent.advance(1_000)
    rotate(tree, 'logs/secret.log', 3)
    await look(agent, tree)
    tree.remove('logs/secret.log.1')
    await look(agent, tree)
    expect(gapsOf(agent)).toMatchObject([{ path: tree.at('logs/secret.log') }])
  })

  test('nor when its archive can be read', async () => {
    const { tree, agent, state } = world()
    tree.write('logs/secret.log', 'a line\n')
    await agent.start()
    await agent.advance(1_000)
    state.refuses = (path) => path.includes('secret') && !path.endsWith('.gz')
    rotate(tree, 'logs/secret.log', 3)
    old(tree, 'logs/secret.log.1')
    compress(tree, 'logs/secret.log.1', 'gz')
    await look(agent, tree, 60_000)
    expect(storedLines(agent)).toEqual(['a line'])
    expect(gapsOf(agent)).toEqual([])
  })

  test('emptied: what it had is a gap, unless a copy of it can be read', async () => {
    for (const copied of [false, true]) {
      const { tree, agent, state } = world()
      state.refuses = (path) => path.endsWith('secret.log')
      tree.write('logs/secret.log', 'a line\n')
      await agent.start()
      await agent.advance(1_000)
      passTick()
      if (copied) tree.copyTruncate('logs/secret.log', 'logs/secret.log.1')
      else fs.truncateSync(tree.at('logs/secret.log'))
      await look(agent, tree)
      expect(gapsOf(agent)).toHaveLength(copied ? 0 : 1)
      expect(storedLines(agent)).toEqual(copied ? ['a line'] : [])
    }
  })

  test('of a file that is no log nobody speaks: a symlink, an empty one', async () => {
    const { tree, agent } = world()
    tree.write('logs/secret.log', '')
    await agent.start()
    await agent.advance(1_000)
    tree.remove('logs/secret.log')
    await look(agent, tree)
    expect(gapsOf(agent)).toEqual([])
  })

  test('a copy of what is known is missed by nobody', async () => {
    const { tree, agent, state } = world()
    state.refuses = (path) => path.endsWith('.1')
    tree.write('logs/app.log', '2026-01-01 10:00:00 a line\n')
    await agent.start()
    await agent.advance(3_000)
    passTick()
    tree.copyTruncate('logs/app.log', 'logs/app.log.1')
    await look(agent, tree)
    tree.remove('logs/app.log.1')
    await look(agent, tree)
    expect(gapsOf(agent)).toEqual([])
  })

  test('a bounded number of them is remembered, and that is said', async () => {
    const { tree, agent } = world()
    const more = 5
    for (let n = 0; n < limits.unopenedFilesMax + more; n++) tree.write(`logs/secret-${n}.log`, 'x\n')
    await agent.start()
    await agent.advance(1_000)
    expect(agent.messages.filter(({ code }) => code === 'UNOPENED_MANY')).toHaveLength(1)
    tree.remove('logs')
    tree.directory('logs')
    await look(agent, tree)
    expect(agent.agent.ledger.gaps).toBe(limits.unopenedFilesMax)
  })
})
