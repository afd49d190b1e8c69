import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import { compress, linesOf, old, rotate, storedLines } from '../follow/kit.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { fileBytes, limitBytes, lines, linesOfFile, Scene } from './volume-scene.ts'

describe('drop-oldest', () => {
  test('an archive that is given up unread counts what is in it', async () => {
    const scene = new Scene('drop-oldest', { volumeLimitBytes: fileBytes })
    await scene.agent.start()
    scene.write(10)
    await scene.agent.advance(5_000)
    await scene.agent.stop()
    // Packed while nobody looked, and more than there are slots for.
    scene.write(2_000)
    rotate(scene.tree, 'logs/app.log', 5)
    old(scene.tree, 'logs/app.log.1')
    compress(scene.tree, 'logs/app.log.1', 'gz')
    scene.agent.server.outcome = () => 'failed'
    scene.write(linesOfFile)
    await scene.agent.start()
    await scene.agent.advance(30_000)
    const { droppedBytes, droppedFiles } = scene.agent.agent.ledger
    expect([droppedFiles, scene.names()]).toEqual([1, ['app.log']])
    scene.agent.server.outcome = () => 'ok'
    await scene.agent.advance(60_000)
    expect(droppedBytes).toBe((scene.written - storedLines(scene.agent).length) * 100)
    expect(scene.said('GAP')).toEqual([])
  })

  test('with the server away the volume stays below its limit, and what was dropped is in the ledger to the byte', async () => {
    const scene = new Scene('drop-oldest')
    await scene.agent.start()
    await scene.agent.advance(100)
    scene.agent.server.outcome = () => 'failed'
    let most = 0
    for (let n = 0; n < 30; n++) {
      scene.write()
      await scene.agent.advance(5_000)
      most = Math.max(most, scene.used())
      scene.rotate()
    }
    expect(most).toBeLessThanOrEqual(limitBytes)
    const { ledger } = scene.agent.agent
    expect(ledger.droppedFiles).toBeGreaterThan(10)
    expect(scene.said('VOLUME_DROPPED')).toHaveLength(ledger.droppedFiles)
    scene.agent.server.outcome = () => 'ok'
    scene.write(10)
    await scene.agent.advance(60_000)
    const stored = storedLines(scene.agent)
    expect(ledger).toMatchObject({ imbalance: 0, heldLines: 0, gaps: 0, lostLines: 0, readLines: stored.length })
    expect(ledger.droppedBytes).toBe((scene.written - stored.length) * 100)
    expect(new Set(stored).size).toBe(stored.length)
    // The newest lines are there, and those that were under way when their file went.
    expect(stored).toEqual(expect.arrayContaining(linesOf(lines(scene.written - 2 * linesOfFile, scene.written))))
    expect(stored).toEqual(expect.arrayContaining(linesOf(lines(1, 100))))
    expect(ledger.of(scene.tree.at('logs/app.log')).droppedBytes).toBe(ledger.droppedBytes)
  })

  test('what was written to a moment ago may be written to once more: it stays for five seconds', async () => {
    const scene = new Scene('drop-oldest', { volumeLimitBytes: 2 * fileBytes })
    scene.agent.server.outcome = () => 'failed'
    await scene.agent.start()
    scene.write()
    await scene.agent.advance(1_000)
    rotate(scene.tree, 'logs/app.log', 5)
    scene.write()
    await scene.agent.advance(3_500)
    expect(scene.agent.agent.ledger.droppedFiles).toBe(0)
    await scene.agent.advance(3_000)
    expect(scene.agent.agent.ledger.droppedFiles).toBe(1)
    expect(scene.names()).toEqual(['app.log'])
  })

  test('a file of which there is a copy stays: its lines would go on in that', async () => {
    const scene = new Scene('drop-oldest', { volumeLimitBytes: 2 * fileBytes })
    scene.agent.server.outcome = () => 'failed'
    await scene.agent.start()
    scene.write()
    await scene.agent.advance(1_000)
    rotate(scene.tree, 'logs/app.log', 5)
    old(scene.tree, 'logs/app.log.1')
    compress(scene.tree, 'logs/app.log.1', 'gz', true)
    await scene.agent.advance(30_000)
    scene.write()
    await scene.agent.advance(30_000)
    expect(scene.names()).toEqual(['app.log', 'app.log.1', 'app.log.1.gz'])
    scene.agent.server.outcome = () => 'ok'
    await scene.agent.advance(90_000)
    expect(storedLines(scene.agent)).toEqual(scene.all())
    expect(scene.agent.agent.ledger).toMatchObject({ droppedFiles: 0, gaps: 0 })
    // Below the low mark now.
    expect(scene.names()).toEqual(['app.log', 'app.log.1.gz'])
  })

  test('without a state that can be written what was answered for goes, and no line with it', async () => {
    const scene = new Scene('drop-oldest')
    await scene.agent.start()
    await scene.agent.advance(1_000)
    fs.rmSync(scene.tree.at('state'), { recursive: true })
    fs.writeFileSync(scene.tree.at('state'), 'no directory\n')
    await scene.rotations(14, 6_000)
    await scene.agent.advance(20_000)
    expect(scene.used()).toBeLessThanOrEqual(limitBytes)
    expect(scene.agent.agent.ledger).toMatchObject({ droppedFiles: 0, droppedBytes: 0, gaps: 0 })
    expect(scene.agent.agent.ledger.freedFiles).toBeGreaterThan(3)
    expect(scene.said('VOLUME_DROPPED')).toEqual([])
    expect(storedLines(scene.agent)).toEqual(scene.all())
  })

  test('what is shipped goes before anything that is not', async () => {
    const scene = new Scene('drop-oldest')
    await scene.agent.start()
    await scene.rotations(5, 6_000)
    const shipped = scene.written
    scene.agent.server.outcome = () => 'failed'
    await scene.rotations(6, 6_000)
    expect(scene.agent.agent.ledger.freedFiles).toBeGreaterThan(2)
    expect(scene.agent.agent.ledger.droppedFiles).toBe(0)
    scene.agent.server.outcome = () => 'ok'
    await scene.agent.advance(60_000)
    expect(shipped).toBeGreaterThan(0)
    expect(storedLines(scene.agent)).toEqual(scene.all())
  })

  test('killed right after a drop: what was under way is reported as a gap, and nothing is silent', async () => {
    const scene = new Scene('drop-oldest')
    await scene.agent.start()
    await scene.agent.advance(100)
    scene.agent.server.outcome = () => 'failed'
    for (let n = 0; n < 20; n++) {
      scene.write()
      await scene.agent.advance(5_000)
      scene.rotate()
    }
    const { droppedBytes } = scene.agent.agent.ledger
    expect(droppedBytes).toBeGreaterThan(0)
    scene.agent.crash()
    scene.agent.server.outcome = () => 'ok'
    scene.write(10)
    await scene.agent.start()
    await scene.agent.advance(120_000)
    const { gapBytes } = scene.agent.agent.ledger
    const missing = scene.written * 100 - storedLines(scene.agent).length * 100
    expect(missing).toBeGreaterThan(droppedBytes)
    expect(droppedBytes + gapBytes).toBeGreaterThanOrEqual(missing)
  })
})

test('acknowledged files are deleted although every slot is taken, before anything unread is given up', async () => {
  const scene = new Scene('drop-oldest')
  await scene.agent.start()
  scene.write(1)
  await scene.agent.advance(2_000)
  for (let k = 0; k < 5; k++) scene.tree.write(`logs/s${k}.log`, lines(1, 400))
  await scene.agent.advance(8_000)
  scene.agent.server.outcome = () => 'failed'
  scene.tree.append('logs/app.log', lines(2, 1701))
  await scene.agent.advance(30_000)
  for (let k = 0; k < 5; k++) {
    rotate(scene.tree, `logs/s${k}.log`, 5)
    scene.tree.write(`logs/s${k}.log`, 'x\n')
  }
  scene.rotate()
  scene.write(1)
  scene.agent.hint(scene.tree.at('logs'))
  await scene.agent.advance(120_000)
  const { droppedBytes, freedFiles } = scene.agent.agent.ledger
  expect({ droppedBytes, freed: freedFiles > 0 }).toEqual({ droppedBytes: 0, freed: true })
})

test('what is wholly shipped is no drop, also an empty file', async () => {
  const scene = new Scene('drop-oldest', { volumeLimitBytes: 3 * fileBytes })
  await scene.agent.start()
  scene.tree.write('logs/empty.log', '')
  scene.write()
  await scene.agent.advance(3_000)
  fs.rmSync(scene.tree.at('state'), { recursive: true })
  fs.writeFileSync(scene.tree.at('state'), 'no directory\n')
  rotate(scene.tree, 'logs/empty.log', 5)
  scene.tree.write('logs/empty.log', 'no more\n')
  scene.rotate()
  scene.write()
  await scene.agent.advance(3_000)
  scene.agent.server.outcome = () => 'failed'
  scene.rotate()
  scene.write()
  await scene.agent.advance(40_000)
  const { droppedFiles, freedFiles } = scene.agent.agent.ledger
  expect({ droppedFiles, freed: freedFiles > 0 }).toEqual({ droppedFiles: 0, freed: true })
  expect(scene.said('VOLUME_FREED')[0]).toContain('no checkpoint says so')
})

test('a checkpoint that does not come is waited for in bounded time, which is said, and no line is lost for it', async () => {
  let slow = false
  const beforeWrite = () =>
    new Promise<void>((resolve) => {
      if (slow) scene.agent.clock.after(600_000, resolve)
      else resolve()
    })
  const scene = new Scene('drop-oldest', {}, temporaryTree(), systemDisk, { beforeWrite })
  await scene.agent.start()
  for (let n = 0; n < 11; n++) scene.tree.write(`logs/s${n}.log`, lines(1, linesOfFile))
  await scene.agent.advance(10_000)
  slow = true
  for (let n = 0; n < 11; n++) {
    rotate(scene.tree, `logs/s${n}.log`, 5)
    scene.tree.write(`logs/s${n}.log`, 'x\n')
  }
  scene.agent.hint(scene.tree.at('logs'))
  await scene.agent.advance(limits.volumeAwaitMs - 5_000)
  expect(scene.names()).toHaveLength(22)
  expect(scene.said('VOLUME_UNSAVED')).toEqual([])
  await scene.agent.advance(30_000)
  expect(scene.said('VOLUME_UNSAVED')).toHaveLength(1)
  expect(scene.used()).toBeLessThan(limitBytes)
  expect(scene.agent.agent.ledger).toMatchObject({ droppedFiles: 0, gaps: 0, lostLines: 0 })
})
