import { type Spread, spreadOf } from '../stats.ts'
import type { Figure, Moment, RunPlan, RunResult } from '../types.ts'
import { catchUpOf } from './held.ts'

/** One run that counts, with what was measured beside it. */
export interface Measured {
  readonly plan: RunPlan
  readonly result: RunResult
  /** CPU of the copy floor in its round, seconds for each GB (10^9) of log. */
  readonly floorSecondsPerGB: number
}

type Kind = Pick<Figure, 'name' | 'unit' | 'better' | 'isRatio'> & {
  /** Undefined where this run has none. */
  readonly of: (measured: Measured) => number | undefined
}

const mib = 2 ** 20

/** All figures that there are. A scenario names those that it tells. */
const kinds = {
  rate: { name: 'highest rate', unit: 'MB/s', better: 'more', isRatio: false, of: askedRate },
  lines: { name: 'lines', unit: 'lines/s', better: 'more', isRatio: false, of: linesPerSecond },
  throughput: told('throughput', 'MB/s', ({ result }) => result.bytesPerSecond / 1e6),
  cpu: less('CPU', 's/GB', ({ result }) => result.cpuSecondsPerGB),
  cpuLines: less('CPU per million lines', 's', ({ result }) => result.cpuSecondsPerMillionLines),
  cpuShare: less('CPU of a core', '%', ({ result }) => laterShare(result.moments)),
  floor: {
    name: 'CPU to the copy floor',
    unit: '×',
    better: 'less',
    isRatio: true,
    of: ({ result, floorSecondsPerGB }) => result.cpuSecondsPerGB / floorSecondsPerGB,
  },
  rateShare: {
    name: 'rate to that of the floor',
    unit: '×',
    better: 'more',
    isRatio: true,
    of: (measured) => over(over(askedRate(measured), 1e3 / measured.floorSecondsPerGB), measured.plan.limits.cpus ?? 1),
  },
  p50: less('latency p50', 'ms', ({ result }) => result.latency?.p50Ms),
  p90: less('latency p90', 'ms', ({ result }) => result.latency?.p90Ms),
  p99: less('latency p99', 'ms', ({ result }) => result.latency?.p99Ms),
  max: less('latency max', 'ms', ({ result }) => result.latency?.maxMs),
  peak: less('peak memory', 'MiB', ({ result }) => result.memory.peakBytes / mib),
  mean: less('mean memory', 'MiB', ({ result }) => result.memory.meanBytes / mib),
  peakShare: {
    name: 'peak memory to the limit',
    unit: '×',
    better: 'less',
    isRatio: true,
    of: ({ plan, result }) =>
      plan.limits.memoryBytes === undefined ? undefined : result.memory.peakBytes / plan.limits.memoryBytes,
  },
  throttled: less('throttled', '%', ({ result }) => (result.throttledMs / Math.max(1, spanMs(result.moments))) * 100),
  catchUp: less('caught up after', 's', (measured) => catchUp(measured)?.seconds),
  catchUpRate: {
    name: 'catching up',
    unit: 'MB/s',
    better: 'more',
    isRatio: false,
    of: (measured) => over(catchUp(measured)?.bytesPerSecond, 1e6),
  },
  behind: told('behind at most', 'MB', ({ result }) => Math.max(0, ...result.moments.map((at) => at.lagBytes)) / 1e6),
  lost: less('lost', 'lines', ({ result }) => result.account.lostLines),
  twice: less('stored twice', 'lines', ({ result }) => result.account.twiceLines),
  again: told('sent again', 'lines', ({ result }) => result.account.againLines),
} as const satisfies Record<string, Kind>

export type FigureName = keyof typeof kinds

/** What is told of runs that failed, too. */
const ofAll: ReadonlySet<FigureName> = new Set(['lost', 'twice', 'again'])

/**
 * Of the runs that count, in the order in which they ran. A figure that a run does not have is left out.
 * @param all  with those that failed: what was lost is told of each
 */
export function figuresOf(
  names: readonly FigureName[],
  runs: readonly Measured[],
  all: readonly Measured[] = runs,
): Figure[] {
  return names.flatMap((key) => {
    const { of, ...kind }: Kind = kinds[key]
    const values = (ofAll.has(key) ? all : runs)
      .map(of)
      .filter((value): value is number => value !== undefined && Number.isFinite(value))
    return values.length === 0 ? [] : [{ ...kind, values, spread: spreadOf(values) satisfies Spread }]
  })
}

/** The run in the middle by CPU: its moments are those that are drawn. */
export function middleOf(runs: readonly Measured[]): Measured | undefined {
  return runs.toSorted((a, b) => a.result.cpuSecondsPerGB - b.result.cpuSecondsPerGB)[(runs.length - 1) >> 1]
}

function less(name: string, unit: string, of: Kind['of']): Kind {
  return { name, unit, better: 'less', isRatio: false, of }
}

function told(name: string, unit: string, of: Kind['of']): Kind {
  return { name, unit, better: 'none', isRatio: false, of }
}

function askedRate({ plan: { workload } }: Measured): number | undefined {
  return workload.rate.kind === 'backlog' ? undefined : workload.rate.bytesPerSecond / 1e6
}

/** Stored, for each second. */
function linesPerSecond({ result: { account, bytesPerSecond } }: Measured): number | undefined {
  return over(account.writtenLines * bytesPerSecond, account.writtenBytes)
}

function catchUp({ plan, result }: Measured): ReturnType<typeof catchUpOf> {
  const { destination, workload } = plan
  const last = destination.kind === 'null' ? destination.shape.outages.at(-1) : undefined
  if (last === undefined || workload.rate.kind === 'backlog') return undefined
  return catchUpOf(result.moments, last.toMs, workload.rate.bytesPerSecond)
}

/** Of one processor, in the second half of the run: files have been found and code is compiled. */
function laterShare(moments: readonly Moment[]): number | undefined {
  const [middle, last] = [moments[moments.length >> 1], moments.at(-1)]
  if (middle === undefined || last === undefined || last.atMs <= middle.atMs) return undefined
  return ((last.cpuUs - middle.cpuUs) / 1e3 / (last.atMs - middle.atMs)) * 100
}

/** From the writer's first line on: what is before that is the start. */
function spanMs(moments: readonly Moment[]): number {
  return (moments.at(-1)?.atMs ?? 0) - Math.max(0, moments[0]?.atMs ?? 0)
}

function over(value: number | undefined, by: number): number | undefined {
  return value === undefined || by === 0 ? undefined : value / by
}
