import type { Report } from '../report/report.ts'

/** What is kept in the repository to compare with: the ratios, with what they depend on, and nothing that is only looked at. */
export function baselineOf(report: Report): Report {
  const scenarios = report.scenarios.map((scenario) => ({
    ...scenario,
    rows: scenario.rows.map((row) => ({
      ...row,
      figures: row.figures.filter(({ isRatio, better }) => isRatio && better !== 'none'),
      moments: [],
      latency: undefined,
    })),
  }))
  return { ...report, scenarios }
}
