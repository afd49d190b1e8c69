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
import { systemCgroupFiles } from '../../base/cgroup.ts'
import { codeOf, messageOf } from '../../base/errors.ts'
import {
  type CgroupLimits,
  type CgroupSample,
  type CgroupVersion,
  groupCpuOf,
  hasSwap,
  limitsSwap,
  planOf,
  root,
  sampleOf,
  throttledMsOf,
} from './cgroup-files.ts'
import { groupName, here, isAbandoned } from './cgroup-name.ts'
import { handDown } from './hand-down.ts'
import type { Cpu } from './procfs.ts'
import { onEnd, onExit } from './process.ts'

const emptyMaxMs = 10_000
/** When the bench ends nothing else can be done meanwhile. */
const emptyAtEndMaxMs = 1_000

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

/** Whether this process may make groups with memory and CPU limits. */
export function cgroupsAvailable(): { available: true } | { available: false; reason: string } {
  try {
    prepare(cgroupVersion())
    return { available: true }
  } catch (error) {
    return { available: false, reason: messageOf(error) }
  }
}

/** Whether memory beyond the limit of a group goes into swap: there is some, and the kernel does not count it for groups. */
export function isSwapFree(): boolean {
  if (!hasSwap(systemCgroupFiles)) return false
  const version = cgroupVersion()
  // Whether it does is to be seen in a group alone: v2's root has no such file.
  const plan = planOf(version, groupName(process.pid, here()), { memoryBytes: 2 ** 30 })
  try {
    mkdirSync(plan.memoryFolder)
    return !limitsSwap(plan, existsSync)
  } catch {
    // Nor can the agent's then, which says so better.
    return false
  } finally {
    removeAtOnce([plan.memoryFolder])
  }
}

/**
 * Makes a new cgroup, v2 or v1, whichever the machine has. Throws when groups cannot be made: ask `cgroupsAvailable` first.
 */
export function makeCgroup(limits: CgroupLimits): CgroupHandle {
  const version = cgroupVersion()
  prepare(version)
  removeAbandoned(version)
  const name = groupName(process.pid, here())
  const plan = planOf(version, name, limits)
  const counted = version === 1 ? accountFolderV1(name) : undefined
  const folders = counted === undefined ? plan.folders : [...plan.folders, counted]
  const forget = onEnd(() => removeAtOnce(folders))
  try {
    for (const folder of folders) mkdirSync(folder)
    for (const { path, value, optional } of plan.writes) {
      if (!optional || existsSync(path)) writeFileSync(path, value)
    }
  } catch (error) {
    removeAtOnce(folders)
    forget()
    throw error
  }
  const cpuFolder = plan.folders.at(-1)!
  return {
    version,
    spawn(command, args, options) {
      const [joiner = '', ...script] = existsSync(shell) ? joinByShell : joinByNode
      return spawn(joiner, [...script, ...folders, '--', command, ...args], options)
    },
    sample: () => sampleOf(version, readIn(plan.memoryFolder)),
    cpu: () => groupCpuOf(version, readIn(counted ?? cpuFolder)),
    throttledMs: () => throttledMsOf(version, readIn(cpuFolder)),
    limitMemory: (bytes) => limitMemory(version, plan.memoryFolder, bytes),
    async cleanup() {
      await removeFolders(folders)
      forget()
    },
  }
}

/** A shell joins the groups and then becomes the command, which so never runs outside of them. */
const shell = '/bin/sh'
const joinByShell = [
  shell,
  '-c',
  'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"',
  'join',
]
/** The image has none; Node does the same, for 30 ms of CPU more. Commands are paths there. */
export const joinByNode = [
  process.execPath,
  '-e',
  `const [, ...all] = process.argv, at = all.indexOf('--'), command = all.slice(at + 1)
for (const folder of all.slice(0, at)) require('fs').writeFileSync(folder + '/cgroup.procs', String(process.pid))
process.execve(command[0], command, process.env)`,
]

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

export function cgroupVersion(): CgroupVersion {
  return existsSync(join(root, 'cgroup.controllers')) ? 2 : 1
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

function prepare(version: CgroupVersion): void {
  if (process.platform !== 'linux') throw new Error('cgroups are a thing of Linux')
  const parents = version === 2 ? [root] : [join(root, 'memory'), join(root, 'cpu')]
  for (const parent of parents) accessSync(parent, constants.W_OK)
  // v2 gives a group the controllers that its parent hands down, which a parent with processes of its own may not do.
  if (version !== 2) return
  const back = handDown(root)
  if (back !== undefined) onExit(back)
}

/** Groups of a bench that was killed stay behind, perhaps with its children in them. */
function removeAbandoned(version: CgroupVersion): void {
  const at = here()
  for (const parent of version === 2 ? [root] : ['memory', 'cpu', 'cpuacct'].map((name) => join(root, name))) {
    if (!existsSync(parent)) continue
    for (const name of readdirSync(parent)) {
      if (!isAbandoned(name, at)) continue
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

/** As far as it goes: what is left then is for the next bench. */
function removeAtOnce(folders: readonly string[]): void {
  const deadlineMs = performance.now() + emptyAtEndMaxMs
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  for (const folder of folders) {
    while (existsSync(folder)) {
      try {
        killAll(folder)
        rmdirSync(folder)
      } catch {
        if (performance.now() > deadlineMs) return
        Atomics.wait(nobody, 0, 0, 5)
      }
    }
  }
}

function killAll(folder: string): void {
  for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n')) {
    // 0 is a process of another namespace, and as an argument of kill it means the caller's own group.
    if (Number(pid) > 0) process.kill(Number(pid), 'SIGKILL')
  }
}
