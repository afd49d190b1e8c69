import { sleep, systemClock } from '../src/base/clock.ts'
import { Run } from './files-run.ts'
import type { Layout } from './files-tree.ts'
import { cpuOf } from '../src/bench/machine/procfs.ts'

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
