import fs from 'node:fs'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import type { VolumeDisk } from '../../src/base/volume-disk.ts'
import type { Policy } from '../../src/volume/decide.ts'
import { agentOver, linesOf, rotate } from '../follow/kit.ts'
import type { AgentHarness, HarnessOptions } from '../kit/agent.ts'
import { temporaryTree, type Tree } from '../kit/agent-tree.ts'

/** A line of 100 bytes; a file of so many of them takes up ten blocks of 4 KiB. */
export const linesOfFile = 400
export const fileBytes = 40 * 1024
export const limitBytes = 10 * fileBytes

const line = (n: number) => `${`line ${n} `.padEnd(99, '.')}\n`
export const lines = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => line(first + n)).join('')

/** An application that writes a file, and rotates before the next one; a volume that only it writes to. */
export class Scene {
  readonly tree: Tree
  readonly agent: AgentHarness
  written = 0
  /** Of each inode that it has written. */
  readonly inodes = new Map<number, string>()

  constructor(
    policy: Policy,
    more: Partial<HarnessOptions['settings']> = {},
    tree = temporaryTree(),
    disk: Disk & Partial<VolumeDisk> = systemDisk,
    others: Partial<HarnessOptions> = {},
  ) {
    this.tree = tree
    const options = { volumeLimitBytes: limitBytes, volumePolicy: policy, ...more }
    // The root file system is nobody's volume: the directory is measured itself.
    this.agent = agentOver(this.tree, options, disk, { slots: 3, ...others })
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
