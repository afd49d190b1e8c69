import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, messageOf, RemoraError } from '../../base/errors.ts'
import type { Latency, Row } from '../types.ts'
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
    if (!isSystemError(error)) throw error
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
  return { ...report, scenarios, failures: [...report.failures.map(clipped), ...untold] }
}

function tellableRow(row: Row, complain: (what: string) => void): Row {
  const figures = row.figures.filter(({ name, values, spread }) => {
    const isTellable = values.length > 0 && [...values, ...Object.values(spread)].every(Number.isFinite)
    if (!isTellable) complain(`${name} came out as no number`)
    return isTellable
  })
  const moments = row.moments.filter((moment) => Object.values(moment).every(Number.isFinite))
  if (moments.length < row.moments.length) complain('moments came out without a number')
  const { latency } = row
  const isLatencyTellable = latency === undefined || Object.values(latency).flat().every(isTold)
  if (!isLatencyTellable) complain('its latency came out without a number')
  return {
    ...row,
    figures,
    moments: reduced(moments),
    latency: isLatencyTellable ? latency : undefined,
    failures: row.failures.map(clipped),
    notes: row.notes.map(clipped),
  }
}

function isTold(value: number | Latency['histogram'][number]): boolean {
  return typeof value === 'number' ? Number.isFinite(value) : Object.values(value).every(Number.isFinite)
}

/** A failure may have the last words of a process in it. */
function clipped(text: string): string {
  return text.length <= textMax ? text : `${text.slice(0, textMax)}…`
}

const textMax = 2_000

/** The name of the draft cannot be guessed, and nothing that is there is written through: the directory may be one of all users. */
export function replace(path: string, content: string): void {
  const draft = `${path}.${randomUUID()}.partial`
  try {
    writeFileSync(draft, content, { flag: 'wx' })
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
