import { AgentHarness, type HarnessOptions } from '../kit/agent.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { MemoryFiles, type DiskHooks, type Inode } from '../kit/agent-files.ts'
import type { Said } from '../encode/content.ts'

const path = '/logs/app.log'

/** One file in memory, and the agent that follows it. */
export class OneFile {
  readonly clock = new VirtualClock()
  readonly files = new MemoryFiles(() => this.clock.wallMs)
  readonly inode: Inode
  readonly harness: AgentHarness

  constructor(
    settings: Partial<HarnessOptions['settings']>,
    more: Partial<HarnessOptions> = {},
    hooks: DiskHooks = {},
  ) {
    this.files.makeDirectory('/logs')
    this.inode = this.files.open(path)
    this.harness = new AgentHarness({
      clock: this.clock,
      disk: () => memoryDisk(this.files, hooks),
      settings: { paths: ['/logs/*.log'], stateDir: '/state', ...settings },
      ...more,
    })
  }

  append(bytes: Buffer | string): void {
    this.files.write(this.inode, Buffer.concat([this.inode.bytes, Buffer.from(bytes)]))
    this.harness.hint('/logs')
  }

  /** Its last line needs no newline any more. */
  async end(): Promise<void> {
    this.files.rename(path, `${path}.1`)
    this.harness.hint('/logs')
    await this.harness.advance(20_000)
  }

  async restart(how: 'stop' | 'crash'): Promise<void> {
    if (how === 'stop') await this.harness.stop()
    else this.harness.crash()
    await this.harness.start()
  }

  said(): Said[] {
    const documents = this.harness.stored()[path] ?? []
    return documents.map(({ offset, message, truncated }) => ({ offset, message, truncated }))
  }
}
