import type { Load } from '../../src/base/load.ts'
import type { Memory } from '../../src/agent/memory.ts'
import { AgentWorld } from '../agent/world.ts'
import type { HarnessOptions } from '../kit/agent.ts'
import type { DiskHooks } from '../kit/agent-files.ts'
import { intervalMs, Recording } from './recording.ts'

const mib = 2 ** 20
const limitBytes = 64 * mib

/** What the kernel says of the container's memory. */
export class Kernel implements Memory {
  usedBytes = 30 * mib
  ooms = 0
  stalledMs = 0

  sample() {
    const { usedBytes, ooms, stalledMs } = this
    return {
      limit: { bytes: limitBytes, origin: 'test' },
      usedBytes,
      roomBytes: limitBytes - usedBytes,
      ooms,
      stalledMs,
    }
  }

  collect() {
    return true
  }

  heapBytes() {
    return 0
  }

  plan(): never {
    throw new Error('the limit stays as it is')
  }

  leastPlan(): never {
    throw new Error('the limit stays as it is')
  }
}

interface PodOptions {
  readonly settings?: Partial<HarnessOptions['settings']>
  readonly more?: Partial<HarnessOptions>
  readonly hooks?: DiskHooks
}

/** An agent with an application that logs now and then, and the Prometheus that scrapes it; all time is virtual. */
export class Pod {
  readonly memory = new Kernel()
  readonly world: AgentWorld
  readonly seen: Recording
  /** Where the time of the process goes; undefined: nobody says. */
  load: Load | undefined

  constructor({ settings = {}, more = {}, hooks = {} }: PodOptions = {}) {
    const load = () => this.load ?? { idleMs: this.world.clock.nowMs, cpuMs: 0, throttle: undefined }
    this.world = new AgentWorld(settings, { memory: this.memory, load, ...more }, hooks)
    this.seen = new Recording(this.world.agent)
  }

  get server() {
    return this.world.agent.server
  }

  get nowMs(): number {
    return this.world.clock.nowMs
  }

  /** Time passes, and it is scraped. @param meanwhile  before each scrape */
  async minutes(count: number, meanwhile: () => void = () => {}): Promise<void> {
    for (let left = count * 60_000; left > 0; left -= intervalMs) {
      meanwhile()
      await this.world.agent.advance(intervalMs)
      await this.seen.scrape()
    }
  }

  /** Time passes, and nobody scrapes. */
  async unseenMinutes(count: number): Promise<void> {
    for (let left = count * 60_000; left > 0; left -= intervalMs) {
      await this.world.agent.advance(intervalMs)
      this.seen.miss()
    }
  }

  /** More than the slots hold. */
  flood(path = '/logs/app.log'): void {
    this.world.write(path, 40_000)
  }

  log(): void {
    this.world.write('/logs/app.log', 3)
  }
}

/** One that has run well for a quarter of an hour, without any alert. */
export async function healthyPod(options: PodOptions = {}): Promise<Pod> {
  const pod = new Pod(options)
  await pod.world.agent.start()
  await pod.minutes(15, () => pod.log())
  pod.seen.expect()
  return pod
}

/**
 * For each alert its cause, made with the real agent, and the alerts that fire then: this one, and those that the same cause
 * has as well. None of them fires while all is well.
 */
export type Causes = Readonly<Record<string, () => Promise<Pod>>>
