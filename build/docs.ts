/**
 * Writes what the documentation and the manifests have from the code: the reference of metrics, the facts of each alert, a section
 * for each alert and message that has none, the dashboard. `test/docs` checks that all of it is as this would write it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { metricsBegin, metricsEnd, metricsReference } from '../src/admin/metrics/reference.ts'
import { readAlertGroups, withAlertFacts } from './alerts.ts'
import { dashboardText } from './dashboard.ts'
import { messageCodes, withMissingCodes } from './message-codes.ts'

const root = new URL('..', import.meta.url)

const pages: Readonly<Record<string, (text: string) => string>> = {
  'docs/metrics.md': (text) =>
    text.slice(0, text.indexOf(metricsBegin) + metricsBegin.length) +
    metricsReference() +
    text.slice(text.indexOf(metricsEnd)),
  'docs/operations.md': (text) => {
    const alerts = readAlertGroups().flatMap(({ rules }) => rules)
    return withMissingCodes(withAlertFacts(text, alerts), messageCodes().codes)
  },
  'manifests/monitoring/dashboard.json': dashboardText,
}

for (const [name, write] of Object.entries(pages)) {
  const at = new URL(name, root)
  const before = readFileSync(at, { encoding: 'utf8', flag: 'a+' })
  const now = write(before)
  if (now === before) continue
  writeFileSync(at, now)
  process.stdout.write(`written anew: ${name}\n`)
}
