import { sleep, systemClock } from '../src/base/clock.ts'
import { Run } from './files-run.ts'
import type { Layout } from './files-tree.ts'
import { cpuOf, memoryOf } from '../src/bench/machine/procfs.ts'

const mib = 1024 * 1024

export interface IdleResult {
  readonly files: number
  /** Of one core. */
  readonly cpuShare: number
  readonly baseCpuShare: number
  readonly anonymousBytes: number
  readonly baseAnonymousBytes: number
  readonly bytesPerFile: number
  /** What the kernel holds for each, its descriptor above all; undefined where nobody can tell. */
  readonly kernelBytesPerFile: number | undefined
}

interface Use {
  readonly cpuShare: number
  readonly anonymousBytes: number
  readonly kernelBytes: number
}

/** Beside an agent with so many files: with them it has run the same code, so that the rest is what files take. */
export const baseFiles = 200

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
    const [base, many] = runs.map((run, n) => {
      const { userUs, systemUs } = cpuOf(run.child.pid!)
      const cpuUs = userUs + systemUs - before[n]!.userUs - before[n]!.systemUs
      const { anonymousBytes } = memoryOf(run.child.pid!)
      return { cpuShare: cpuUs / 1000 / tookMs, anonymousBytes, kernelBytes: run.kernelBytes ?? NaN }
    }) as [Use, Use]
    const kernelBytes = (many.kernelBytes - base.kernelBytes) / layout.files
    return {
      files: layout.files,
      cpuShare: many.cpuShare,
      baseCpuShare: base.cpuShare,
      anonymousBytes: many.anonymousBytes,
      baseAnonymousBytes: base.anonymousBytes,
      bytesPerFile: (many.anonymousBytes - base.anonymousBytes) / layout.files,
      kernelBytesPerFile: Number.isNaN(kernelBytes) ? undefined : kernelBytes,
    }
  } finally {
    for (const run of runs) await run.stop()
  }
}
