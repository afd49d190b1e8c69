import { RemoraError } from '../base/errors.ts'

export interface PlanFacts {
  /** Bytes that the process may use: the smaller of the container's limit and the setting. */
  readonly limitBytes: number
  /** Where `limitBytes` comes from, for a person: `cgroup v2 memory.max`. */
  readonly limitOrigin: string
  /** Settings, undefined when left to the plan. */
  readonly batchBytes: number | undefined
  readonly concurrency: number | undefined
  readonly lineBytesMax: number
}

export interface MemoryPlan {
  readonly limitBytes: number
  readonly limitOrigin: string
  /** What Node, the client and the heap need beside the arena. */
  readonly reserveBytes: number
  readonly batchBytes: number
  readonly inputBytes: number
  readonly slotBytes: number
  readonly slots: number
  readonly concurrency: number
  readonly arenaBytes: number
}

const mib = 1024 * 1024

/**
 * Anonymous and kernel memory of the process under full load without its arena, with what the collector leaves lying:
 * measured by `npm run bench -- --limits`, see ARCHITECTURE.md.
 */
export const reserveBytes = 40 * mib

const batchBytesDefault = mib
const quantumBytes = 256 * 1024
const slotOverheadBytes = 192 * 1024
const concurrencyDefault = 2
const slotsMax = 64

/** A slot being filled, one for each request under way, and one sealed that waits for its turn. */
const slotsFor = (concurrency: number) => concurrency + 2

/**
 * Divides the memory limit: runtime reserve first, the rest is the arena. What was set is kept, or refused with the
 * smallest limit that would do; what was left open shrinks to fit.
 */
export function planMemory(facts: PlanFacts): MemoryPlan {
  const room = facts.limitBytes - reserveBytes
  const inputBytes = Math.max(quantumBytes, Math.ceil((facts.lineBytesMax + 4096) / 4096) * 4096)
  const batchBytes = facts.batchBytes ?? batchBytesDefault
  const slotBytes = batchBytes + inputBytes + slotOverheadBytes
  const fits = Math.floor(room / slotBytes)
  const concurrency = facts.concurrency ?? Math.max(1, Math.min(concurrencyDefault, fits - 2))
  // With one slot filling waits for the answer: slow, but it works, so it is allowed where the memory is that small.
  const slots = Math.min(slotsFor(concurrency), slotsMax, fits)
  const least = facts.concurrency === undefined ? 1 : facts.concurrency
  if (slots < least) {
    throw new RemoraError(
      'MEMORY_LIMIT_TOO_SMALL',
      `a memory limit of ${mibText(facts.limitBytes)} (${facts.limitOrigin}) cannot hold ${least} batch${least > 1 ? 'es' : ''} of ${mibText(slotBytes)} beside the ${mibText(reserveBytes)} that the process itself needs`,
      `Give the container at least ${mibText(reserveBytes + least * slotBytes)}, or lower REMORA_BATCH_BYTES, REMORA_CONCURRENCY or REMORA_MAX_LINE_BYTES.`,
    )
  }
  return {
    limitBytes: facts.limitBytes,
    limitOrigin: facts.limitOrigin,
    reserveBytes,
    batchBytes,
    inputBytes,
    slotBytes,
    slots,
    concurrency: Math.min(concurrency, slots),
    arenaBytes: slots * slotBytes,
  }
}

function mibText(bytes: number): string {
  return `${Math.ceil((bytes / mib) * 10) / 10} MiB`
}
