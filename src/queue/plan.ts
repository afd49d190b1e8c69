import { RemoraError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'

export interface PlanFacts {
  /** Bytes that the process may use: the smaller of the container's limit and the setting. */
  readonly limitBytes: number
  /** Where `limitBytes` comes from, for a person: `cgroup v2 memory.max`. */
  readonly limitOrigin: string
  /** Settings, undefined when left to the plan. */
  readonly batchBytes: number | undefined
  readonly concurrency: number | undefined
  readonly lineBytesMax: number
  /** The smallest batch that holds the longest line, bytes. */
  readonly lineBatchBytes: number
  /** What is done to bodies on their way, which takes memory beside their slots. Nothing unless told. */
  readonly compressed?: boolean
  readonly encrypted?: boolean
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
 * Anonymous and kernel memory of the process under full load without its arena, in a container just large enough:
 * measured by `npm run bench:raw -- --limits`, see ARCHITECTURE.md.
 */
export const reserveBytes = 39 * mib

/** Of what the reserve leaves, the part that the arena may have: the rest is for the collector and for the kernel. */
const arenaShare = 0.65

/** Larger batches cost less CPU for each byte (4 MiB: a fifth less than 1 MiB); two requests at once hide the wait. */
const choices = [
  { batchBytes: 4 * mib, concurrency: 2 },
  { batchBytes: 2 * mib, concurrency: 2 },
  { batchBytes: mib, concurrency: 2 },
  { batchBytes: mib, concurrency: 1 },
  { batchBytes: mib / 2, concurrency: 1 },
] as const

const quantumBytes = limits.quantumBytes
/** The kernel's own two pages, and what rounding to pages costs. */
const slotOverheadBytes = 192 * 1024

/** A slot being filled, one for each request under way, and one sealed that waits for its turn. */
const slotsFor = (concurrency: number) => concurrency + 2

interface Shape {
  readonly batchBytes: number
  readonly concurrency: number
  readonly inputBytes: number
  readonly slotBytes: number
}

function shapeOf(batchBytes: number, concurrency: number, lineBytesMax: number): Shape {
  const useful = Math.min(quantumBytes, Math.max(batchBytes / 4, 64 * 1024))
  const inputBytes = Math.ceil((Math.max(useful, lineBytesMax) + 4096) / 4096) * 4096
  return { batchBytes, concurrency, inputBytes, slotBytes: batchBytes + inputBytes + slotOverheadBytes }
}

/**
 * Divides the memory limit: runtime reserve first, then the arena, with a margin. What was set is kept, or refused with
 * the smallest limit that would do; what was left open shrinks to fit.
 *
 * @throws RemoraError when not even one slot fits, or fewer than the requests that were asked for
 */
export function planMemory(facts: PlanFacts): MemoryPlan {
  const room = Math.max(0, facts.limitBytes - reserveBytes) * arenaShare
  const shapes = shapesOf(facts)
  const takes = (shape: Shape) => shape.slotBytes * slotsFor(shape.concurrency) + besideBytes(facts, shape)
  const shape = shapes.find((each) => takes(each) <= room) ?? shapes.at(-1)!
  const fits = Math.floor(Math.max(0, room - besideBytes(facts, shape)) / shape.slotBytes)
  const slotsLeast = facts.concurrency ?? 1
  if (fits < slotsLeast) {
    const needed = reserveBytes + (slotsLeast * shape.slotBytes + besideBytes(facts, shape)) / arenaShare
    throw new RemoraError(
      'MEMORY_LIMIT_TOO_SMALL',
      `a memory limit of ${mibText(facts.limitBytes)} (${facts.limitOrigin}) cannot hold ${slotsLeast === 1 ? 'a batch' : `${slotsLeast} batches`} of ${mibText(shape.batchBytes)} beside the ${mibText(reserveBytes)} that the process itself needs`,
      `Give the container at least ${mibText(needed)}, or lower REMORA_BATCH_BYTES, REMORA_CONCURRENCY or REMORA_MAX_LINE_BYTES${facts.compressed === true ? ', or set REMORA_COMPRESSION to none' : ''}`,
    )
  }
  // With a single slot filling waits for each answer: slow, but it works.
  return planOf(facts, shape, Math.min(slotsFor(shape.concurrency), fits))
}

/** What needs least of all plans, whether it fits or not: for a process that runs already. */
export function leastPlan(facts: PlanFacts): MemoryPlan {
  return planOf(facts, shapesOf({ ...facts, batchBytes: undefined, concurrency: 1 }).at(-1)!, 1)
}

function shapesOf(facts: PlanFacts): Shape[] {
  const least = Math.ceil(facts.lineBatchBytes / 4096) * 4096
  return choices.map((choice) =>
    shapeOf(
      facts.batchBytes ?? Math.max(choice.batchBytes, least),
      facts.concurrency ?? choice.concurrency,
      facts.lineBytesMax,
    ),
  )
}

/** What the requests under way take beside their slots. */
function besideBytes({ compressed = false, encrypted = false }: PlanFacts, { concurrency }: Shape): number {
  return concurrency * ((compressed ? limits.compressionBytes : 0) + (encrypted ? limits.encryptionBytes : 0))
}

function planOf({ limitBytes, limitOrigin }: PlanFacts, shape: Shape, slots: number): MemoryPlan {
  return {
    limitBytes,
    limitOrigin,
    reserveBytes,
    batchBytes: shape.batchBytes,
    inputBytes: shape.inputBytes,
    slotBytes: shape.slotBytes,
    slots,
    concurrency: Math.min(shape.concurrency, slots),
    arenaBytes: slots * shape.slotBytes,
  }
}

export function mibText(bytes: number): string {
  return `${Math.ceil((bytes / mib) * 10) / 10} MiB`
}
