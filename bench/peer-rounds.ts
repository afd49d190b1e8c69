import type { FloorBeside } from '../src/bench/floor/floor-beside.ts'
import type { Program } from '../src/bench/program.ts'
import { type FigureName, figuresOf, type Measured } from '../src/bench/scenarios/figures.ts'
import { floorsAgree, spreadOf } from '../src/bench/stats.ts'
import {
  type Figure,
  type Limits,
  plainShape,
  type Row,
  type RunPlan,
  type RunResult,
  type Workload,
} from '../src/bench/types.ts'

/** What each program is put through. */
export interface Trial {
  readonly name: string
  /** One sentence: what is done, and what the figures tell. */
  readonly about: string
  readonly plan: RunPlan
  /** Next to nothing to ship, where the start counts: what that takes is told, and taken off. */
  readonly start: RunPlan | undefined
  readonly figures: readonly FigureName[]
}

export interface TrialOptions {
  readonly limits: Limits
  readonly seed: number
  readonly backlogBytes: number
  readonly bytesPerSecond: number
  readonly seconds: number
}

/** Of a line that is written, until it is there: patience for the slowest. */
const drainMsMax = 120_000
/** Before the lines whose latency is told: what is compiled has become so. */
const warmUpMs = 2_000
const startBytes = 1_000

export function trialsOf({ limits, seed, backlogBytes, bytesPerSecond, seconds }: TrialOptions): Trial[] {
  const workload = { seed, mix: { kind: 'mixed' }, files: 1, activeFiles: 1, rotation: { kind: 'none' } } as const
  const planFor = (more: Pick<Workload, 'rate' | 'end'>, warmMs: number): RunPlan => ({
    limits,
    workload: { ...workload, ...more },
    destination: { kind: 'null', shape: plainShape },
    settings: {},
    killsAtMs: [],
    warmUpMs: warmMs,
    drainMsMax,
  })
  return [
    {
      name: 'backlog',
      about: `${megabytes(backlogBytes)} MB of mixed lines in one file are there when the agent starts. Its CPU with its start, and that apart.`,
      plan: planFor({ rate: { kind: 'backlog' }, end: { bytes: backlogBytes } }, 0),
      start: planFor({ rate: { kind: 'backlog' }, end: { bytes: startBytes } }, 0),
      figures: ['throughput', 'cpu', 'peak'],
    },
    {
      name: 'steady',
      about: `${megabytes(bytesPerSecond)} MB/s of mixed lines into one file for ${seconds} s; latency from the write of a line to the answer to the request that has it. Its start does not count.`,
      plan: planFor({ rate: { kind: 'fixed', bytesPerSecond }, end: { seconds } }, warmUpMs),
      start: undefined,
      figures: ['cpuShare', 'cpu', 'peak', 'p50', 'p99', 'max'],
    },
  ]
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)
}

/** What rounds are made with. */
export interface Stage {
  readonly programs: readonly Program[]
  readonly floor: Pick<FloorBeside, 'measure'>
  run(plan: RunPlan, program: Program): Promise<RunResult>
  /** Told before each run. */
  step(trial: Trial, program: Program, round: number): void
}

/** All programs in one trial: a row each, in the same order, and the floor beside them. */
export interface TrialResult {
  readonly name: string
  readonly about: string
  readonly rows: readonly Row[]
  /** CPU of the copy floor, seconds for each GB (10^9) of log, once for each round. */
  readonly floorSecondsPerGB: readonly number[]
  /** Rounds whose two floors differ by more than a quarter: something else used the machine. They count, and are told. */
  readonly disturbed: number
}

interface Ran extends Measured {
  readonly round: number
  /** CPU of a start that counts; 0 where it does not. */
  readonly startSeconds: number
}

/**
 * Rounds of all programs one after the other, each round between two floors and in the other direction than the one before:
 * what disturbs the machine disturbs all of them.
 */
export async function trialRounds(trial: Trial, rounds: number, stage: Stage): Promise<TrialResult> {
  const runs: Ran[][] = stage.programs.map(() => [])
  const floors: number[] = []
  let disturbed = 0
  let before = await stage.floor.measure()
  for (let round = 1; round <= rounds; round++) {
    const ran: { readonly at: number; readonly result: RunResult; readonly startSeconds: number }[] = []
    const order = [...stage.programs.entries()]
    for (const [at, program] of round % 2 === 1 ? order : order.toReversed()) {
      stage.step(trial, program, round)
      const start = trial.start === undefined ? undefined : await stage.run(trial.start, program)
      const result = await stage.run(trial.plan, program)
      ran.push({ at, result, startSeconds: start === undefined ? 0 : cpuSeconds(start) })
    }
    const after = await stage.floor.measure()
    if (!floorsAgree(before, after)) disturbed++
    const floorSecondsPerGB = (before + after) / 2
    floors.push(floorSecondsPerGB)
    for (const { at, ...rest } of ran) runs[at]!.push({ plan: trial.plan, floorSecondsPerGB, round, ...rest })
    before = after
  }
  const first = runs[0] ?? []
  return {
    name: trial.name,
    about: trial.about,
    rows: stage.programs.map(({ name }, at) => rowOf(name, trial, runs[at]!, at === 0 ? [] : first)),
    floorSecondsPerGB: floors,
    disturbed,
  }
}

/** @param others  runs of the first program, in the same rounds; none for itself */
function rowOf(name: string, trial: Trial, runs: readonly Ran[], others: readonly Ran[]): Row {
  const good = runs.filter(({ result }) => result.failure === '')
  const failures = new Set(runs.flatMap(({ result }) => (result.failure === '' ? [] : [result.failure])))
  return {
    name,
    limits: trial.plan.limits,
    // Lines are counted of all runs: one that loses some has failed, and they are what it has failed by.
    figures: [
      ...figuresOf(trial.figures, good),
      ...ratiosOf(trial, good, others),
      ...figuresOf(['lost', 'twice'], runs),
    ],
    moments: [],
    latency: good[0]?.result.latency,
    outages: [],
    runs: runs.length,
    failures: [...failures],
    notes: [],
  }
}

/** What each run is to others of its round. */
function ratiosOf(trial: Trial, runs: readonly Ran[], others: readonly Ran[]): Figure[] {
  const apart = trial.start !== undefined
  const toFirst = runs.flatMap((ran) => {
    const other = others.find(({ round }) => round === ran.round)
    return other === undefined || other.result.failure !== '' ? [] : [secondsPerGB(ran) / secondsPerGB(other)]
  })
  return [
    ...(apart
      ? figureOf(
          'start',
          's',
          runs.map(({ startSeconds }) => startSeconds),
          false,
        )
      : []),
    ...(apart ? figureOf('CPU, start apart', 's/GB', runs.map(secondsPerGB), false) : []),
    ...figureOf(
      'to the floor',
      '×',
      runs.map((ran) => secondsPerGB(ran) / ran.floorSecondsPerGB),
      true,
    ),
    ...figureOf('to Remora', '×', toFirst, true),
  ]
}

function figureOf(name: string, unit: string, values: readonly number[], isRatio: boolean): Figure[] {
  return values.length === 0 ? [] : [{ name, unit, spread: spreadOf(values), values, better: 'less', isRatio }]
}

/** Start apart, where it counts. */
function secondsPerGB({ result, startSeconds }: Ran): number {
  return (cpuSeconds(result) - startSeconds) / (result.account.writtenBytes / 1e9)
}

function cpuSeconds({ cpu }: RunResult): number {
  return (cpu.userUs + cpu.systemUs) / 1e6
}
