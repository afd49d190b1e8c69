import { floorsAgree } from '../stats.ts'
import type { Row, RunPlan, RunResult, ScenarioResult } from '../types.ts'
import { behindText } from '../verdict.ts'
import { type FigureName, figuresOf, type Measured, middleOf } from './figures.ts'
import { keptUp } from './held.ts'
import { planOf, type PlannedRow, type Scenario, type SearchRow } from './scenario.ts'
import { bracketRatio, highestHeld } from './search.ts'

/** What a scenario is performed with. */
export interface Stage {
  run(plan: RunPlan): Promise<RunResult>
  /** The copy floor once: CPU seconds for each GB (10^9) of log. */
  floor(): Promise<number>
  /** Told before each row of each round. */
  step(row: PlannedRow, round: number): void
  /** Whether there is time for one more round. */
  mayGoOn(): boolean
  readonly monotonicMs: () => number
}

/** Rounds that do not count are repeated, but no more than this many times the rounds asked for. */
const attemptsPerRoundMax = 2
/** The first step away from a backlog's speed, and from what an earlier round found: 21 %, halved it is 10. */
const steps = { first: bracketRatio ** 2, later: bracketRatio }
const rateMin = 50_000
/** Beyond this no writer of ours gets. */
const rateMax = 2e9
/** A backlog goes in the largest batches; lines that come as they are written cost a little more. */
const guessShare = 0.9

const noLatencyText =
  'your own server does not say when it has answered: no latency is told. The bench’s own server does (without --url)'

/** All runs of one row, and what a search knows from one round to the next. */
class RowState {
  readonly row: PlannedRow
  readonly counted: Measured[] = []
  /** Of rounds that something disturbed. */
  readonly disturbed: Measured[] = []
  readonly failures = new Set<string>()
  readonly notes = new Set<string>()
  rate: number | undefined

  constructor(row: PlannedRow) {
    this.row = row
  }

  result(names: readonly FigureName[]): Row {
    const hasEvidence = this.counted.length > 0
    const runs = hasEvidence ? this.counted : this.disturbed
    const middle = middleOf(runs)
    const { limits, destination } = planOf(this.row)
    const lacksLatency = destination.kind === 'elasticsearch' && names.some((name) => name === 'p99' || name === 'max')
    return {
      name: this.row.name,
      limits,
      figures: figuresOf(hasEvidence ? names : names.filter((name) => name !== 'floor'), runs),
      moments: middle?.result.moments ?? [],
      latency: middle?.result.latency,
      outages: destination.kind === 'null' ? destination.shape.outages : [],
      runs: runs.length,
      failures: [...this.failures],
      notes: [...this.notes, ...(lacksLatency ? [noLatencyText] : [])],
    }
  }
}

/** Rounds of all rows one after the other, each round between two floors: what disturbs the machine disturbs all of them. */
export async function perform(
  scenario: Scenario,
  rows: readonly PlannedRow[],
  rounds: number,
  stage: Stage,
): Promise<ScenarioResult> {
  const fromMs = stage.monotonicMs()
  const states = rows.map((row) => new RowState(row))
  let before = await stage.floor()
  let [counted, dropped] = [0, 0]
  for (let attempt = 0; attempt < rounds * attemptsPerRoundMax && counted < rounds; attempt++) {
    if (attempt > 0 && !stage.mayGoOn()) break
    const measured: { readonly state: RowState; readonly plan: RunPlan; readonly result: RunResult }[] = []
    for (const state of states) {
      stage.step(state.row, counted + 1)
      const found =
        state.row.kind === 'fixed' ? await once(state, state.row.plan, stage) : await search(state, state.row, stage)
      if (found !== undefined) measured.push({ state, ...found })
    }
    const after = await stage.floor()
    if (floorsAgree(before, after)) {
      counted += 1
    } else dropped += 1
    const floorSecondsPerGB = (before + after) / 2
    for (const { state, plan, result } of measured) {
      const kept = floorsAgree(before, after) ? state.counted : state.disturbed
      kept.push({ plan, result, floorSecondsPerGB })
    }
    before = after
  }
  for (const { notes } of states) {
    if (counted === 0)
      notes.add(
        'something else used the machine (the floors of each round differ too much): no ratio to the floor, and the rest is no evidence',
      )
    else if (dropped > 0)
      notes.add(`${dropped} of ${counted + dropped} rounds do not count: their floors differ too much`)
    if (counted > 0 && counted < rounds) notes.add(`${counted} of ${rounds} rounds: there was no time for more`)
  }
  const { name, about, figures } = scenario
  return {
    name,
    about,
    rows: states.map((state) => state.result(figures)),
    seconds: (stage.monotonicMs() - fromMs) / 1_000,
  }
}

interface Found {
  readonly plan: RunPlan
  readonly result: RunResult
}

async function once(state: RowState, plan: RunPlan, stage: Stage): Promise<Found | undefined> {
  const result = await stage.run(plan)
  for (const note of result.notes ?? []) state.notes.add(note)
  if (result.failure === '') return { plan, result }
  state.failures.add(result.failure)
  return undefined
}

/** The highest rate that holds, and the run at it. */
async function search(state: RowState, row: SearchRow, stage: Stage): Promise<Found | undefined> {
  let guess = state.rate
  if (guess === undefined) {
    const first = await once(state, row.first, stage)
    if (first === undefined) return undefined
    guess = first.result.bytesPerSecond * guessShare
  }
  let best: Found | undefined
  const probe = async (bytesPerSecond: number) => {
    const plan = row.at(bytesPerSecond)
    const result = await stage.run(plan)
    if (!isHeld(plan, result, state)) return false
    for (const note of result.notes ?? []) state.notes.add(note)
    best = { plan, result }
    return true
  }
  const found = await highestHeld(probe, {
    guess,
    step: state.rate === undefined ? steps.first : steps.later,
    ratioMax: bracketRatio,
    min: rateMin,
    max: rateMax,
    probesMax: row.probesMax,
  })
  state.rate = found.held ?? state.rate
  if (found.held === undefined) state.failures.add(`not even ${(found.failed! / 1e6).toFixed(2)} MB/s held`)
  else if (found.failed === undefined || found.failed / found.held > bracketRatio * 1.001) {
    state.notes.add(`the search ended after ${found.probes} rates: what is told held, and a higher rate may too`)
  }
  return best
}

/** A failure that is the machine's own ends the way up, and is told; another one is the agent's, and the row has failed. */
function isHeld({ workload }: RunPlan, { failure, moments, wallMs }: RunResult, state: RowState): boolean {
  if (failure.startsWith(behindText)) {
    state.notes.add('the writer could not keep a higher rate: this machine is the limit, not the agent')
    return false
  }
  if (failure !== '') {
    state.failures.add(failure)
    return false
  }
  if (workload.rate.kind === 'backlog') return true
  const writtenMs = 'seconds' in workload.end ? workload.end.seconds * 1_000 : wallMs
  return keptUp(moments, workload.rate.bytesPerSecond, writtenMs) === true
}
