import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bundledMain, stampOf } from '../../src/base/bundle.ts'

let root: string

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-bundle-'))
  for (const directory of ['src', 'dist']) fs.mkdirSync(path.join(root, directory))
  for (const name of ['src/a.ts', 'src/b.ts']) fs.writeFileSync(path.join(root, name), `of ${name}`)
  stamp(['src/a.ts', 'src/b.ts'])
})

afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

function stamp(names: readonly string[]): void {
  const inputs = names.map((name) => stampOf(name, fs.statSync(path.join(root, name))))
  fs.writeFileSync(path.join(root, 'dist/inputs.json'), JSON.stringify(inputs))
}

const main = () => path.join(root, 'dist/main.js')

test('a bundle of the sources as they are is run', () => expect(bundledMain(root)).toBe(main()))

test('in an image there are no sources to compare', () => {
  stamp([])
  fs.rmSync(path.join(root, 'src'), { recursive: true })
  expect(bundledMain(root)).toBe(main())
})

test.each([
  ['changed', () => fs.appendFileSync(path.join(root, 'src/a.ts'), '!')],
  ['written again with as many bytes', () => fs.writeFileSync(path.join(root, 'src/b.ts'), 'OF src/b.ts')],
  ['gone', () => fs.rmSync(path.join(root, 'src/b.ts'))],
  ['older than it was', () => fs.utimesSync(path.join(root, 'src/a.ts'), 1, 1)],
])('not when a source is %s', (_, change) => {
  change()
  expect(bundledMain(root)).toBeUndefined()
})

test.each([
  ['no bundle', () => fs.rmSync(path.join(root, 'dist'), { recursive: true })],
  ['half of a list', () => fs.writeFileSync(path.join(root, 'dist/inputs.json'), '[["src/a.ts",')],
  ['another kind of list', () => fs.writeFileSync(path.join(root, 'dist/inputs.json'), '{"src/a.ts":1}')],
])('not when there is %s', (_, change) => {
  change()
  expect(bundledMain(root)).toBeUndefined()
})
