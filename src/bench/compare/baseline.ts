import type { Report } from '../report/report.ts'
import type { Row } from '../types.ts'

/** What is kept in the repository to compare with: the ratios, with what they depend on. */
export function baselineOf(report: Report): Report {
  return rowsOf(report, (row) => ({
    ...row,
    figures: row.figures.filter(({ isRatio, better }) => isRatio && better !== 'none'),
  }))
}

/** What the last report is of; a scenario that is in several is that of the last of them. */
export function togetherOf([first, ...more]: readonly [Report, ...Report[]]): Report {
  return more.reduce((sum, report) => {
    const names = new Set(report.scenarios.map(({ name }) => name))
    return { ...report, scenarios: [...report.scenarios, ...sum.scenarios.filter(({ name }) => !names.has(name))] }
  }, first)
}

/** All figures, and nothing that is only drawn. */
export function withoutDrawings(report: Report): Report {
  return rowsOf(report, (row) => row)
}

function rowsOf(report: Report, kept: (row: Row) => Row): Report {
  const scenarios = report.scenarios.map((scenario) => ({
    ...scenario,
    rows: scenario.rows.map((row) => ({ ...kept(row), moments: [], latency: undefined })),
  }))
  return { ...report, scenarios }
}
