import { messageOf } from '../../base/errors.ts'
import { cutShort } from '../report/report.ts'
import type { ScenarioResult } from '../types.ts'
import type { Chosen, Left } from './choose.ts'
import { perform } from './perform.ts'
import { type PlannedRow, rowSeconds } from './scenario.ts'
import type { Stage } from './stage.ts'
import { TimeTable } from './time-table.ts'

/** Told while it runs. */
export interface Watcher {
  begin(steps: number): void
  step(name: string, about: string, secondsLeft: number): void
}

export interface Performing extends Pick<Stage, 'run' | 'floor' | 'monotonicMs' | 'processors'> {
  /** Infinity: as long as it takes. */
  readonly budgetSeconds: number
  /** Since the bench began. */
  readonly seconds: () => number
  readonly watcher: Watcher
  readonly signal: AbortSignal
}

export interface Performed {
  readonly results: readonly ScenarioResult[]
  readonly left: readonly Left[]
  /** What ended it before its end. */
  readonly failures: readonly string[]
}

/** Before the first and after each run. */
const floorSeconds = 1
const messageCharsMax = 2_000

/**
 * One scenario after the other. What breaks, or stops it, ends it; half an hour of figures is not thrown away for the rest.
 * @throws what broke, or the signal's reason, when no scenario was done before
 */
export async function performAll(chosen: readonly Chosen[], performing: Performing): Promise<Performed> {
  const { watcher, signal, ...stage } = performing
  const times = chosen.map((each) => ({ onceSeconds: secondsOf(each, 1), allSeconds: secondsOf(each, each.rounds) }))
  const table = new TimeTable(stage.budgetSeconds, times, stage.seconds)
  watcher.begin(chosen.reduce((sum, { rows, rounds }) => sum + rows.length * rounds, 0))
  const results: ScenarioResult[] = []
  const left: Left[] = []
  for (const [at, { scenario, rows, rounds }] of chosen.entries()) {
    if (!table.next(at)) {
      left.push({ name: scenario.name, reason: cutShort.noTime })
      continue
    }
    let estimate = 0
    const performed = perform(scenario, rows, rounds, {
      ...stage,
      step(row, round, isAgain) {
        table.done(estimate)
        estimate = secondsOfRow(row, rounds)
        if (isAgain) table.extend(estimate)
        const of = rounds === 1 ? '' : `, round ${round} of ${rounds}`
        watcher.step(scenario.name, `${row.name}${of}`, table.secondsLeft())
      },
      mayGoOn: (row) => table.mayGoOn(secondsOfRow(row, rounds)),
    })
    try {
      results.push(await performed)
    } catch (error) {
      if (results.length === 0) throw error
      const ended = chosen.slice(at).map((each) => ({ name: each.scenario.name, reason: cutShort.ended }))
      const why = signal.aborted ? 'stopped' : messageOf(error, messageCharsMax)
      return { results, left: [...left, ...ended], failures: [`${scenario.name}: ${why}`] }
    }
    table.done(estimate)
  }
  return { results, left, failures: [] }
}

function secondsOf({ rows }: Chosen, rounds: number): number {
  return rows.reduce((sum, row) => sum + rowSeconds(row, rounds), 0) + floorSeconds * (rows.length * rounds + 1)
}

/** One round of it, with the floor after it. */
function secondsOfRow(row: PlannedRow, rounds: number): number {
  return rowSeconds(row, rounds) / rounds + floorSeconds
}
