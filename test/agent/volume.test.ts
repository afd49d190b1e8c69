import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import type { Policy } from '../../src/volume/decide.ts'
import type { AgentHarness, HarnessOptions } from '../kit/agent.ts'
import { temporaryTree, type Tree } from '../kit/agent-tree.ts'
import { agentOver, compress, linesOf, old, rotate, storedLines } from '../follow/kit.ts'

/** A line of 100 bytes; a file of so many of them takes up ten blocks of 4 KiB. */
const linesOfFile = 400
const fileBytes = 40 * 1024
const limitBytes = 10 * fileBytes

const line = (n: number) => `${`line ${n} `.padEnd(99, '.')}\n`
const lines = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => line(first + n)).join('')

/** An application that writes a file, and rotates before the next one; a volume that only it writes to. */
class Scene {
  readonly tree: Tree
  readonly agent: AgentHarness
  written = 0
  /** Of each inode that it has written. */
  readonly inodes = new Map<number, string>()

  constructor(policy: Policy, more: Partial<HarnessOptions['settings']> = {}, tree = temporaryTree()) {
    this.tree = tree
    const options = { volumeLimitBytes: limitBytes, volumePolicy: policy, ...more }
    // The root file system is nobody's volume: the directory is measured itself.
    this.agent = agentOver(this.tree, options, systemDisk, { slots: 3 })
  }

  write(count = linesOfFile): void {
    const text = lines(this.written + 1, this.written + count)
    this.written += count
    this.tree.write('logs/app.log', '')
    this.tree.append('logs/app.log', text)
  }

  /** @param forMs  between two rotations */
  async rotations(count: number, forMs: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.write()
      await this.agent.advance(forMs)
      this.rotate()
    }
    this.write(10)
    await this.agent.advance(forMs)
  }

  /** And inotify says so, where somebody listens. */
  rotate(): void {
    rotate(this.tree, 'logs/app.log', 50)
    this.agent.hint(this.tree.at('logs'))
  }

  names(): string[] {
    return fs.readdirSync(this.tree.at('logs')).toSorted()
  }

  used(): number {
    return fs
      .readdirSync(this.tree.at('logs'))
      .reduce((sum, name) => sum + fs.lstatSync(this.tree.at(`logs/${name}`)).blocks * 512, 0)
  }

  said(code: string): string[] {
    return this.agent.messages.filter((message) => message.code === code).map(({ text }) => text)
  }

  all(): string[] {
    return linesOf(lines(1, this.written)).toSorted()
  }
}

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

describe('drop-oldest', () => {
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
    expect(scene.agent.agent.ledger).toMatchObject({ freedFiles: 0, droppedBytes: 0, gaps: 0 })
    expect(scene.agent.agent.ledger.droppedFiles).toBeGreaterThan(3)
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
