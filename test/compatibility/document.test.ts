import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { differences } from './differences.ts'
import { documentPath, documentText } from './document.ts'
import { servers } from './servers.ts'

test('`docs/compatibility.md` says what the suite expects of the servers', () => {
  const text = readFileSync(documentPath, 'utf8')
  expect(text, '`node test/compatibility/document.ts` writes it').toBe(documentText(text))
})

test('every difference is known of every server', () => {
  const unknown = servers.flatMap(({ name, observed }) =>
    differences.filter(({ label }) => (observed[label] ?? '') === '').map(({ label }) => `${name}: ${label}`),
  )
  expect(unknown).toEqual([])
})
