import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, messageOf } from '../../base/errors.ts'
import type { Cpu } from './procfs.ts'

const root = '/sys/fs/cgroup'
const prefix = 'remora-bench-'
const cpuPeriodUs = 100_000
const emptyMaxMs = 10_000

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
  /** Both together. */
  readonly usedBytes: number
  /** Processes that the kernel killed because of this limit. */
  readonly oomKills: number
}

/** A group that outlives its processes: an agent that is killed comes back into the same one. */
export interface CgroupHandle {
  readonly version: CgroupVersion
  /** The limits hold from the command's first instruction. */
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess
  sample(): CgroupSample
  /** Of all processes that were ever in it; undefined where the kernel does not count that here (v1 without cpuacct). */
  cpu(): Cpu | undefined
  /** Time for which its quota was used up while it would have run. */
  throttledMs(): number
  /**
   * Sets another memory limit while the group runs. False: the kernel cannot take back so much now (v1 only, where the
   * limit then stays; v2 takes any limit, and kills where nothing helps).
   */
  limitMemory(bytes: number): boolean
  /** Ends all processes of the group and removes it. */
  cleanup(): Promise<void>
}

export interface CgroupProcess extends CgroupHandle {
  readonly child: ChildProcess
}

export type CgroupVersion = 1 | 2

/** Whether this process may make groups with memory and CPU limits. */
export function cgroupsAvailable(): { available: true } | { available: false; reason: string } {
  try {
    prepare(cgroupVersion())
    return { available: true }
  } catch (error) {
    return { available: false, reason: messageOf(error) }
  }
}

/**
 * Makes a new cgroup, v2 or v1, whichever the machine has. Throws when groups cannot be made: ask `cgroupsAvailable` first.
 */
export function makeCgroup(limits: CgroupLimits): CgroupHandle {
  const version = cgroupVersion()
  prepare(version)
  removeAbandoned(version)
  const name = `${prefix}${process.pid}-${nextNumber++}`
  const plan = planOf(version, name, limits)
  const counted = version === 1 ? accountFolderV1(name) : undefined
  const folders = counted === undefined ? plan.folders : [...plan.folders, counted]
  for (const folder of folders) mkdirSync(folder)
  for (const { path, value, optional } of plan.writes) {
    if (!optional || existsSync(path)) writeFileSync(path, value)
  }
  const cpuFolder = plan.folders.at(-1)!
  return {
    version,
    spawn: (command, args, options) =>
      spawn('/bin/sh', ['-c', joinScript, 'join', ...folders, '--', command, ...args], options),
    sample: () => sampleOf(version, readIn(plan.memoryFolder)),
    cpu: () => groupCpuOf(version, readIn(counted ?? cpuFolder)),
    throttledMs: () => throttledMsOf(version, readIn(cpuFolder)),
    limitMemory: (bytes) => limitMemory(version, plan.memoryFolder, bytes),
    cleanup: () => removeFolders(folders),
  }
}

/** The shell joins the groups and then becomes the command, which so never runs outside of them. */
const joinScript = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"'

function readIn(folder: string): (name: string) => string {
  return (name) => readFileSync(join(folder, name), 'utf8')
}

/** Runs a command in a cgroup of its own. */
export function spawnInCgroup(
  limits: CgroupLimits,
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): CgroupProcess {
  const group = makeCgroup(limits)
  return { ...group, child: group.spawn(command, args, options) }
}

/** Where v1 counts CPU time: with the quota, or in a hierarchy of its own. */
function accountFolderV1(name: string): string | undefined {
  const parent = join(root, 'cpuacct')
  try {
    if (realpathSync(parent) === realpathSync(join(root, 'cpu'))) return undefined
    accessSync(parent, constants.W_OK)
    return join(parent, name)
  } catch {
    return undefined
  }
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
    const userUs = user! + system! === 0 ? sum! : (sum! * user!) / (user! + system!)
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

let nextNumber = 1

export function cgroupVersion(): CgroupVersion {
  return existsSync(join(root, 'cgroup.controllers')) ? 2 : 1
}

interface Plan {
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

/** v1 refuses a limit above that of memory and swap together: the one that makes room goes first. */
function limitMemory(version: CgroupVersion, folder: string, bytes: number): boolean {
  const files = version === 2 ? ['memory.max'] : ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes']
  const now = readFileSync(join(folder, files[0]!), 'utf8').trim()
  const grows = now !== 'max' && Number(now) < bytes
  try {
    for (const file of grows ? files.toReversed() : files) {
      if (existsSync(join(folder, file))) writeFileSync(join(folder, file), String(bytes))
    }
    return true
  } catch (error) {
    if (codeOf(error) !== 'EBUSY') throw error
    return false
  }
}

function write(folder: string, file: string, value: string | number, optional = false): Write {
  return { path: join(folder, file), value: String(value), optional }
}

function quotaUs(cpus: number): number {
  return Math.round(cpus * cpuPeriodUs)
}

/** @param read the text of a file of the memory group */
export function sampleOf(version: CgroupVersion, read: (name: string) => string): CgroupSample {
  const stat = read('memory.stat')
  const anonBytes = field(stat, version === 2 ? 'anon' : 'total_rss')
  const kernelBytes = version === 2 ? field(stat, 'kernel') + field(stat, 'sock') : kernelUseV1(read)
  const oomKills = field(read(version === 2 ? 'memory.events' : 'memory.oom_control'), 'oom_kill')
  return { anonBytes, kernelBytes, usedBytes: anonBytes + kernelBytes, oomKills }
}

/** A kernel may be built without the accounting of its own memory. */
function kernelUseV1(read: (name: string) => string): number {
  return ['memory.kmem.usage_in_bytes', 'memory.kmem.tcp.usage_in_bytes'].reduce((sum, name) => {
    try {
      return sum + Number(read(name))
    } catch {
      return sum
    }
  }, 0)
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
}

function prepare(version: CgroupVersion): void {
  if (process.platform !== 'linux') throw new Error('cgroups are a thing of Linux')
  // A process is put into its group by a shell: an image without one has none to do it.
  if (!existsSync('/bin/sh')) throw new Error('there is no /bin/sh to start a process in a group')
  const parents = version === 2 ? [root] : [join(root, 'memory'), join(root, 'cpu')]
  for (const parent of parents) accessSync(parent, constants.W_OK)
  // v2 gives a group the controllers that its parent hands down, which a parent with processes of its own may not do.
  if (version === 2) writeFileSync(join(root, 'cgroup.subtree_control'), '+memory +cpu')
}

/** Groups of a test process that was killed stay behind, perhaps with its children in them. */
function removeAbandoned(version: CgroupVersion): void {
  for (const parent of version === 2 ? [root] : ['memory', 'cpu', 'cpuacct'].map((name) => join(root, name))) {
    if (!existsSync(parent)) continue
    for (const name of readdirSync(parent)) {
      const owner = new RegExp(`^${prefix}(\\d+)-\\d+$`).exec(name)?.[1]
      if (owner === undefined || existsSync(`/proc/${owner}`)) continue
      void removeFolders([join(parent, name)]).catch(() => undefined)
    }
  }
}

async function removeFolders(folders: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + emptyMaxMs
  for (const folder of folders) {
    for (;;) {
      try {
        killAll(folder)
        rmdirSync(folder)
        break
      } catch (error) {
        if (!existsSync(folder)) break
        if (performance.now() > deadlineMs) throw error
      }
      await delay(20)
    }
  }
}

function killAll(folder: string): void {
  for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n')) {
    // 0 is a process of another namespace, and as an argument of kill it means the caller's own group.
    if (Number(pid) > 0) process.kill(Number(pid), 'SIGKILL')
  }
}
