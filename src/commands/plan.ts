/**
 * The memory plan of these settings on this machine. Apart from `run`, for `check` is run inside the agent's own
 * container and must not load 25 MiB of client in order to do a division.
 */
import { limits } from '../base/limits.ts'
import { memoryLimit, type MemoryLimit } from '../base/memory.ts'
import { batchBytesFor } from '../config/relations.ts'
import type { Settings } from '../config/types.ts'
import { mibText, planMemory, type MemoryPlan } from '../queue/plan.ts'

/** @throws RemoraError when the limit is too small */
export function planFor(settings: Settings, limit: MemoryLimit = limitFor(settings)): MemoryPlan {
  return planMemory({
    limitBytes: limit.bytes,
    limitOrigin: limit.origin,
    batchBytes: settings.batchBytes,
    concurrency: settings.concurrency,
    lineBytesMax: settings.lineBytesMax,
    lineBatchBytes: batchBytesFor(settings.lineBytesMax),
    requestBytes: settings.compression === 'gzip' ? limits.compressionBytes : 0,
  })
}

function limitFor({ memoryLimitBytes: set }: Settings): MemoryLimit {
  const machine = memoryLimit()
  return set !== undefined && set < machine.bytes ? { bytes: set, origin: 'REMORA_MEMORY_LIMIT' } : machine
}

export function explainPlan(plan: MemoryPlan): string {
  return `${mibText(plan.limitBytes)} (${plan.limitOrigin}): ${mibText(plan.reserveBytes)} for the process, ${plan.slots} slots of ${mibText(plan.slotBytes)} for batches of ${mibText(plan.batchBytes)}, ${plan.concurrency} ${plan.concurrency === 1 ? 'request' : 'requests'} at once`
}
