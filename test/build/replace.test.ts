import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { replaceBundle } from '../../build/replace.ts'

const dayMs = 24 * 3_600_000
const nowMs = Date.now()
let directory: string

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-replace-'))
})

afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

function bundle(name: string, parts: Readonly<Record<string, number>>): string {
  const at = path.join(directory, name)
  fs.mkdirSync(at)
  for (const [part, ageDays] of Object.entries(parts)) {
    fs.writeFileSync(path.join(at, part), `${part} of ${name}`)
    const modified = new Date(nowMs - ageDays * dayMs)
    fs.utimesSync(path.join(at, part), modified, modified)
  }
  return at
}

const fresh = { 'main.js': 0, 'inputs.json': 0, 'run-2.js': 0 }

test('the first bundle is put where there was none', () => {
  const target = path.join(directory, 'dist')
  replaceBundle(bundle('draft', fresh), target, nowMs)
  expect(fs.readdirSync(target).toSorted()).toEqual(['inputs.json', 'main.js', 'run-2.js'])
  expect(fs.readdirSync(directory)).toEqual(['dist'])
})

test('parts of the bundle before stay for a month from its replacement on, however old they are', () => {
  const target = bundle('dist', { 'main.js': 400, 'inputs.json': 400, 'run-1.js': 401 })
  const parts = () => fs.readdirSync(target).toSorted()
  replaceBundle(bundle('draft', fresh), target, nowMs)
  expect(parts()).toEqual(['inputs.json', 'main.js', 'run-1.js', 'run-2.js'])
  expect(fs.readFileSync(path.join(target, 'main.js'), 'utf8')).toBe('main.js of draft')
  replaceBundle(bundle('draft', fresh), target, nowMs + 29 * dayMs)
  expect(parts()).toContain('run-1.js')
  replaceBundle(bundle('draft', fresh), target, nowMs + 31 * dayMs)
  expect(parts()).toEqual(['inputs.json', 'main.js', 'run-2.js'])
})

test('a part that is the same again stays, however old it looks', () => {
  const target = bundle('dist', { 'main.js': 40, 'inputs.json': 40, 'run-2.js': 40 })
  replaceBundle(bundle('draft', { ...fresh, 'run-2.js': 40 }), target, nowMs)
  expect(fs.readdirSync(target)).toContain('run-2.js')
})
