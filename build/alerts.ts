import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface Alert {
  readonly alert: string
  readonly expr: string
  /** A duration of Prometheus; undefined: at once. */
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string }
}

export interface AlertGroup {
  readonly name: string
  readonly rules: readonly Alert[]
}

export const rulesPath = new URL('../manifests/monitoring/rules.yaml', import.meta.url)

/** Of the PrometheusRule: what Prometheus itself reads. */
export function readAlertGroups(): readonly AlertGroup[] {
  const rule = parse(readFileSync(rulesPath, 'utf8')) as { readonly spec: { readonly groups: readonly AlertGroup[] } }
  return rule.spec.groups
}

/** The line under the heading of an alert in `docs/operations.md`. */
export function factsOf({ expr, for: pending, labels }: Alert): string {
  return `*${labels.severity}*, ${pending === undefined ? 'at once' : `when it was so for ${pending}`}: \`${expr}\``
}

/** The same text with the facts of each alert as its rule has them; an alert without a section gets one at the end of them. */
export function withAlertFacts(operations: string, alerts: readonly Alert[]): string {
  return alerts.reduce((text, alert) => {
    const heading = `### ${alert.alert}\n`
    const at = text.indexOf(heading)
    if (at === -1) {
      const end = text.indexOf(alertsEnd)
      return `${text.slice(0, end)}${heading}\n${factsOf(alert)}\n\n${unwritten}\n\n${text.slice(end)}`
    }
    const from = at + heading.length + 1
    const to = text.indexOf('\n', from)
    const isFacts = /^\*\w+\*, /.test(text.slice(from, to))
    return `${text.slice(0, from)}${factsOf(alert)}${isFacts ? '' : '\n\n'}${text.slice(isFacts ? to : from)}`
  }, operations)
}

/** Behind the last section of an alert. */
export const alertsEnd = '## Messages\n'

/** What a person has to write in its place. */
export const unwritten = '(not written yet)'
