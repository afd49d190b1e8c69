import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, RemoraError } from '../../base/errors.ts'
import type { Row } from '../types.ts'
import { pageOf } from './page.ts'
import { reduced } from './moments.ts'
import type { Report } from './report.ts'

export interface ReportPaths {
  readonly json: string
  readonly html: string
}

/**
 * `report.json` and `report.html` in `directory`, which is made where it is not there. Each replaces the one before as a whole.
 * @throws RemoraError when they cannot be written
 */
export function writeReport(report: Report, directory: string): ReportPaths {
  const told = tellable(report)
  const paths = { json: join(directory, 'report.json'), html: join(directory, 'report.html') }
  try {
    mkdirSync(directory, { recursive: true })
    // First what cannot be made again.
    replace(paths.json, reportJson(told))
    replace(paths.html, pageOf(told))
  } catch (error) {
    throw new RemoraError(
      'REPORT_UNWRITABLE',
      `the report cannot be written to ${JSON.stringify(directory)}: ${messageOf(error)}`,
      'choose a directory that can be written to with --out',
      { cause: error },
    )
  }
  return paths
}

export function reportJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 1)}\n`
}

/** With as many moments as can be looked at, and without a number that JSON has no word for: a figure that is one is a failure. */
export function tellable(report: Report): Report {
  const untold: string[] = []
  const scenarios = report.scenarios.map((scenario) => ({
    ...scenario,
    rows: scenario.rows.map((row) => tellableRow(row, (what) => untold.push(`${scenario.name}, ${row.name}: ${what}`))),
  }))
  return { ...report, scenarios, failures: [...report.failures, ...untold] }
}

function tellableRow(row: Row, complain: (what: string) => void): Row {
  const figures = row.figures.filter(({ name, values, spread }) => {
    const isTellable = values.length > 0 && [...values, ...Object.values(spread)].every(Number.isFinite)
    if (!isTellable) complain(`${name} came out as no number`)
    return isTellable
  })
  const moments = row.moments.filter((moment) => Object.values(moment).every(Number.isFinite))
  if (moments.length < row.moments.length) complain('moments came out without a number')
  return { ...row, figures, moments: reduced(moments) }
}

function replace(path: string, content: string): void {
  const draft = `${path}.${process.pid}.partial`
  writeFileSync(draft, content)
  renameSync(draft, path)
}
