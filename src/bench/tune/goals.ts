import { keptUp } from '../scenarios/held.ts'
import { plainShape, type Destination, type RunPlan, type RunResult, type Shape } from '../types.ts'
import { behindText } from '../verdict.ts'
import type { Better } from './judge.ts'
import { steadyOf } from './steady.ts'
import type { Beside, GoalName, Outcome, Values } from './types.ts'

/** A figure beside the goal's own: what better means for it, and how it is told. */
export interface GoalFigure {
  readonly key: keyof Beside
  readonly label: string
  readonly unit: string
  readonly better: Better
  /** From what is in `Beside` to the unit. */
  readonly per: number
}

export const figures: readonly GoalFigure[] = [
  { key: 'bytesPerSecond', label: 'rate', unit: 'MB/s', better: 'more', per: 1e6 },
  { key: 'cpuSecondsPerGB', label: 'CPU', unit: 's/GB', better: 'less', per: 1 },
  { key: 'p99Ms', label: 'latency p99', unit: 'ms', better: 'less', per: 1 },
  { key: 'peakBytes', label: 'peak memory', unit: 'MiB', better: 'less', per: 2 ** 20 },
  { key: 'sentPerLogByte', label: 'sent for each byte of log', unit: 'bytes', better: 'less', per: 1 },
]

const keys = { rate: 'bytesPerSecond', cpu: 'cpuSecondsPerGB', latency: 'p99Ms' } as const satisfies Record<
  GoalName,
  keyof Beside
>

export function figureOf(goal: GoalName): GoalFigure {
  return figures.find(({ key }) => key === keys[goal])!
}

/** A backlog that is there before the agent starts, or lines at a steady rate. */
export type Load =
  /** With the settings as they are it lasts about so long. */
  | { readonly backlogBytes: number; readonly seconds: number }
  | { readonly bytesPerSecond: number; readonly seconds: number }

const warmUpMs = 1_000
/** Who is so many times slower than what is there need not be waited for. */
const slowest = 6
const drainMs = { min: 40_000, max: 120_000 }

/** What all runs of one tuning have in common. */
export type Common = Pick<RunPlan, 'limits'> & {
  readonly seed: number
  readonly mix: RunPlan['workload']['mix']
  readonly destination: 'null' | { readonly url: string }
  readonly shape: Pick<Shape, 'latencyMs' | 'bytesPerSecond'>
  /** Settings that are not tuned. */
  readonly settings: Values
}

export function planOf(
  { limits, seed, mix, destination, shape, settings }: Common,
  load: Load,
  values: Values,
): RunPlan {
  const isBacklog = 'backlogBytes' in load
  const to: Destination =
    destination === 'null'
      ? { kind: 'null', shape: { ...plainShape, ...shape } }
      : { kind: 'elasticsearch', url: destination.url }
  return {
    limits,
    workload: {
      seed,
      mix,
      rate: isBacklog ? { kind: 'backlog' } : { kind: 'fixed', bytesPerSecond: load.bytesPerSecond },
      files: 1,
      activeFiles: 1,
      rotation: { kind: 'none' },
      end: isBacklog ? { bytes: load.backlogBytes } : { seconds: load.seconds },
    },
    destination: to,
    settings: { ...settings, ...values },
    killsAtMs: [],
    warmUpMs: isBacklog ? 0 : warmUpMs,
    drainMsMax: Math.min(drainMs.max, Math.max(drainMs.min, load.seconds * slowest * 1_000)),
  }
}

/** How a run counts for a goal. Lines lost, twice or wrong, and no memory, are in its `failure`. */
export function outcomeOf(goal: GoalName, plan: RunPlan, result: RunResult): Outcome {
  const { failure } = result
  if (failure !== '') return { kind: failure.startsWith(behindText) ? 'void' : 'failed', reason: failure }
  const beside = besideOf(plan, result)
  if (hasFallenBehind(plan, result)) return { kind: 'behind', reason: 'it does not keep up with the rate' }
  const value = beside[keys[goal]]
  if (value === undefined || !(value > 0)) return { kind: 'void', reason: 'it was over before it could be measured' }
  return { kind: 'measured', value, beside }
}

export function hasFallenBehind({ workload: { rate, end } }: RunPlan, { moments }: RunResult): boolean {
  if (rate.kind === 'backlog' || !('seconds' in end)) return false
  return keptUp(moments, rate.bytesPerSecond, end.seconds * 1_000) === false
}

function besideOf({ workload }: RunPlan, result: RunResult): Beside {
  const { account, latency, memory, bodyBytes } = result
  const isBacklog = workload.rate.kind === 'backlog'
  const steady = isBacklog ? steadyOf(result.moments) : undefined
  return {
    // One that is over so soon is many times faster than the one for which the backlog was made: nothing hangs on its last percent.
    bytesPerSecond: isBacklog ? positive(steady?.bytesPerSecond ?? result.bytesPerSecond) : undefined,
    // Of a backlog without its start, which is a large part of the CPU of so short a run.
    cpuSecondsPerGB: positive(isBacklog ? steady?.cpuSecondsPerGB : result.cpuSecondsPerGB),
    p99Ms: positive(latency?.p99Ms),
    peakBytes: positive(memory.peakBytes),
    sentPerLogByte: positive(bodyBytes / account.writtenBytes),
  }
}

/** What was not counted is 0. */
function positive(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : undefined
}
