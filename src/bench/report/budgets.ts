import type { Figure } from '../types.ts'

/** What a figure may come to at the most. Source: DESIGN.md, section 8 ("Budgets"). */
interface Budget {
  /** Undefined: in each of them. */
  readonly scenario: string | undefined
  readonly figure: string
  readonly max: number
}

const budgets: readonly Budget[] = [
  { scenario: 'saturation', figure: 'CPU to the copy floor', max: 6 },
  { scenario: 'idle', figure: 'CPU of a core', max: 0.5 },
  { scenario: undefined, figure: 'lost', max: 0 },
  { scenario: undefined, figure: 'stored twice', max: 0 },
]

/** Undefined where none was set. */
export function budgetOf(scenario: string, { name }: Pick<Figure, 'name'>): number | undefined {
  return budgets.find((each) => each.figure === name && (each.scenario ?? scenario) === scenario)?.max
}

/** By its median, as budgets are meant. */
export function isKept(budget: number, { spread }: Pick<Figure, 'spread'>): boolean {
  return spread.median <= budget
}
