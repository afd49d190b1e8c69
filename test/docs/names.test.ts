/** What the documents and manifests name is there: settings, metrics, alerts, messages, pages. */
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readAlertGroups } from '../../build/alerts.ts'
import { messageCodes } from '../../build/message-codes.ts'
import { metricsByGroup } from '../../src/admin/metrics/reference.ts'
import { rows } from '../../src/config/settings.ts'
import { manifestTexts, page, pages, type Page } from './pages.ts'

const documents = pages()
const all = [...documents, ...manifestTexts()]

const settings = rows.flatMap(([, { name }]) => [name, `${name}_FILE`] as string[])
const metrics = metricsByGroup().flatMap(([, inGroup]) =>
  inGroup.flatMap(({ name, kind }) =>
    kind === 'histogram' ? [name, ...['bucket', 'sum', 'count'].map((end) => `${name}_${end}`)] : [name],
  ),
)
const alerts = readAlertGroups().flatMap(({ rules }) => rules.map(({ alert }) => alert))

/** Names that are not settings and look like some: what Kubernetes sets for a Service, and the beginning of several. */
const alike = /^REMORA_(?:POD_|SERVICE_HOST|PORT)?$/

const namesIn = ({ text }: Page, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([name]) => name))]

describe.each(all)('$name', (one) => {
  test('every setting is one', () => {
    const names = namesIn(one, /\bREMORA_[A-Z_]*/g)
    expect(names.filter((name) => !settings.includes(name) && !alike.test(name))).toEqual([])
  })

  test('every metric is one', () => {
    expect(namesIn(one, /\bremora_[a-z_]*[a-z]\b/g).filter((name) => !metrics.includes(name))).toEqual([])
  })

  test('every alert is one', () => {
    expect(namesIn(one, /\bRemora[A-Z]\w+/g).filter((name) => !alerts.includes(name) && !notAlerts.has(name))).toEqual(
      [],
    )
  })
})

/** Names in the code that begin likewise. */
const notAlerts: ReadonlySet<string> = new Set(['RemoraError'])

/** As headings are linked to on GitHub. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

describe('links inside the repository', () => {
  const links = documents.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, to = '', anchor]) => ({
      from: name,
      to: to === '' ? name : new URL(to, `file:///${name}`).pathname.slice(1),
      anchor,
    })),
  )

  test('there are some', () => expect(links.length).toBeGreaterThan(50))

  test.each(links)('$from leads to $to', ({ to }) => {
    expect(existsSync(new URL(`../../${to}`, import.meta.url))).toBe(true)
  })

  test.each(links.filter(({ anchor }) => anchor !== undefined))('$from leads to $to#$anchor', ({ to, anchor }) => {
    expect(anchorsOf(page(to).text)).toContain(anchor)
  })
})

test('messages that the pages on migrating name are said', () => {
  const { codes } = messageCodes()
  const pagesOnMigrating = documents.filter(({ name }) => name.startsWith('docs/migrating'))
  for (const { text } of pagesOnMigrating) {
    const named = [...text.matchAll(/message `([A-Z_]+)`/g)].map(([, code]) => code!)
    expect(named.filter((code) => !codes.includes(code))).toEqual([])
  }
  expect(pagesOnMigrating.some(({ text }) => text.includes('message `EACCES`'))).toBe(true)
})
