import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sleep, systemClock } from '../src/base/clock.ts'
import { type CgroupProcess, cgroupsAvailable, spawnInCgroup } from '../src/bench/machine/cgroup.ts'
import { cleanEnv, endOf, freePort, onExit } from '../src/bench/machine/process.ts'
import { cpuOf, memoryOf } from '../src/bench/machine/procfs.ts'

export interface LivingPlan {
  /** `REMORA_…` variables: the only ones it gets, beside the port of its metrics. */
  readonly env: Readonly<Record<string, string>>
  /** What it says is appended to this file. */
  readonly outputPath: string
  /** In a cgroup of its own where this machine lets one be made; else without any limit. */
  readonly memoryBytes?: number
  readonly cpus?: number
  /** Another entry than this checkout's, for a comparison. */
  readonly main?: string
}

/** Bytes held at one moment, page cache left out; without a cgroup the kernel's part is not known. */
export interface Held {
  readonly anonBytes: number
  readonly usedBytes: number
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const scrapeMsMax = 20_000
const startMsMax = 30_000
const endMsMax = 60_000

/** An agent that is watched while it lives, where `runAgent` is about one that ships a file and ends. */
export class LivingAgent {
  readonly child: ChildProcess
  /** Whether the limits hold. */
  readonly limited: boolean
  readonly #group: CgroupProcess | undefined
  readonly #adminPort: number
  readonly #outputPath: string
  readonly #undo: () => void
  /** Processes of the group that the kernel has killed for lack of memory, as of the last look. */
  oomKills = 0
  #cpuUs = 0

  private constructor(plan: LivingPlan, adminPort: number) {
    const { memoryBytes, cpus, env, outputPath } = plan
    const output = openSync(outputPath, 'a')
    const options: SpawnOptions = {
      stdio: ['ignore', output, output],
      env: cleanEnv({ REMORA_ADMIN_PORT: String(adminPort), ...env }),
    }
    this.limited = memoryBytes !== undefined && cgroupsAvailable().available
    const args = [plan.main ?? main, 'run']
    const limits = cpus === undefined ? { memoryBytes: memoryBytes! } : { memoryBytes: memoryBytes!, cpus }
    this.#group = this.limited ? spawnInCgroup(limits, process.execPath, args, options) : undefined
    this.child = this.#group?.child ?? spawn(process.execPath, args, options)
    closeSync(output)
    this.#adminPort = adminPort
    this.#outputPath = outputPath
    this.#undo = onExit(() => this.child.kill('SIGKILL'))
  }

  static async start(plan: LivingPlan): Promise<LivingAgent> {
    return new LivingAgent(plan, await freePort())
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Undefined when it has ended; then `oomKills` tells whether the kernel ended it. */
  held(): Held | undefined {
    try {
      if (this.#group === undefined) {
        const { anonymousBytes } = memoryOf(this.child.pid!)
        return { anonBytes: anonymousBytes, usedBytes: anonymousBytes }
      }
      const { anonBytes, usedBytes, oomKills } = this.#group.sample()
      this.oomKills = oomKills
      if (!this.alive) return undefined
      return { anonBytes, usedBytes }
    } catch (error) {
      // It has ended between the two looks.
      if (!this.alive) return undefined
      throw error
    }
  }

  /** User and system time so far; what it was at the last look when it has ended. */
  cpuUs(): number {
    try {
      const { userUs, systemUs } = cpuOf(this.child.pid!)
      this.#cpuUs = userUs + systemUs
    } catch {
      // It has just ended, which the next look at its memory tells.
    }
    return this.#cpuUs
  }

  /** False: not now, see `CgroupProcess`. */
  limitMemory(bytes: number): boolean {
    if (this.#group === undefined) throw new Error('it is in no cgroup')
    return this.#group.limitMemory(bytes)
  }

  /** Waits until it answers probes. @throws Error when it has ended, or says nothing for too long */
  async answers(): Promise<void> {
    const untilMs = performance.now() + startMsMax
    for (;;) {
      try {
        await fetch(`http://127.0.0.1:${this.#adminPort}/livez`, { signal: AbortSignal.timeout(scrapeMsMax) })
        return
      } catch (error) {
        if (!this.alive || performance.now() > untilMs) throw new Error(this.lastWords(), { cause: error })
      }
      await sleep(systemClock, 50)
    }
  }

  /** Its metrics without labels, by name. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const signal = AbortSignal.timeout(scrapeMsMax)
    const answer = await fetch(`http://127.0.0.1:${this.#adminPort}/metrics`, { signal })
    const found = new Map<string, number>()
    for (const line of (await answer.text()).split('\n')) {
      const row = /^([a-z_]+) (\S+)$/.exec(line)
      if (row !== null) found.set(row[1]!, Number(row[2]))
    }
    return found
  }

  /** Sends the signal, waits, and takes the cgroup away. @returns how it ended, as `endOf` says it */
  async end(signal: NodeJS.Signals): Promise<string> {
    this.held()
    this.child.kill(signal)
    const ended = await endOf(this.child, endMsMax)
    this.#undo()
    await this.#group?.cleanup()
    return ended
  }

  /** The last of what it has said. */
  lastWords(): string {
    return readFileSync(this.#outputPath, 'utf8').trim().slice(-1_500)
  }
}
