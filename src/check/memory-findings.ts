import { RemoraError } from '../base/errors.ts'
import type { MemoryLimit } from '../base/memory.ts'
import { mibText } from '../queue/plan.ts'
import { misconfigured, ok, warning, type Finding } from './finding.ts'

export interface MemoryFacts {
  /** The container's limit, or the machine's memory where there is none. */
  readonly machine: MemoryLimit
  /** Of the machine; undefined where there are no cgroups. */
  readonly cgroupVersion: 1 | 2 | undefined
  /** REMORA_MEMORY_LIMIT */
  readonly settingBytes: number | undefined
  /** The plan in words, or why there is none. */
  readonly plan: string | RemoraError
}

const limited = (origin: string) => origin.startsWith('cgroup')

export function memoryFindings(facts: MemoryFacts): Finding[] {
  const { plan } = facts
  if (plan instanceof RemoraError) return [misconfigured(plan.message, plan.wayOut)]
  return [ok(plan), ...limitFindings(facts)]
}

function limitFindings({ machine, cgroupVersion, settingBytes }: MemoryFacts): Finding[] {
  const version = cgroupVersion === undefined ? 'no cgroups here' : `cgroup v${cgroupVersion}`
  if (limited(machine.origin)) {
    if (settingBytes === undefined || settingBytes < machine.bytes) return []
    return [
      warning(
        `REMORA_MEMORY_LIMIT (${mibText(settingBytes)}) is not less than the container's limit (${mibText(machine.bytes)}), which counts`,
        "Remove REMORA_MEMORY_LIMIT: the container's limit is found without it",
      ),
    ]
  }
  if (settingBytes !== undefined && settingBytes < machine.bytes) {
    return [ok(`the container itself has no memory limit (${version}): nothing but Remora keeps this one`)]
  }
  return [
    warning(
      `no memory limit is set (${version}): planned with the machine's ${mibText(machine.bytes)}`,
      'Set resources.limits.memory of the container (64Mi is enough for full speed), or REMORA_MEMORY_LIMIT',
    ),
  ]
}
