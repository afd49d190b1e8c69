import { existsSync } from 'node:fs'
import { RemoraError } from '../base/errors.ts'
import { memoryLimit } from '../base/memory.ts'
import { explainPlan, planFor } from '../commands/plan.ts'
import type { Settings } from '../config/types.ts'
import type { MemoryFacts } from './memory-findings.ts'

export function memoryFactsOf(settings: Settings): MemoryFacts {
  return {
    machine: memoryLimit(),
    cgroupVersion: cgroupVersion(),
    settingBytes: settings.memoryLimitBytes,
    plan: planOrReason(settings),
  }
}

function planOrReason(settings: Settings): string | RemoraError {
  try {
    return explainPlan(planFor(settings))
  } catch (error) {
    if (error instanceof RemoraError) return error
    throw error
  }
}

/** Source: kernel documentation, admin-guide/cgroup-v2.rst: every v2 group has `cgroup.controllers`. */
function cgroupVersion(): 1 | 2 | undefined {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return 2
  return existsSync('/sys/fs/cgroup/memory') ? 1 : undefined
}
