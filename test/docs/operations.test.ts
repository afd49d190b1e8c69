import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readAlertGroups, unwritten, withAlertFacts } from '../../build/alerts.ts'
import { backpressureCauses, documentedCodes, messageCodes, withMissingCodes } from '../../build/message-codes.ts'

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
const alerts = readAlertGroups().flatMap(({ rules }) => rules)
const { codes, unknown } = messageCodes()

test('every alert has a section, with expression, duration and severity as the rule has them', () => {
  expect(page, '`npm run docs` writes them anew').toBe(withAlertFacts(page, alerts))
})

test('every alert has what it means, where it comes from and what to do', () => {
  for (const { alert } of alerts) {
    const section = page.slice(page.indexOf(`### ${alert}\n`)).split('\n### ')[0]!
    for (const part of ['**Means.** ', '**Causes.** ', '**Do.** ']) expect(section, alert).toContain(part)
  }
})

test('no section is of an alert that does not exist', () => {
  const sections = [...page.matchAll(/^### (Remora\w+)$/gm)].map(([, name]) => name!)
  expect(sections.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted())
})

test('every code that a message may have has a section, and none is of a code that no message has', () => {
  expect(unknown, 'beginnings of codes that build/message-codes.ts has no ends for').toEqual([])
  expect(page, '`npm run docs` adds sections').toBe(withMissingCodes(page, codes))
  expect(documentedCodes(page).filter((code) => !codes.includes(code))).toEqual([])
  expect(codes.length).toBeGreaterThan(60)
})

test('nothing waits to be written', () => expect(page).not.toContain(unwritten))

test('every cause of backpressure has its way out', () => {
  for (const cause of backpressureCauses) expect(page).toContain(`\`${cause}\` → [`)
})

test('every link inside the page leads somewhere', () => {
  const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
  for (const [, anchor] of page.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor)
  for (const { annotations } of alerts) {
    const [file, anchor] = annotations.runbook.split('#')
    expect(file).toBe('docs/operations.md')
    expect(anchors).toContain(anchor)
  }
})
