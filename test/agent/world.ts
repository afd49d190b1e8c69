import { AgentHarness, type HarnessOptions } from '../kit/agent.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { MemoryFiles, type DiskHooks } from '../kit/agent-files.ts'

/** An agent over files in memory, and the application beside it: all time is virtual. */
export class AgentWorld {
  readonly clock = new VirtualClock()
  readonly files = new MemoryFiles(() => this.clock.wallMs)
  readonly agent: AgentHarness
  /** Lines written so far. */
  written = 0

  constructor(
    settings: Partial<HarnessOptions['settings']> = {},
    more: Partial<HarnessOptions> = {},
    hooks: DiskHooks = {},
  ) {
    this.files.makeDirectory('/logs')
    this.files.makeDirectory('/state')
    this.agent = new AgentHarness({
      clock: this.clock,
      disk: () => memoryDisk(this.files, hooks),
      settings: { paths: ['/logs/**/*.log'], stateDir: '/state', ...settings },
      ...more,
    })
    this.files.changed = (directory) => this.agent.hint(directory)
  }

  /** Writes lines; each says which it is of all. */
  write(path: string, lines = 1): void {
    const first = this.written + 1
    this.written += lines
    const text = Array.from({ length: lines }, (_, n) => `line ${first + n}\n`).join('')
    this.files.append(this.files.open(path), text)
  }

  /** Runs something every `eachMs` of virtual time, until `untilMs` from now. */
  every(eachMs: number, untilMs: number, run: () => void): void {
    const endMs = this.clock.nowMs + untilMs
    const tick = () => {
      if (this.clock.nowMs > endMs) return
      run()
      this.clock.after(eachMs, tick)
    }
    this.clock.after(eachMs, tick)
  }

  /** Stops it. @returns what it said, and how long it took */
  async stop(graceMs = 25_000) {
    const beganMs = this.clock.nowMs
    const summary = await this.agent.stop(graceMs)
    if (summary === undefined) throw new Error('it was killed')
    return { ...summary, tookMs: this.clock.nowMs - beganMs }
  }

  /** Lines that the server has, of all files. */
  get stored(): string[] {
    return [...this.agent.server.documents.values()].map(({ message }) => message)
  }

  /** The lines from `first` to `last`. */
  lines(first = 1, last = this.written): string[] {
    return Array.from({ length: last - first + 1 }, (_, n) => `line ${first + n}`)
  }
}

/** As sets: order is not what is asked. */
export function sorted(lines: readonly string[]): string[] {
  return lines.toSorted()
}
