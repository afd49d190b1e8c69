import { do_not_optimize as looked, measure } from 'mitata'
import type { CalledCase, Case, Timed } from './case.ts'
import { allocatedEver, threadNs } from './counters.ts'

/** What a case costs. */
export interface Cost {
  readonly group: string
  readonly name: string
  readonly item: string
  /** In one call. */
  readonly items: number
  readonly bytes: number
  /** CPU time of this thread, the collecting of what was allocated included; by repeat, in the order in which they ran. */
  readonly nsPerItem: readonly number[]
  /** On the heap of JavaScript. Memory of WebAssembly and of buffers, which is outside of it, is not counted. */
  readonly allocatedPerItem: readonly number[]
}

export interface Effort {
  readonly repeats: number
  /** CPU time of one repeat of one case. */
  readonly repeatMs: number
}

export const fullEffort: Effort = { repeats: 5, repeatMs: 40 }

/** CPU time before anything counts: the engine has replaced its first code by then. */
const warmMs = 100
const warmCallsMax = 100_000
/** A case that times itself is called so often before it counts. */
const warmTimes = 5
const samplesMin = 12
/** Of a repeat, the part in which bytes are counted: the timed part must not look at the counter. */
const allocatingShare = 1 / 4

/** Measures all cases in turn, and then again, `repeats` times: what else the machine does meets them alike. */
export async function measureCases(
  cases: readonly Case[],
  { repeats, repeatMs }: Effort,
  tell: (done: number, of: number) => void = () => {},
): Promise<Cost[]> {
  const steps = cases.length * (repeats + 1)
  let done = 0
  for (const each of cases) {
    await warm(each)
    tell(++done, steps)
  }
  const measured: Timed[][] = cases.map(() => [])
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [at, each] of cases.entries()) {
      measured[at]!.push('time' in each ? await each.time() : await timeOf(each, repeatMs))
      tell(++done, steps)
    }
  }
  return cases.map((each, at) => costOf(each, measured[at]!))
}

async function warm(each: Case): Promise<void> {
  if ('time' in each) {
    for (let call = 0; call < warmTimes; call++) await each.time()
    return
  }
  const untilNs = threadNs() + warmMs * 1e6
  for (let call = 0; call < warmCallsMax && threadNs() < untilNs; call++) looked(each.run())
}

/** Of one call. */
async function timeOf(each: CalledCase, ms: number): Promise<Timed> {
  const { avg } = await measure(each.run, {
    now: threadNs,
    min_cpu_time: ms * 1e6,
    min_samples: samplesMin,
    // It would leave out the two slowest calls: those in which garbage is collected, which belong to what allocates.
    samples_threshold: Infinity,
    // One call is one sample: mitata would make 4096 calls of one that seems short to it.
    batch_threshold: -1,
    gc: false,
  })
  // The mean, for the same reason.
  return { cpuNs: avg, allocatedBytes: allocatedBytesOf(each.run, ms * allocatingShare) }
}

/**
 * What a call allocates on the heap: over many calls, less what looking at the counter takes. mitata's own counter takes the
 * size of the heap before and after each call, which tells nothing where a collection comes in between.
 */
export function allocatedBytesOf(run: () => unknown, ms: number): number {
  const lookBytes = Math.max(...Array.from({ length: 5 }, () => -allocatedEver() + allocatedEver()))
  const untilNs = threadNs() + ms * 1e6
  const from = allocatedEver()
  let calls = 0
  do {
    looked(run())
    calls++
  } while (calls < warmCallsMax && threadNs() < untilNs)
  return Math.max(0, allocatedEver() - from - lookBytes) / calls
}

function costOf({ group, name, item, items, bytes }: Case, measured: readonly Timed[]): Cost {
  return {
    group,
    name,
    item,
    items,
    bytes,
    nsPerItem: measured.map(({ cpuNs }) => cpuNs / items),
    allocatedPerItem: measured.map(({ allocatedBytes }) => allocatedBytes / items),
  }
}
