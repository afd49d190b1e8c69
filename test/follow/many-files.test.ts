import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered, storedLines } from './kit.ts'

const files = 40
const openFilesMax = 4
const hourMs = 3_600_000
const name = (file: number) => `logs/service-${String.fromCharCode(97 + (file % 26))}${Math.floor(file / 26)}x.log`

/** Many more files than descriptors, and no look at everything that would find what was missed. */
async function many() {
  const tree = temporaryTree()
  const agent = agentOver(tree, { scanIntervalMs: hourMs }, undefined, { openFilesMax })
  for (let file = 0; file < files; file++) tree.write(name(file), `first of ${file}\n`)
  await agent.start()
  await agent.advance(500)
  return { tree, agent }
}

describe('more files than descriptors', () => {
  test('all are shipped, and no more are open than may be', async () => {
    const { tree, agent } = await many()
    expect(storedLines(agent)).toHaveLength(files)
    expect(agent.agent.figures().openFiles).toBeLessThanOrEqual(openFilesMax)
    for (let round = 0; round < 5; round++) {
      for (let file = 0; file < files; file++)
        tree.append(name(file), numbered(round * 10, round * 10 + 9, `of ${file}:`))
      await agent.advance(limits.idlePollMaxMs)
      expect(agent.agent.figures().openFiles).toBeLessThanOrEqual(openFilesMax)
    }
    await agent.stop()
    expect(storedLines(agent)).toHaveLength(files * 51)
  })

  test('a write to a file that gave its descriptor back is found in bounded time, while its directory is busy', async () => {
    const { tree, agent } = await many()
    // One of them keeps the directory busy, so its watch is let go: no notification tells of the others.
    const write = async (line: string, forMs: number) => {
      tree.append(name(0), `${line}\n`)
      agent.hint(tree.at('logs'))
      await agent.advance(forMs)
    }
    for (let step = 0; step < 200; step++) await write(`busy ${step}`, 36)
    expect(agent.isWatched(tree.at('logs'))).toBe(false)
    const before = storedLines(agent).length
    const late = Array.from({ length: files - 1 }, (_, n) => n + 1)
    for (const file of late) tree.append(name(file), `late of ${file}\n`)
    for (let ms = 0; ms < limits.idlePollMaxMs; ms += 36) await write(`still busy ${ms}`, 36)
    const stored = new Set(storedLines(agent))
    expect(before).toBe(files + 200)
    expect(late.filter((file) => !stored.has(`late of ${file}`))).toEqual([])
    await agent.stop()
  })

  test('deleted files are held within the budget too: the rest is kept for the way to the server', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { scanIntervalMs: hourMs }, undefined, { openFilesMax })
    tree.write('logs/first.log', 'first\n')
    await agent.start()
    await agent.advance(500)
    agent.server.outcome = () => 'failed'
    for (let file = 0; file < 20; file++) {
      tree.write(name(file), `of ${file}\n`)
      agent.hint(tree.at('logs'))
      await agent.advance(500)
      tree.remove(name(file))
      agent.hint(tree.at('logs'))
      await agent.advance(100)
      expect(agent.agent.figures().openFiles).toBeLessThanOrEqual(openFilesMax + 1)
    }
    agent.server.outcome = () => 'ok'
    await agent.advance(120_000)
    expect(agent.agent.figures().openFiles).toBeLessThanOrEqual(openFilesMax)
    expect(storedLines(agent).length).toBeGreaterThan(openFilesMax)
    await agent.stop()
  })

  test('rotated with unread bytes they lose nothing', async () => {
    const { tree, agent } = await many()
    agent.server.outcome = () => 'failed'
    const wanted: string[] = Array.from({ length: files }, (_, file) => `first of ${file}`)
    for (let file = 0; file < files; file++) {
      const text = numbered(0, 30, `before rotation ${file}:`)
      wanted.push(...linesOf(text))
      tree.append(name(file), text)
    }
    await agent.advance(2_000)
    for (let file = 0; file < files; file++) {
      tree.rename(name(file), `${name(file)}.1`)
      tree.write(name(file), `after rotation ${file}\n`)
      wanted.push(`after rotation ${file}`)
    }
    await agent.advance(2_000)
    agent.server.outcome = () => 'ok'
    await agent.advance(60_000)
    await agent.stop()
    expect(storedLines(agent)).toEqual(wanted.toSorted())
  })
})
