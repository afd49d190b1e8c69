import type { Figure } from '../src/bench/types.ts'
import { spreadOf } from '../src/bench/stats.ts'
import type { TrialResult } from './peer-rounds.ts'
import { spreadText, table } from './report.ts'

/** One table for each trial: a line for each program, and the copy floor. */
export function trialText({ name, about, rows, floorSecondsPerGB, disturbed }: TrialResult): string {
  const names = [...new Set(rows.flatMap(({ figures }) => figures.map(headOf)))]
  const lines = rows.map((row) => {
    const cells = new Map(row.figures.map((figure) => [headOf(figure), cellOf(figure)]))
    return [row.name, ...names.map((head) => cells.get(head) ?? '-')]
  })
  const floor = spreadText(spreadOf(floorSecondsPerGB), 1, 2)
  const floorLine = ['copy floor', ...names.map((head) => (head.endsWith('s/GB') ? floor : ''))]
  const failures = rows.flatMap((row) => row.failures.map((failure) => `FAILED     ${row.name}: ${failure}`))
  const note =
    disturbed === 0
      ? []
      : [`${disturbed} of ${floorSecondsPerGB.length} rounds were disturbed: their floors differ by more than 25 %`]
  return [`${name}: ${about}`, table([['', ...names], ...lines, floorLine]), ...note, ...failures].join('\n')
}

function headOf({ name, unit }: Figure): string {
  return unit === '' || unit === '×' || unit === 'lines' ? name : `${name} ${unit}`
}

function cellOf({ spread, unit }: Figure): string {
  // A line that was lost once was lost.
  if (unit === 'lines') return String(spread.max)
  const digits = unit === 's' ? 2 : spread.median >= 100 ? 0 : 1
  return spreadText(spread, 1, digits)
}
