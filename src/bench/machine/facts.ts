import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { memoryLimit } from '../../base/memory.ts'
import { outputOf } from './process.ts'

export interface Machine {
  readonly processor: string
  readonly processors: number
  readonly memoryBytes: number
  /** The bench's own limit: the machine's memory, or its cgroup's. */
  readonly memoryLimit: { readonly bytes: number; readonly origin: string }
  readonly kernel: string
  readonly node: string
  /** Load average of the last minute when the bench began: what else was going on. */
  readonly loadBefore: number
}

export interface Commit {
  readonly hash: string
  /** Tracked files differ from it. */
  readonly isDirty: boolean
}

export function machineHere(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    memoryLimit: memoryLimit(),
    kernel: release(),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  }
}

/** Undefined where there is no git or no repository. */
export async function commitHere(): Promise<Commit | undefined> {
  const here = fileURLToPath(new URL('../../..', import.meta.url))
  try {
    const hash = await outputOf('git', ['-C', here, 'rev-parse', 'HEAD'], 10_000)
    const changes = await outputOf('git', ['-C', here, 'status', '--porcelain', '--untracked-files=no'], 10_000)
    return { hash: hash.trim(), isDirty: changes !== '' }
  } catch {
    return undefined
  }
}
