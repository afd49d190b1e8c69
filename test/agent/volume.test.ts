import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { compress, old, rotate, storedLines } from '../follow/kit.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { fileBytes, limitBytes, linesOfFile, Scene } from './volume-scene.ts'

describe('delete-shipped', () => {
  test('shipped files go, the oldest first, the live one stays, and no line is lost', async () => {
    const scene = new Scene('delete-shipped')
    await scene.agent.start()
    await scene.rotations(20, 6_000)
    await scene.agent.advance(60_000)
    expect(scene.used()).toBeLessThanOrEqual(0.8 * limitBytes)
    expect(scene.used()).toBeGreaterThan(0.5 * limitBytes)
    expect(scene.names()).toContain('app.log')
    // What is left is the newest.
    const left = scene.names().filter((name) => name !== 'app.log')
    expect(left).toEqual(left.map((_, n) => `app.log.${n + 1}`).toSorted())
    expect(storedLines(scene.agent)).toEqual(scene.all())
    const { ledger } = scene.agent.agent
    expect(ledger).toMatchObject({ gaps: 0, droppedFiles: 0, freedFiles: 20 - left.length, lostLines: 0 })
    expect(ledger.freedBytes).toBe(ledger.freedFiles * fileBytes)
    expect(scene.said('VOLUME_FREED').length).toBeGreaterThan(0)
    const troubles = scene.agent.messages.filter(({ level }) => level === 'warn' || level === 'error')
    expect(troubles.map(({ code }) => code)).toEqual(['NO_FILES'])
    expect(scene.agent.agent.figures()).toMatchObject({ volumeLimitBytes: limitBytes, volumeHeldBytes: 0 })
  })

  test('nothing goes that is not shipped: it is said once, and again after it was better', async () => {
    const scene = new Scene('delete-shipped')
    scene.agent.server.outcome = () => 'failed'
    await scene.agent.start()
    await scene.rotations(12, 6_000)
    await scene.agent.advance(20_000)
    expect(scene.names()).toHaveLength(13)
    expect(scene.said('VOLUME_FULL')).toHaveLength(1)
    scene.agent.server.outcome = () => 'ok'
    await scene.agent.advance(60_000)
    expect(scene.names().length).toBeLessThan(9)
    expect(storedLines(scene.agent)).toEqual(scene.all())
    scene.agent.server.outcome = () => 'failed'
    await scene.rotations(12, 6_000)
    expect(scene.said('VOLUME_FULL')).toHaveLength(2)
  })

  test('what was rotated while the file with its name is still empty may be what is written to', async () => {
    const scene = new Scene('delete-shipped', { volumeLimitBytes: fileBytes })
    await scene.agent.start()
    scene.write()
    await scene.agent.advance(1_000)
    rotate(scene.tree, 'logs/app.log', 5)
    scene.tree.write('logs/app.log', '')
    await scene.agent.advance(60_000)
    expect(scene.names()).toEqual(['app.log', 'app.log.1'])
    scene.write(1)
    await scene.agent.advance(40_000)
    expect(scene.names()).toEqual(['app.log'])
    expect(storedLines(scene.agent)).toEqual(scene.all())
  })

  test('hard links and files of strangers stay', async () => {
    const scene = new Scene('delete-shipped', { volumeLimitBytes: 2 * fileBytes })
    await scene.agent.start()
    scene.tree.write('logs/data.bin.1', 'x'.repeat(fileBytes))
    await scene.rotations(3, 1_000)
    scene.tree.hardLink('kept', 'logs/app.log.2')
    await scene.agent.advance(60_000)
    expect(scene.names()).toEqual(['app.log', 'app.log.2', 'data.bin.1'])
    expect(scene.agent.agent.ledger.freedFiles).toBe(2)
  })

  test('below a root that a symlink leads to', async () => {
    const tree = temporaryTree()
    tree.link('link', tree.directory('logs'))
    const scene = new Scene('delete-shipped', { paths: [tree.at('link/*.log')] }, tree)
    await scene.agent.start()
    await scene.rotations(14, 6_000)
    await scene.agent.advance(60_000)
    expect(scene.used()).toBeLessThanOrEqual(0.8 * limitBytes)
    expect(storedLines(scene.agent)).toEqual(scene.all())
  })

  test('archives, and copies of a truncated file, go as well, and are not missed', async () => {
    const scene = new Scene('delete-shipped', { volumeLimitBytes: 2 * fileBytes })
    await scene.agent.start()
    scene.write()
    await scene.agent.advance(1_000)
    scene.tree.copyTruncate('logs/app.log', 'logs/app.log.1')
    await scene.agent.advance(10_000)
    // Of a limit of two files: one more, and the copy has to go.
    scene.write()
    await scene.agent.advance(60_000)
    expect(scene.names()).toEqual(['app.log'])
    rotate(scene.tree, 'logs/app.log', 5)
    scene.write(10)
    old(scene.tree, 'logs/app.log.1')
    await scene.agent.advance(10_000)
    compress(scene.tree, 'logs/app.log.1', 'gz')
    await scene.agent.advance(30_000)
    expect(scene.names()).toEqual(['app.log', 'app.log.1.gz'])
    scene.write(2 * linesOfFile)
    await scene.agent.advance(60_000)
    expect(scene.names()).toEqual(['app.log'])
    expect(storedLines(scene.agent)).toEqual(scene.all())
    expect(scene.agent.server.duplicates).toBe(0)
    expect(scene.agent.agent.ledger).toMatchObject({ gaps: 0, freedFiles: 2 })
  })

  test('killed right after a file has gone, the next process misses nothing', async () => {
    const scene = new Scene('delete-shipped')
    await scene.agent.start()
    await scene.rotations(9, 6_000)
    const wasGone = await scene.agent.until(() => scene.agent.agent.ledger.freedFiles > 0)
    expect(wasGone).toBe(true)
    const before = scene.said('GAP')
    scene.agent.crash()
    await scene.agent.start()
    await scene.agent.advance(60_000)
    expect(scene.said('GAP')).toEqual(before)
    expect(before).toEqual([])
    expect(storedLines(scene.agent)).toEqual(scene.all())
    expect(scene.agent.agent.ledger).toMatchObject({ gaps: 0, droppedFiles: 0, lostLines: 0 })
  })

  test('what no checkpoint knows as shipped stays', async () => {
    const scene = new Scene('delete-shipped')
    await scene.agent.start()
    await scene.agent.advance(1_000)
    fs.rmSync(scene.tree.at('state'), { recursive: true })
    fs.writeFileSync(scene.tree.at('state'), 'no directory\n')
    await scene.rotations(12, 6_000)
    await scene.agent.advance(60_000)
    expect(scene.agent.agent.ledger.freedFiles).toBe(0)
    expect(scene.names()).toHaveLength(13)
    expect(scene.said('VOLUME_FULL')).toHaveLength(1)
    const [text, ...more] = scene.said('VOLUME_UNSAVED')
    expect(more).toEqual([])
    expect(text).toMatch(/app\.log\.\d+ is wholly shipped .* REMORA_STATE_DIR/)
  })
})

describe('keep', () => {
  test('deletes nothing, measures, and says when it is nearly full', async () => {
    const scene = new Scene('keep')
    await scene.agent.start()
    await scene.rotations(7, 2_000)
    expect(scene.said('VOLUME_FULL')).toEqual([])
    await scene.rotations(5, 2_000)
    expect(scene.said('VOLUME_FULL')).toEqual([expect.stringContaining('REMORA_VOLUME_POLICY=delete-shipped')])
    expect(scene.names()).toHaveLength(13)
    const { volumeUsedBytes } = scene.agent.agent.figures()
    // And the directory itself.
    expect(volumeUsedBytes - scene.used()).toBe(4096)
  })
})

test('files that go one after the other do not cost a look at everything each', async () => {
  let looks = 0
  const tree = temporaryTree()
  const other = tree.directory('logs/other')
  let looked = ''
  const disk = {
    ...systemDisk,
    look: (path: string) => systemDisk.look((looked = path)),
    list: (directory: string) => {
      // Measuring lists it as well, without a look at it.
      if (directory === other && looked === `${other}/.`) looks++
      looked = ''
      return systemDisk.list(directory)
    },
  }
  const scene = new Scene('delete-shipped', {}, tree, disk)
  await scene.agent.start()
  await scene.rotations(20, 1_000)
  const { freedFiles } = scene.agent.agent.ledger
  const before = looks
  await scene.rotations(30, 1_000)
  expect(scene.agent.agent.ledger.freedFiles - freedFiles).toBeGreaterThan(20)
  // One for two seconds, and those of the rescans.
  expect(looks - before).toBeLessThanOrEqual(15 + 2 * 3 + 2)
  await scene.agent.advance(60_000)
  expect(storedLines(scene.agent)).toEqual(scene.all())
})
