/**
 * The memory plan of these settings on this machine. Apart from `run`, for `check` is run inside the agent's own
 * container and must not load 25 MiB of client in order to do a division.
 */
import { memoryLimit, type MemoryLimit } from '../base/memory.ts'
import { batchBytesFor } from '../config/relations.ts'
import type { Settings } from '../config/types.ts'
import { isEncrypted } from '../connect/access.ts'
import { leastPlan, mibText, planMemory, type MemoryPlan, type PlanFacts } from '../queue/plan.ts'

/** @throws RemoraError when the limit is too small */
export function planFor(settings: Settings, limit: MemoryLimit = limitFor(settings)): MemoryPlan {
  return planMemory(factsOf(settings, limit))
}

/** Whether it fits or not. */
export function leastPlanFor(settings: Settings, limit: MemoryLimit): MemoryPlan {
  return leastPlan(factsOf(settings, limit))
}

function factsOf(settings: Settings, limit: MemoryLimit): PlanFacts {
  return {
    limitBytes: limit.bytes,
    limitOrigin: limit.origin,
    batchBytes: settings.batchBytes,
    concurrency: settings.concurrency,
    lineBytesMax: settings.lineBytesMax,
    lineBatchBytes: batchBytesFor(settings.lineBytesMax),
    compressed: settings.compression === 'gzip',
    encrypted: settings.elasticsearchUrls.some((url) => isEncrypted(url, settings.proxies)),
  }
}

/** @param machine  the limit that the process sees */
export function limitFor({ memoryLimitBytes: set }: Settings, machine: MemoryLimit = memoryLimit()): MemoryLimit {
  return set !== undefined && set < machine.bytes ? { bytes: set, origin: 'REMORA_MEMORY_LIMIT' } : machine
}

export function explainPlan(plan: MemoryPlan): string {
  return `${mibText(plan.limitBytes)} (${plan.limitOrigin}): ${mibText(plan.reserveBytes)} for the process, ${plan.slots} slots of ${mibText(plan.slotBytes)} for batches of ${mibText(plan.batchBytes)}, ${plan.concurrency} ${plan.concurrency === 1 ? 'request' : 'requests'} at once`
}
