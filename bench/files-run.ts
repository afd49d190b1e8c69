import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sleep, systemClock } from '../src/base/clock.ts'
import { cgroupsAvailable, spawnInCgroup, type CgroupProcess } from '../src/bench/machine/cgroup.ts'
import { Arrivals } from './files-arrivals.ts'
import { Tree, type Layout } from './files-tree.ts'
import { cleanEnv, endOf, onExit } from '../src/bench/machine/process.ts'
import { memoryOf } from '../src/bench/machine/procfs.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const sampleMs = 100

/** One agent over one tree. */
export class Run {
  readonly tree: Tree
  readonly arrivals: Arrivals
  readonly child: ChildProcess
  readonly #group: CgroupProcess | undefined
  readonly #directory: string
  readonly #undo: () => void
  peakBytes = 0
  oomKills = 0

  private constructor(
    directory: string,
    tree: Tree,
    arrivals: Arrivals,
    memoryBytes: number,
    env: Record<string, string>,
  ) {
    this.#directory = directory
    this.tree = tree
    this.arrivals = arrivals
    const output = openSync(join(directory, 'agent.out'), 'w')
    const options = {
      stdio: ['ignore', output, output] as ['ignore', number, number],
      env: cleanEnv({
        REMORA_PATHS: `${tree.root}/**/*.log`,
        REMORA_STATE_DIR: join(directory, 'state'),
        REMORA_ELASTICSEARCH_URL: `http://127.0.0.1:${arrivals.port}`,
        REMORA_POD_UID: 'many-files',
        REMORA_ADMIN_PORT: '0',
        ...env,
      }),
    }
    this.#group = cgroupsAvailable().available
      ? spawnInCgroup({ memoryBytes }, process.execPath, [main, 'run'], options)
      : undefined
    this.child = this.#group?.child ?? spawn(process.execPath, [main, 'run'], options)
    closeSync(output)
    this.#undo = onExit(() => {
      this.child.kill('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    })
  }

  static async start(layout: Layout, memoryBytes: number, env: Record<string, string> = {}): Promise<Run> {
    const directory = mkdtempSync(join(tmpdir(), 'remora-files-'))
    const arrivals = new Arrivals(layout.files)
    await arrivals.listening
    return new Run(directory, new Tree(join(directory, 'logs'), layout), arrivals, memoryBytes, env)
  }

  get isLimited(): boolean {
    return this.#group !== undefined
  }

  /** What the kernel holds for it: open files, watches, sockets. Undefined where there are no groups. */
  get kernelBytes(): number | undefined {
    return this.#group?.sample().kernelBytes
  }

  /** Anonymous and kernel memory of the group; of the process alone where there are no groups. */
  sample(): void {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    if (this.#group === undefined) {
      this.peakBytes = Math.max(this.peakBytes, memoryOf(this.child.pid!).anonymousBytes)
      return
    }
    const { usedBytes, oomKills } = this.#group.sample()
    this.peakBytes = Math.max(this.peakBytes, usedBytes)
    this.oomKills = oomKills
  }

  /** Samples memory meanwhile. */
  async during<T>(work: Promise<T>): Promise<T> {
    const watching = new AbortController()
    const watch = (async () => {
      while (!watching.signal.aborted) {
        this.sample()
        await sleep(systemClock, sampleMs, watching.signal)
      }
    })()
    try {
      return await work
    } finally {
      watching.abort()
      await watch
    }
  }

  /** @throws with the end of its output when the agent is gone */
  mustLive(): void {
    if (this.child.exitCode === null && this.child.signalCode === null) return
    throw new Error(
      `the agent has ended (${this.child.exitCode ?? this.child.signalCode}): ${this.output.slice(-3000)}`,
    )
  }

  get output(): string {
    return readFileSync(join(this.#directory, 'agent.out'), 'utf8')
  }

  /** @returns how it ended */
  async stop(): Promise<string> {
    this.child.kill('SIGTERM')
    const exit = await endOf(this.child, 30_000)
    if (exit !== 'code 0') process.stderr.write(`${this.output.slice(-4000)}\n`)
    this.arrivals.close()
    await this.#group?.cleanup()
    this.#undo()
    return exit
  }
}
