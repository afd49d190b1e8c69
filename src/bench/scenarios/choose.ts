import { RemoraError } from '../../base/errors.ts'
import type { BenchOptions } from '../options.ts'
import { obstacleOf, type PlannedRow, rowsOf, type Scenario, type Setting } from './scenario.ts'
import { scenarios } from './table.ts'

export interface Chosen {
  readonly scenario: Scenario
  readonly rows: readonly PlannedRow[]
  readonly rounds: number
}

/** A scenario that is not run, and why. */
export interface Left {
  readonly name: string
  readonly reason: string
}

/**
 * Those that were named, with all their rounds, else those of the form; and of these, those that can be run here.
 * @throws RemoraError `NO_SCENARIO` when none can
 */
export function choose(
  options: Pick<BenchOptions, 'scenarios' | 'form' | 'rounds'>,
  setting: Setting,
): { readonly chosen: readonly Chosen[]; readonly left: readonly Left[] } {
  const isNamed = options.scenarios.length > 0
  const left: Left[] = []
  const chosen: Chosen[] = []
  for (const scenario of scenarios) {
    const { name, forms } = scenario
    if (isNamed ? !options.scenarios.includes(name) : !forms.includes(options.form)) {
      if (!isNamed && forms.length > 0) left.push({ name, reason: 'not in the short form' })
      continue
    }
    const rows = rowsOf(scenario, setting)
    const reason = obstacleOf(scenario, setting) || (rows.length === 0 ? 'the bench itself may not have as much' : '')
    if (reason === '')
      chosen.push({ scenario, rows, rounds: options.rounds ?? scenario.rounds[isNamed ? 'long' : options.form] })
    else left.push({ name, reason })
  }
  if (chosen.length > 0) return { chosen, left }
  throw new RemoraError(
    'NO_SCENARIO',
    `nothing can be measured here: ${left.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}`,
    'name other scenarios; --list tells them',
  )
}
