import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { markdownReference, referenceBegin, referenceEnd } from '../../src/config/reference.ts'

test('the table of settings in README is what the code knows', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const table = readme.slice(readme.indexOf(referenceBegin) + referenceBegin.length, readme.indexOf(referenceEnd))
  expect(table, '`npm run remora -- config --markdown` prints the new one').toBe(markdownReference())
})
