import type { Form } from '../scenarios/scenario.ts'
import type { Rules } from './search.ts'
import type { Tried } from './space.ts'
import type { GoalName } from './types.ts'

/** How much is measured, and for how long. */
export interface Effort {
  /** With all that begins and ends it: under ten minutes, and about three. */
  readonly budgetSeconds: number
  /** What a backlog takes with the settings as they are, or how long lines are written at a steady rate. */
  readonly runSeconds: number
  readonly rules: Pick<Rules, 'roundsMax' | 'confirmRounds' | 'passes'>
  readonly tried: Tried
}

const budgetSeconds: Readonly<Record<Form, number>> = { short: 190, long: 570 }
const rules: Readonly<Record<Form, Effort['rules']>> = {
  short: { roundsMax: 7, confirmRounds: { least: 5, most: 8 }, passes: 1 },
  long: { roundsMax: 8, confirmRounds: { least: 6, most: 9 }, passes: 2 },
}

/** At a steady rate runs are longer, for whether a lag grows must be seen; so there are fewer of them. */
const steadySeconds: Readonly<Record<Form, number>> = { short: 4.5, long: 6 }
const backlogSeconds: Readonly<Record<Form, number>> = { short: 2, long: 4 }

const triedOfBacklog: Readonly<Record<Form, Tried>> = {
  short: { concurrency: [2, 4], batch: [0.5, 2], levels: [1], linger: [2.5] },
  long: { concurrency: [2, 0.5, 4, 8], batch: [0.5, 2, 0.25, 4], levels: [1, 3, 6], linger: [2.5, 5] },
}

/** CPU is saved by fewer and larger requests, latency by those that leave sooner. */
const lingers: Readonly<Record<'cpu' | 'latency', readonly number[]>> = { cpu: [2.5, 5], latency: [0.25, 0.05] }

export function effortFor(form: Form, goal: GoalName): Effort {
  const common = { budgetSeconds: budgetSeconds[form], rules: rules[form] }
  if (goal === 'rate') return { ...common, runSeconds: backlogSeconds[form], tried: triedOfBacklog[form] }
  const linger = lingers[goal].slice(0, form === 'short' ? 1 : 2)
  const tried = { concurrency: [2, 0.5], batch: [0.5, 2], levels: [1], linger }
  return { ...common, runSeconds: steadySeconds[form], tried }
}
