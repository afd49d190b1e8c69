import { floorsAgree } from '../stats.ts'
import type { Row, ScenarioResult } from '../types.ts'
import { type FigureName, figuresOf, type Measured, middleOf } from './figures.ts'
import { once, type Round, search } from './round.ts'
import { planOf, type PlannedRow, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

/** Rounds that do not count are repeated, but no more than this many times the rounds asked for. */
const attemptsPerRoundMax = 2
const noLatencyText =
  'your own server does not say when it has answered: no latency is told. The bench’s own server does (without --url)'

/** All runs of one row, and what a search knows from one round to the next. */
class RowState {
  readonly row: PlannedRow
  readonly counted: Measured[] = []
  /** Of rounds that something disturbed. */
  readonly disturbed: Measured[] = []
  /** Their figures are no figures; what they lost is told. */
  readonly failed: Measured[] = []
  readonly failures = new Set<string>()
  readonly notes = new Set<string>()
  attempts = 0
  /** Of these, those that need not be made again. */
  rounds = 0
  rate: number | undefined

  constructor(row: PlannedRow) {
    this.row = row
  }

  take(
    { found, failed, failures, notHeld, notes, rate }: Round,
    floorSecondsPerGB: number,
    isUndisturbed: boolean,
  ): void {
    this.rate = rate ?? this.rate
    for (const note of notes) this.notes.add(note)
    for (const failure of failures) this.failures.add(failure)
    // What a disturbed machine did not hold is no failure of the agent; what it lost is.
    if (notHeld !== '' && isUndisturbed) this.failures.add(notHeld)
    if (isUndisturbed || failures.length > 0) this.rounds += 1
    for (const each of failed) this.failed.push({ ...each, floorSecondsPerGB })
    if (found !== undefined) (isUndisturbed ? this.counted : this.disturbed).push({ ...found, floorSecondsPerGB })
  }

  isDone(rounds: number): boolean {
    return this.rounds >= rounds || this.attempts >= rounds * attemptsPerRoundMax
  }

  result(names: readonly FigureName[]): Row {
    const hasEvidence = this.counted.length > 0
    const runs = hasEvidence ? this.counted : this.disturbed
    const middle = middleOf(runs)
    const { limits, destination } = planOf(this.row)
    const figures = figuresOf(names, runs, [...runs, ...this.failed])
    const lacksLatency = destination.kind === 'elasticsearch' && names.some((name) => name === 'p99' || name === 'max')
    return {
      name: this.row.name,
      limits,
      figures: hasEvidence ? figures : figures.filter(({ isRatio }) => !isRatio),
      moments: middle?.result.moments ?? [],
      latency: middle?.result.latency,
      outages: destination.kind === 'null' ? destination.shape.outages : [],
      runs: runs.length,
      failures: [...this.failures],
      notes: [...this.notes, ...this.#roundNotes(), ...(lacksLatency ? [noLatencyText] : [])],
    }
  }

  #roundNotes(): string[] {
    const dropped = this.disturbed.length
    if (this.rounds === 0 && dropped > 0) {
      return [
        'something else used the machine (the floors beside each round differ too much): there is no ratio, and the rest is no evidence',
      ]
    }
    return dropped === 0
      ? []
      : [
          `${dropped} of ${this.attempts} rounds do not count: the floors beside them differ too much, or the writer fell behind`,
        ]
  }
}

/**
 * Rounds of all rows one after the other, each run between two floors of its own: what disturbs one of them is not taken for
 * the agent's, and is made once more.
 */
export async function perform(
  scenario: Scenario,
  rows: readonly PlannedRow[],
  rounds: number,
  stage: Stage,
): Promise<ScenarioResult> {
  const fromMs = stage.monotonicMs()
  const states = rows.map((row) => new RowState(row))
  let before = await stage.floor()
  for (let attempt = 0; attempt < rounds * attemptsPerRoundMax; attempt++) {
    for (const state of states) {
      if (state.isDone(rounds)) continue
      if (attempt > 0 && !stage.mayGoOn(state.row)) {
        state.notes.add(`${state.counted.length} of ${rounds} rounds: there was no time for more`)
        continue
      }
      state.attempts += 1
      stage.step(state.row, Math.min(rounds, state.counted.length + 1), attempt >= rounds)
      const round =
        state.row.kind === 'fixed' ? await once(state.row.plan, stage) : await search(state.row, state.rate, stage)
      const after = await stage.floor()
      const isUndisturbed = floorsAgree(before, after) && !round.isBehind
      const floorSecondsPerGB = (before + after) / 2
      before = after
      state.take(round, floorSecondsPerGB, isUndisturbed)
    }
  }
  const { name, about, figures } = scenario
  return {
    name,
    about,
    rows: states.map((state) => state.result(figures)),
    seconds: (stage.monotonicMs() - fromMs) / 1_000,
  }
}
