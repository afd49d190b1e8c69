/** The reference of all metrics, made from the tables that they are shown by: as Markdown for `docs/metrics.md`. */
import { groups, makeHistograms } from '../metrics.ts'
import { bucketsSeconds } from './histogram.ts'
import { kindOf } from './table.ts'

/** `docs/metrics.md` holds `metricsReference()` between these two. */
export const metricsBegin = '<!-- metrics -->'
export const metricsEnd = '<!-- /metrics -->'

interface Line {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labels: Readonly<Record<string, string>>
  readonly help: string
}

/** Every metric by the group that it is shown in. */
export function metricsByGroup(): readonly (readonly [title: string, lines: readonly Line[]])[] {
  const tables = groups.map(({ title, rows }) => {
    const lines = rows.map(({ name, help, labels = {} }): Line => ({ name, kind: kindOf(name), labels, help }))
    return [title, lines] as const
  })
  const histograms = Object.values(makeHistograms()).map(({ name, help, label }): Line => {
    const labels = label === undefined ? {} : { [label]: 'ok, partial, overloaded, status, failed' }
    return { name, kind: 'histogram', labels, help }
  })
  return [...tables, ['How long things take', histograms] as const]
}

/** What stands between the two marks, line breaks at both ends included. */
export function metricsReference(): string {
  const parts = metricsByGroup().map(([title, lines]) => {
    const body = lines.map(({ name, kind, labels, help }) => {
      const labelText = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${values}`)
      const cells = [`\`${name}\``, kind, labelText.join('; '), help]
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
    })
    return [`### ${title}`, '', '| metric | type | labels | meaning |', '|---|---|---|---|', ...body].join('\n')
  })
  const buckets = `Buckets of every histogram, in seconds: ${bucketsSeconds.join(', ')}.`
  return `\n${parts.join('\n\n')}\n\n${buckets}\n`
}
