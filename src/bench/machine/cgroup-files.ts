import { join } from 'node:path'
import { type CgroupFiles, field, oomKillsOf, usedBytesOf } from '../../base/cgroup.ts'
import type { Cpu } from './procfs.ts'

/** What the files of a cgroup say, and what is written into them; v2 and v1. */
export type CgroupVersion = 1 | 2

export const root = '/sys/fs/cgroup'
const cpuPeriodUs = 100_000

export interface CgroupLimits {
  /** Swap is not allowed on top where the kernel lets it be limited. */
  readonly memoryBytes: number
  /** Of one CPU's time, so 0.5 is half a CPU; no limit when undefined. */
  readonly cpus?: number
}

/** What the processes in the group hold now, page cache left out: the kernel takes that back when it needs it. */
export interface CgroupSample {
  readonly anonBytes: number
  /** Kernel and socket memory on their account. */
  readonly kernelBytes: number
  /** Both, and what lies in memory file systems: as the agent itself counts it. */
  readonly usedBytes: number
  /** Processes that the kernel killed because of this limit. */
  readonly oomKills: number
}

export interface Plan {
  readonly folders: readonly string[]
  readonly memoryFolder: string
  readonly writes: readonly Write[]
}

interface Write {
  readonly path: string
  readonly value: string
  /** Left out where the kernel has no such file. */
  readonly optional: boolean
}

/** Sources: Linux kernel documentation, `admin-guide/cgroup-v2.rst`, `cgroup-v1/memory.rst` and `sched-bwc.rst`. */
export function planOf(version: CgroupVersion, name: string, limits: CgroupLimits): Plan {
  return version === 2
    ? planV2(join(root, name), limits)
    : planV1(join(root, 'memory', name), join(root, 'cpu', name), limits)
}

function planV2(folder: string, { memoryBytes, cpus }: CgroupLimits): Plan {
  const writes = [write(folder, 'memory.max', memoryBytes), write(folder, 'memory.swap.max', 0, true)]
  if (cpus !== undefined) writes.push(write(folder, 'cpu.max', `${quotaUs(cpus)} ${cpuPeriodUs}`))
  return { folders: [folder], memoryFolder: folder, writes }
}

function planV1(memoryFolder: string, cpuFolder: string, { memoryBytes, cpus }: CgroupLimits): Plan {
  const writes = [
    write(memoryFolder, 'memory.limit_in_bytes', memoryBytes),
    write(memoryFolder, 'memory.memsw.limit_in_bytes', memoryBytes, true),
  ]
  if (cpus !== undefined) {
    writes.push(write(cpuFolder, 'cpu.cfs_period_us', cpuPeriodUs), write(cpuFolder, 'cpu.cfs_quota_us', quotaUs(cpus)))
  }
  return { folders: [memoryFolder, cpuFolder], memoryFolder, writes }
}

/** Whether the machine has swap, into which memory beyond a limit may go. Source: proc(5): a heading, then a line each. */
export function hasSwap(files: CgroupFiles): boolean {
  return (files.read('/proc/swaps') ?? '').trim().split('\n').length > 1
}

/** What limits swap is optional in a plan, and alone so: the kernel may be built, or started, without counting it. */
export function limitsSwap({ writes }: Plan, exists: (path: string) => boolean): boolean {
  return writes.some(({ path, optional }) => optional && exists(path))
}

function write(folder: string, file: string, value: string | number, optional = false): Write {
  return { path: join(folder, file), value: String(value), optional }
}

function quotaUs(cpus: number): number {
  return Math.round(cpus * cpuPeriodUs)
}

/** @param read the text of a file of the memory group  @throws what `read` throws for `memory.stat`: the group is gone */
export function sampleOf(version: CgroupVersion, read: (name: string) => string): CgroupSample {
  const stat = read('memory.stat')
  const files = filesBy((name) => (name === 'memory.stat' ? stat : read(name)))
  const [anonBytes, sharedBytes] = version === 2 ? both(stat, 'anon', 'shmem') : both(stat, 'total_rss', 'total_shmem')
  const usedBytes = usedBytesOf(files, version, '')
  return {
    anonBytes,
    kernelBytes: usedBytes - anonBytes - sharedBytes,
    usedBytes,
    oomKills: oomKillsOf(files, version, ''),
  }
}

/** A kernel may be built without some of them. */
function filesBy(read: (name: string) => string): CgroupFiles {
  return {
    read(path) {
      try {
        return read(path.slice(1))
      } catch {
        return undefined
      }
    },
  }
}

function both(stat: string, one: string, other: string): [number, number] {
  return [field(stat, one), field(stat, other)]
}

/**
 * @param read the text of a file of the group that counts CPU time
 * Sources: Linux kernel documentation, `admin-guide/cgroup-v2.rst` (cpu.stat) and `cgroup-v1/cpuacct.rst`.
 */
export function groupCpuOf(version: CgroupVersion, read: (name: string) => string): Cpu | undefined {
  try {
    if (version === 2) {
      const stat = read('cpu.stat')
      return { userUs: field(stat, 'user_usec'), systemUs: field(stat, 'system_usec') }
    }
    // The sum is exact; its parts are made of the kernel's ticks.
    const [sum, user, system] = ['usage', 'usage_user', 'usage_sys'].map(
      (name) => Number(read(`cpuacct.${name}`)) / 1_000,
    )
    const userUs = user === 0 ? 0 : (sum! * user!) / (user! + system!)
    return { userUs, systemUs: sum! - userUs }
  } catch {
    return undefined
  }
}

/** @param read the text of a file of the group with the quota */
export function throttledMsOf(version: CgroupVersion, read: (name: string) => string): number {
  const stat = read('cpu.stat')
  return version === 2 ? field(stat, 'throttled_usec') / 1e3 : field(stat, 'throttled_time') / 1e6
}
