import type { Report } from '../report/report.ts'
import type { Row } from '../types.ts'

/** What is kept in the repository to compare with: the ratios, with what they depend on. */
export function baselineOf(report: Report): Report {
  return rowsOf(report, (row) => ({
    ...row,
    figures: row.figures.filter(({ isRatio, better }) => isRatio && better !== 'none'),
  }))
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
