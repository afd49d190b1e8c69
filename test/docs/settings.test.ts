import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { markdownReference, referenceBegin, referenceEnd, shortReference } from '../../src/config/reference.ts'

test.each([
  ['docs/settings.md', markdownReference],
  ['README.md', shortReference],
] as const)('the table of settings in %s is what the code knows', (name, made) => {
  const page = readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
  expect(page.split(referenceBegin)).toHaveLength(2)
  const table = page.slice(page.indexOf(referenceBegin) + referenceBegin.length, page.indexOf(referenceEnd))
  expect(table, '`npm run docs` writes the new one').toBe(made())
})

test('README has a dozen of them, and of no name that there is not', () => {
  const names = [...shortReference().matchAll(/^\| `(REMORA_[A-Z_]+)` \|/gm)].map(([, name]) => name)
  expect(names).toHaveLength(12)
  for (const name of names) expect(markdownReference()).toContain(`\n| \`${name}\` | `)
})
