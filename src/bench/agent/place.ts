import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import os from 'node:os'
import { type CgroupFiles, memoryCgroup, oomKillsOf, systemCgroupFiles } from '../../base/cgroup.ts'
import { LoadReader } from '../../base/load.ts'
import { MemoryGauge } from '../../base/memory.ts'
import { ContainerPlace, type Directories } from '../container/place.ts'
import { cgroupsAvailable, cgroupVersion, isSwapFree, makeCgroup } from '../machine/cgroup.ts'
import { guardOf } from '../../base/guard.ts'
import { type Cpu, cpuOf, memoryOf } from '../machine/procfs.ts'
import { ownLimits, type Ability } from '../limits/choose.ts'
import type { Enforcement, Limits } from '../types.ts'
import { nothingUsed as nothing, type Use } from './use.ts'

/** Where an agent runs and is limited. It may be started in it again after it has ended. */
export interface Place {
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess
  /** Resolves when it can be seen and its limits hold, or when it has ended. @throws RemoraError */
  settled(): Promise<void>
  signal(child: ChildProcess, signal: NodeJS.Signals): void
  /** Ends it when the bench is gone, for whatever reason. @returns what ends the guard */
  guard(child: ChildProcess): () => void
  /** Of all that ever ran in it; what cannot be read just now is as it was at the look before. */
  use(): Use
  /** Ends what is left in it. */
  close(): Promise<void>
}

/** What is a process of the bench's own is signalled, and guarded, as one. */
const asProcess: Pick<Place, 'settled' | 'signal' | 'guard'> = {
  settled: () => Promise.resolve(),
  signal: (child, signal) => void child.kill(signal),
  guard: (child) => guardOf(child.pid),
}

/** So much that the kernel and the agent both take it for none. */
const noLimitBytes = 2 ** 60

/** What this machine can do about limits. */
export function abilityHere(): Ability {
  const able = cgroupsAvailable()
  return {
    cgroups: able.available ? { available: true, version: cgroupVersion(), isSwapFree: isSwapFree() } : able,
    own: ownLimits(),
    ownVersion: cgroupVersion(),
  }
}

/** @param directories  what of the machine's files the agent must see */
export function placeFor(enforcement: Enforcement, limits: Limits, directories: Directories): Place {
  if (enforcement.kind === 'cgroup') return groupPlace(limits)
  if (enforcement.kind === 'container') {
    const { engine, isRootless } = enforcement
    return new ContainerPlace({ name: engine, isRootless }, limits, directories)
  }
  return enforcement.kind === 'own' ? sharedPlace() : barePlace(() => nothing)
}

function groupPlace({ cpus, memoryBytes = noLimitBytes }: Limits): Place {
  const group = makeCgroup(cpus === undefined ? { memoryBytes } : { memoryBytes, cpus })
  const processes = new Processes()
  let last = nothing
  return {
    ...asProcess,
    spawn: (command, args, options) => processes.add(group.spawn(command, args, options)),
    use() {
      try {
        const { usedBytes, oomKills } = group.sample()
        last = { usedBytes, oomKills, cpu: group.cpu() ?? processes.cpu(), throttledMs: group.throttledMs() }
      } catch {
        // The group is gone: what was seen last stands.
      }
      return last
    },
    close: () => group.cleanup(),
  }
}

/**
 * The bench's own group: its memory and its throttled time are those of all that is in it, the agent's CPU is its own. Where
 * only its CPU is limited the gauge looks at this process alone, so the agent's memory is that of its own process.
 */
export function sharedPlace(files: CgroupFiles = systemCgroupFiles): Place {
  const gauge = new MemoryGauge(undefined, files)
  const load = new LoadReader(files)
  const group = memoryCgroup(files)
  const killed = () => (group === undefined ? 0 : oomKillsOf(files, group.version, group.paths[0]!))
  const killedBefore = killed()
  return barePlace(() => {
    const { usedBytes, limit } = gauge.sample()
    return {
      ...nothing,
      usedBytes: limit.bytes < os.totalmem() ? usedBytes : 0,
      oomKills: killed() - killedBefore,
      throttledMs: load.read().throttle?.throttledMs ?? 0,
    }
  })
}

/** Without a group: CPU by process, and where nobody counts memory the process's own anonymous memory. */
function barePlace(around: () => Use): Place {
  const processes = new Processes()
  return {
    ...asProcess,
    spawn: (command, args, options) => processes.add(spawn(command, args, options)),
    use() {
      const shared = around()
      return { ...shared, usedBytes: shared.usedBytes || processes.anonymousBytes(), cpu: processes.cpu() }
    },
    close() {
      processes.kill()
      return Promise.resolve()
    },
  }
}

/** One after the other; the CPU of those that have ended is as it was when it was looked at last. */
class Processes {
  #before: Cpu = { userUs: 0, systemUs: 0 }
  #now: Cpu = { userUs: 0, systemUs: 0 }
  #child: ChildProcess | undefined

  add(child: ChildProcess): ChildProcess {
    this.#before = this.cpu()
    this.#now = { userUs: 0, systemUs: 0 }
    this.#child = child
    return child
  }

  cpu(): Cpu {
    try {
      const { userUs, systemUs } = cpuOf(this.#child?.pid ?? -1)
      // A process that has ended and not been waited for says 0.
      if (userUs + systemUs > this.#now.userUs + this.#now.systemUs) this.#now = { userUs, systemUs }
    } catch {
      // It has ended.
    }
    return { userUs: this.#before.userUs + this.#now.userUs, systemUs: this.#before.systemUs + this.#now.systemUs }
  }

  anonymousBytes(): number {
    try {
      return memoryOf(this.#child?.pid ?? -1).anonymousBytes
    } catch {
      return 0
    }
  }

  kill(): void {
    this.#child?.kill('SIGKILL')
  }
}
