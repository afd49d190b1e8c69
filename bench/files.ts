import { spawn, type ChildProcess } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { sleep, systemClock } from '../src/base/clock.ts'
import { mibText } from '../src/queue/plan.ts'
import { cgroupsAvailable, spawnInCgroup, type CgroupProcess } from '../src/bench/machine/cgroup.ts'
import { cleanEnv, endOf, onExit } from '../src/bench/machine/process.ts'
import { cpuOf, memoryOf } from '../src/bench/machine/procfs.ts'
import { Sink } from './sink.ts'

/**
 * Many files: what idle ones cost, and whether active ones among them are shipped in time and none behind the others.
 * The server is the strict null sink, in this process, which also plays the application.
 */

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const mib = 1024 * 1024
const sampleMs = 100
const arriveMsMax = 300_000

/** How files lie: so many in all, spread evenly over directories that are so deep. */
export interface Layout {
  readonly files: number
  readonly directories: number
  readonly depth: number
  /** Files that no glob matches, in the first directory. */
  readonly unmatched: number
}

/** Each file's messages begin with its number. */
const lineOf = (file: number, count: number) => `${file} ${count} 2026-01-01T00:00:00Z the words of line ${count}\n`

class Tree {
  readonly root: string
  readonly paths: string[] = []
  readonly #counts: number[]
  lines = 0

  constructor(root: string, { files, directories, depth, unmatched }: Layout) {
    this.root = root
    const places = Array.from({ length: Math.max(1, directories) }, (_, n) => {
      const place = join(
        root,
        ...Array.from({ length: depth }, (_step, level) => `d${level === depth - 1 ? n : n % 10}`),
      )
      mkdirSync(place, { recursive: true })
      return place
    })
    for (let file = 0; file < files; file++) this.paths.push(join(places[file % places.length]!, `app-${file}.log`))
    for (let n = 0; n < unmatched; n++) writeFileSync(join(places[0]!, `${n}-of-a-crowd.dat`), '')
    this.#counts = this.paths.map(() => 0)
    mkdirSync(root, { recursive: true })
    for (const [file] of this.paths.entries()) this.write(file, 1)
  }

  write(file: number, lines: number): void {
    let text = ''
    for (let n = 0; n < lines; n++) text += lineOf(file, this.#counts[file]!++)
    this.lines += lines
    appendFileSync(this.paths[file]!, text)
  }
}

/** Lines that arrived, and for each file when the last one did. */
class Arrivals {
  readonly counts: number[]
  readonly atMs: number[]
  /** Called with the file and the time of arrival. */
  note: (file: number, count: number, atMs: number) => void = () => {}
  readonly sink: Sink
  readonly #open: (settled: void) => void
  readonly listening: Promise<void>

  constructor(files: number) {
    this.counts = Array.from({ length: files }, () => 0)
    this.atMs = Array.from({ length: files }, () => 0)
    this.sink = new Sink(true, (message) => {
      const [file, count] = message.split(' ', 2).map(Number) as [number, number]
      const nowMs = performance.now()
      this.counts[file]!++
      this.atMs[file] = nowMs
      this.note(file, count, nowMs)
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.listening = promise
    this.#open = resolve
    this.sink.server.listen(0, '127.0.0.1', () => this.#open())
  }

  get port(): number {
    return (this.sink.server.address() as AddressInfo).port
  }

  /** False when it takes too long. */
  async reach(lines: number, child: ChildProcess): Promise<boolean> {
    const untilMs = performance.now() + arriveMsMax
    while (this.sink.totals().documents < lines) {
      if (performance.now() > untilMs || child.exitCode !== null || child.signalCode !== null) return false
      await sleep(systemClock, 20)
    }
    return true
  }

  close(): void {
    this.sink.server.close()
    this.sink.server.unref()
  }
}

/** One agent over one tree. */
class Run {
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

export interface IdleResult {
  readonly files: number
  /** Of one core. */
  readonly cpuShare: number
  readonly baseCpuShare: number
  readonly anonymousBytes: number
  readonly baseAnonymousBytes: number
  readonly bytesPerFile: number
}

/** Beside an agent with so many files: with them it has run the same code, so that the rest is what files take. */
const baseFiles = 200

/** What files cost that nobody writes: beside an agent with fewer of them, in the same seconds. */
export async function measureIdle(layout: Layout, seconds: number, memoryBytes = 96 * mib): Promise<IdleResult> {
  const runs: Run[] = []
  try {
    for (const files of [baseFiles, baseFiles + layout.files]) {
      const run = await Run.start({ ...layout, files }, memoryBytes)
      runs.push(run)
      if (!(await run.arrivals.reach(run.tree.lines, run.child)))
        throw new Error(`not all lines arrived: ${run.output.slice(-2000)}`)
    }
    // Until every directory is left to its watch, and the checkpoint is written.
    await sleep(systemClock, 6_000)
    const before = runs.map(({ child }) => cpuOf(child.pid!))
    const fromMs = performance.now()
    await sleep(systemClock, seconds * 1000)
    const tookMs = performance.now() - fromMs
    const [base, many] = runs.map(({ child }, n) => {
      const { userUs, systemUs } = cpuOf(child.pid!)
      const cpuUs = userUs + systemUs - before[n]!.userUs - before[n]!.systemUs
      return { cpuShare: cpuUs / 1000 / tookMs, anonymousBytes: memoryOf(child.pid!).anonymousBytes }
    }) as [{ cpuShare: number; anonymousBytes: number }, { cpuShare: number; anonymousBytes: number }]
    return {
      files: layout.files,
      cpuShare: many.cpuShare,
      baseCpuShare: base.cpuShare,
      anonymousBytes: many.anonymousBytes,
      baseAnonymousBytes: base.anonymousBytes,
      bytesPerFile: (many.anonymousBytes - base.anonymousBytes) / layout.files,
    }
  } finally {
    for (const run of runs) await run.stop()
  }
}

export interface ActiveResult {
  readonly lines: number
  readonly arrived: number
  readonly duplicates: number
  readonly oomKills: number
  readonly limited: boolean
  readonly peakBytes: number
  /** From the start of the process to the first document, and to the first of each file. */
  readonly firstMs: number
  readonly allMs: number
  /** A line now and then in each active file: from write to arrival, the mean of each file. */
  readonly trickle: Spread
  /** All active files written at once: until a file's last line has arrived. */
  readonly burst: Spread
  readonly cpuShare: number
  readonly exit: string
}

export interface Spread {
  readonly medianMs: number
  readonly slowestMs: number
  readonly ratio: number
}

function spreadOf(times: readonly number[]): Spread {
  const ordered = times.toSorted((a, b) => a - b)
  const medianMs = ordered[Math.floor(ordered.length / 2)] ?? 0
  const slowestMs = ordered.at(-1) ?? 0
  return { medianMs, slowestMs, ratio: slowestMs / medianMs }
}

export interface ActiveOptions {
  readonly layout: Layout
  readonly active: number
  readonly seconds: number
  /** Lines of one file at once, in the burst. */
  readonly burstLines: number
  readonly memoryBytes: number
  readonly env?: Record<string, string>
}

export async function measureActive(options: ActiveOptions): Promise<ActiveResult> {
  const { layout, active, seconds, burstLines, memoryBytes } = options
  const startMs = performance.now()
  const run = await Run.start(layout, memoryBytes, options.env)
  const spawnedMs = performance.now()
  const { tree, arrivals } = run
  // Spread over all directories, and none of the first ones found.
  const files = Array.from({ length: active }, (_, n) => Math.floor((n * layout.files) / active))
  let firstMs = 0
  arrivals.note = (_file, _count, atMs) => void (firstMs ||= atMs - spawnedMs)
  try {
    if (!(await run.during(arrivals.reach(tree.lines, run.child))))
      throw new Error(
        `after ${performance.now() - startMs} ms ${arrivals.sink.totals().documents} of ${tree.lines}: ${run.output.slice(-2000)}`,
      )
    const allMs = performance.now() - spawnedMs
    const before = cpuOf(run.child.pid!)
    const fromMs = performance.now()
    const trickle = await run.during(trickleInto(run, files, seconds))
    run.mustLive()
    const { userUs, systemUs } = cpuOf(run.child.pid!)
    const cpuShare = (userUs + systemUs - before.userUs - before.systemUs) / 1000 / (performance.now() - fromMs)
    const burst = await run.during(burstInto(run, files, burstLines))
    const exit = await run.during(run.stop())
    const { documents, strict } = arrivals.sink.totals()
    return {
      lines: tree.lines,
      arrived: documents,
      duplicates: strict!.duplicates,
      oomKills: run.oomKills,
      limited: run.isLimited,
      peakBytes: run.peakBytes,
      firstMs,
      allMs,
      trickle,
      burst,
      cpuShare,
      exit,
    }
  } finally {
    if (run.child.exitCode === null && run.child.signalCode === null) await run.stop()
  }
}

/** A line a second for each file, in slices of 20 ms. */
async function trickleInto({ tree, arrivals, child }: Run, files: readonly number[], seconds: number): Promise<Spread> {
  const written = new Map<number, number>()
  const delays = new Map(files.map((file) => [file, { sumMs: 0, count: 0 }]))
  arrivals.note = (file, _count, atMs) => {
    const delay = delays.get(file)
    const writtenMs = written.get(file)
    if (delay === undefined || writtenMs === undefined) return
    delay.sumMs += atMs - writtenMs
    delay.count++
  }
  const startMs = performance.now()
  let next = 0
  const all = files.length * seconds
  while (next < all) {
    const due = Math.min(all, Math.ceil(((performance.now() - startMs) / 1000) * files.length))
    for (; next < due; next++) {
      const file = files[next % files.length]!
      written.set(file, performance.now())
      tree.write(file, 1)
    }
    await sleep(systemClock, 20)
  }
  await arrivals.reach(tree.lines, child)
  return spreadOf([...delays.values()].map(({ sumMs, count }) => sumMs / Math.max(1, count)))
}

async function burstInto({ tree, arrivals, child }: Run, files: readonly number[], lines: number): Promise<Spread> {
  arrivals.note = () => {}
  const startMs = performance.now()
  for (const [n, file] of files.entries()) {
    tree.write(file, lines)
    // What was sent meanwhile is taken.
    if (n % 50 === 49) await new Promise((resolve) => setImmediate(resolve))
  }
  await arrivals.reach(tree.lines, child)
  return spreadOf(files.map((file) => arrivals.atMs[file]! - startMs))
}

const layouts = {
  flat: { files: 10_000, directories: 1, depth: 1, unmatched: 0 },
  wide: { files: 10_000, directories: 100, depth: 2, unmatched: 0 },
  deep: { files: 10_000, directories: 1_000, depth: 8, unmatched: 0 },
} as const

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      idle: { type: 'boolean', default: false },
      active: { type: 'boolean', default: false },
      crowd: { type: 'boolean', default: false },
      layout: { type: 'string', default: '' },
      memory: { type: 'string', default: '96' },
      seconds: { type: 'string', default: '' },
      env: { type: 'string', multiple: true, default: [] },
    },
  })
  const every = !values.idle && !values.active && !values.crowd
  const memoryBytes = Number(values.memory) * mib
  const env = Object.fromEntries(values.env.map((each) => each.split('=', 2) as [string, string]))
  let good = true
  const say = (what: string, result: unknown, isGood: boolean) => {
    process.stdout.write(`${what}${isGood ? '' : '  (short of its row)'}\n${JSON.stringify(result, null, 2)}\n`)
    good &&= isGood
  }
  if (every || values.idle) {
    const seconds = Number(values.seconds || (values.short ? 20 : 60))
    const result = await measureIdle({ files: 1_000, directories: 10, depth: 2, unmatched: 0 }, seconds)
    say(
      `1,000 idle files: ${(result.cpuShare * 100).toFixed(2)} % of a core (${baseFiles} files: ${(result.baseCpuShare * 100).toFixed(2)} %), ${(result.bytesPerFile / 1024).toFixed(1)} KiB each`,
      result,
      result.cpuShare <= 0.005 && result.bytesPerFile <= 4096,
    )
  }
  const shapes = Object.entries(layouts).filter(([name]) =>
    values.layout === '' ? !values.short || name === 'wide' : name === values.layout,
  )
  for (const [name, layout] of every || values.active ? shapes : []) {
    const seconds = Number(values.seconds || (values.short ? 5 : 20))
    const result = await measureActive({ layout, active: 1_000, seconds, burstLines: 200, memoryBytes, env })
    const { trickle, burst } = result
    say(
      `${name}: 10,000 files, 1,000 active, ${values.memory} MiB: ${result.arrived} of ${result.lines} lines, ${result.duplicates} twice, peak ${mibText(result.peakBytes)}; ` +
        `first document after ${Math.round(result.firstMs)} ms, all files after ${Math.round(result.allMs)}; ` +
        `trickle ${trickle.medianMs.toFixed(0)} ms, slowest ${trickle.slowestMs.toFixed(0)} (${trickle.ratio.toFixed(1)}x), ${(result.cpuShare * 100).toFixed(0)} % of a core; ` +
        `burst ${burst.medianMs.toFixed(0)} ms, slowest ${burst.slowestMs.toFixed(0)} (${burst.ratio.toFixed(1)}x)`,
      result,
      isWhole(result) && trickle.ratio <= 3 && burst.ratio <= 3,
    )
  }
  if (every || values.crowd) {
    const layout = { files: 100, directories: 1, depth: 1, unmatched: 20_000 }
    const result = await measureActive({ layout, active: 100, seconds: 5, burstLines: 200, memoryBytes: 64 * mib })
    say(`a crowd of 20,000 unmatched files at 64 MiB: peak ${mibText(result.peakBytes)}`, result, isWhole(result))
  }
  process.exitCode = good ? 0 : 1
}

function isWhole({ arrived, lines, duplicates, oomKills, exit }: ActiveResult): boolean {
  return arrived === lines && duplicates === 0 && oomKills === 0 && exit === 'code 0'
}
