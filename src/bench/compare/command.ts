import { parseArgs } from 'node:util'
import type { Parsed } from '../../base/units.ts'
import { messageOf } from '../../base/errors.ts'
import { percentOf } from '../option-values.ts'
import type { Style } from '../report/closing.ts'
import { readReport } from '../report/read.ts'
import type { Report } from '../report/report.ts'
import { compareReports, exitCodeOf, leastEffectDefault } from './compare.ts'
import { comparisonTable } from './table.ts'

export const compareUsage = `remora bench compare BEFORE.json AFTER.json

Whether the second report is worse than the first. Ratios are judged, for they hold from machine to machine; all else is told.

  --least-effect PERCENT   differences below this are none (${leastEffectDefault * 100})

Ends with 0: nothing is worse. 1: something is, or a run of the second report failed. 2: a report that cannot be read, or
of which not everything could be judged, as with too few repeats.
`

/** Where a comparison is shown. */
export interface Place {
  readonly columns: number
  readonly style: Style
  /** The comparison. */
  write(text: string): void
  /** What is wrong with the call. */
  complain(text: string): void
}

const percentMax = 1_000

/** @param argv without `compare`  @returns the exit code, as `compareUsage` has it */
export function compareCommand(argv: readonly string[], place: Place): number {
  const wish = parsed(argv)
  if (typeof wish === 'string') return complained(place, `${wish}\n  remora bench compare --help`)
  if (wish.help) return said(place, compareUsage)
  const [before, after] = wish.paths
  if (before === undefined || after === undefined || wish.paths.length > 2)
    return complained(
      place,
      `two reports are compared, not ${wish.paths.length}\n  remora bench compare BEFORE.json AFTER.json`,
    )
  return compareFiles(before, after, place, wish.leastEffect)
}

/** @returns the exit code */
export function compareFiles(before: string, after: string, place: Place, leastEffect = leastEffectDefault): number {
  const [a, b] = [before, after].map(readReport) as [Parsed<Report>, Parsed<Report>]
  for (const read of [a, b]) if (!read.ok) place.complain(`${read.message}\n  ${read.wayOut}\n`)
  if (!a.ok || !b.ok) return 2
  const comparison = compareReports(a.value, b.value, leastEffect)
  place.write(`${comparisonTable(comparison, place.columns, place.style)}\n`)
  return exitCodeOf(comparison)
}

function parsed(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { 'least-effect': { type: 'string' }, help: { type: 'boolean', default: false } },
    })
    const asked = values['least-effect']
    const leastEffect = asked === undefined ? leastEffectDefault : percentOf('--least-effect', asked, percentMax)
    return { help: values.help, paths: positionals, leastEffect }
  } catch (error) {
    return messageOf(error)
  }
}

function said(place: Place, text: string): number {
  place.write(text)
  return 0
}

function complained(place: Place, text: string): number {
  place.complain(`${text}\n`)
  return 2
}
