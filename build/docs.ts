/**
 * Writes what the documentation and the manifests have from the code: the reference of settings, README's short one, the reference of
 * metrics, the facts of each alert, a section for each alert and message that has none, the dashboard. `test/docs` checks that all of it is as this would write it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { metricsBegin, metricsEnd, metricsReference } from '../src/admin/metrics/reference.ts'
import { markdownReference, referenceBegin, referenceEnd, shortReference } from '../src/config/reference.ts'
import { readAlertGroups, withAlertFacts } from './alerts.ts'
import { dashboardText } from './dashboard.ts'
import { messageCodes, withMissingCodes } from './message-codes.ts'

const root = new URL('..', import.meta.url)

const between = (begin: string, end: string, made: () => string) => (text: string) =>
  text.slice(0, text.indexOf(begin) + begin.length) + made() + text.slice(text.indexOf(end))

const pages: Readonly<Record<string, (text: string) => string>> = {
  'README.md': between(referenceBegin, referenceEnd, shortReference),
  'docs/settings.md': between(referenceBegin, referenceEnd, markdownReference),
  'docs/metrics.md': between(metricsBegin, metricsEnd, metricsReference),
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
