import type { Figure, ScenarioResult } from '../types.ts'
import { budgetOf } from './budgets.ts'
import { numberText, plain } from './text.ts'

/** What makes a figure the same one in two rows. */
export function keyOf({ name, unit }: { readonly name: string; readonly unit: string }): string {
  return `${name}\0${unit}`
}

/** `peak memory, MiB`; `lines/s` says all of `lines`. */
function nameOf({ name, unit }: Pick<Figure, 'name' | 'unit'>): string {
  if (unit === '' || unit === name) return name
  return unit.startsWith(`${name}/`) ? unit : `${name}, ${unit}`
}

/** Of all figures of a scenario, in the order in which they come first: `CPU to the copy floor, × (≤ 6)`. */
export function labelsOf({ name: scenario, rows }: ScenarioResult): Map<string, string> {
  const labels = new Map<string, string>()
  for (const figure of rows.flatMap(({ figures }) => figures)) {
    const budget = budgetOf(scenario, figure)
    labels.set(keyOf(figure), plain(`${nameOf(figure)}${budget === undefined ? '' : ` (≤ ${numberText(budget)})`}`))
  }
  return labels
}
