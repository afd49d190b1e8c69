import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** The bundle is made before the tests (`test/kit/build.ts`). */
const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const made = JSON.parse(fs.readFileSync(path.join(dist, 'inputs.json'), 'utf8')) as unknown[]

/** Of the bundle that `main.js` names: those before it are kept for a month. */
function partsOf(entry: string, found = new Set<string>()): Set<string> {
  if (found.has(entry)) return found
  found.add(entry)
  const text = fs.readFileSync(path.join(dist, entry), 'utf8')
  for (const [, name = ''] of text.matchAll(/["']\.\/([\w-]+\.js)["']/g)) partsOf(name, found)
  return found
}

function builtinsLoadedBy(script: string): string[] {
  const text = `${script}; process.stdout.write(JSON.stringify(process.moduleLoadList))`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', text], { cwd: dist, encoding: 'utf8' })
  expect(child.stderr).toBe('')
  return JSON.parse(child.stdout) as string[]
}

const undici = 'NativeModule internal/deps/undici/undici'

test('what an import of node:http loads is what it is kept for', () => {
  expect(builtinsLoadedBy("await import('node:http')")).toContain(undici)
})

test('no part of the bundle loads undici', () => {
  const parts = [...partsOf('main.js')].filter((name) => name !== 'main.js')
  expect(made.length).toBeGreaterThan(100)
  expect(parts.length).toBeGreaterThan(5)
  const imports = parts.map((name) => `await import('./${name}')`).join('; ')
  const loaded = builtinsLoadedBy(imports)
  // What is looked for would be there: the HTTP client is.
  expect(loaded).toContain('NativeModule _http_client')
  expect(loaded).not.toContain(undici)
})

/** What is loaded together with a part, not the ones that it may ask for later. */
function loadedWith(entry: string, found = new Set<string>()): Set<string> {
  if (found.has(entry)) return found
  found.add(entry)
  const text = fs.readFileSync(path.join(dist, entry), 'utf8')
  for (const [, name = ''] of text.matchAll(/^(?:import|export)\b[^"';]*["']\.\/([\w-]+\.js)["']/gm))
    loadedWith(name, found)
  return found
}

const textOf = (name: string) => fs.readFileSync(path.join(dist, name), 'utf8')

test('an agent that nobody looks at carries nothing of the status page', () => {
  const run = [...partsOf('main.js')].find((name) => name.startsWith('run-'))!
  const page = [...partsOf('main.js')].filter((name) => textOf(name).includes('Since this page was opened'))
  expect(page).toHaveLength(1)
  const carried = loadedWith(run)
  expect(carried.size).toBeGreaterThan(1)
  expect([...carried].filter((name) => page.includes(name))).toEqual([])
})
