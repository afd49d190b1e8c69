import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered, storedLines } from './kit.ts'

describe('a watch that tells nothing, as where others write over a network', () => {
  test('is found out: from the fourth line on one after a pause waits no longer than the timer', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'line 0\n')
    await agent.start()
    await agent.advance(60_000)
    for (let n = 1; n <= 8; n++) {
      tree.append('logs/app.log', `line ${n}\n`)
      await agent.advance(n <= 3 ? 60_000 : limits.unwatchedIntervalMs)
      expect(storedLines(agent)).toHaveLength(n + 1)
      await agent.advance(60_000)
    }
    await agent.stop()
  })

  test('is not thought to do so while events come', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', 'line 0\n')
    await agent.start()
    await agent.advance(60_000)
    for (let n = 1; n <= 8; n++) {
      tree.append('logs/app.log', `line ${n}\n`)
      agent.hint(tree.at('logs'))
      await agent.advance(60_000)
    }
    // No event now, and no look before the next one at everything.
    tree.append('logs/app.log', 'line 9\n')
    await agent.advance(limits.unwatchedIntervalMs)
    expect(storedLines(agent)).toHaveLength(9)
    await agent.stop()
  })
})

describe('a look in many turns', () => {
  test('loses nothing of what happens between them', async () => {
    const tree = temporaryTree()
    const wanted: string[] = []
    let turns = 0
    const happen = () => {
      if (turns++ % 5 !== 0 || turns > 400) return
      const name = `logs/app-${turns % 7}.log`
      const text = numbered(turns, turns + 1, `of ${name}:`)
      if (turns % 3 === 0) tree.rename(name, `${name}.${turns}`)
      tree.append(name, text)
      wanted.push(...linesOf(text))
    }
    for (let file = 0; file < 7; file++) tree.write(`logs/app-${file}.log`, `first of ${file}\n`)
    wanted.push(...Array.from({ length: 7 }, (_, file) => `first of ${file}`))
    const agent = agentOver(tree, {}, undefined, { lookStepsMax: 1, point: happen })
    await agent.start()
    await agent.advance(120_000)
    await agent.stop()
    expect(turns).toBeGreaterThan(400)
    expect(storedLines(agent)).toEqual(wanted.toSorted())
  })

  test('is not cut by the end: what it finds is shipped', async () => {
    const tree = temporaryTree()
    for (let file = 0; file < 20; file++) tree.write(`logs/app-${file}.log`, `of ${file}\n`)
    const agent = agentOver(tree, {}, undefined, { lookStepsMax: 1 })
    await agent.start()
    for (let file = 0; file < 20; file++) tree.append(`logs/app-${file}.log`, `more of ${file}\n`)
    await agent.stop()
    expect(storedLines(agent)).toHaveLength(40)
  })

  test('that lasts longer than a file must be quiet to have ended takes no file that has just grown for quiet', async () => {
    const tree = temporaryTree()
    const clock = new VirtualClock()
    const files = 20
    let isSlow = false
    let asked = 0
    let late = ''
    const disk: Disk = {
      ...systemDisk,
      sizeOf(descriptor) {
        if (isSlow) {
          clock.take((1.2 * limits.endedQuietMs) / files)
          // The last one is written when all others have been asked.
          if (++asked === files) {
            late = systemDisk.pathOf(descriptor)
            fs.appendFileSync(late, 'half a li')
            isSlow = false
          }
        }
        return systemDisk.sizeOf(descriptor)
      },
    }
    for (let n = 0; n < files; n++) tree.write(`logs/app-${n}.log`, `of ${n}\n`)
    const agent = agentOver(tree, {}, disk, { clock, lookStepsMax: 1 })
    await agent.start()
    await agent.advance(1_000)
    // Rotated ones are asked, watched or not: all in one poll.
    for (let n = 0; n < files; n++) tree.rename(`logs/app-${n}.log`, `logs/app-${n}.log.1`)
    agent.hint(tree.at('logs'))
    await agent.advance(400)
    isSlow = true
    await agent.advance(500)
    fs.appendFileSync(late, 'ne\n')
    await agent.advance(10_000)
    expect(storedLines(agent)).toContain('half a line')
    await agent.stop()
  })
})
