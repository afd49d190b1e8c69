import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeFloor } from '../../src/bench/floor/floor.ts'
import { keptDir } from '../../src/bench/machine/kept.ts'
import { removeLeft, temporaryDirectory } from '../../src/bench/machine/temporary.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'remora-temporary-'))
  vi.stubEnv('TMPDIR', directory)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true, force: true })
})

test('what a bench left that is gone is removed, and nothing else', () => {
  const module = new URL('../../src/bench/machine/temporary.ts', import.meta.url).href
  const script = `import { temporaryDirectory } from ${JSON.stringify(module)}; console.log(temporaryDirectory('run')); process.kill(process.pid, 'SIGKILL')`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script])
  const left = String(stdout).trim()
  expect(existsSync(left)).toBe(true)
  const kept = ['remora-bench', 'remora-bench-', 'remora-bench-1-2-3-run-abcdef', 'another'].map((name) =>
    join(directory, name),
  )
  for (const path of kept) mkdirSync(path)
  const own = temporaryDirectory('run')
  removeLeft()
  expect(existsSync(left)).toBe(false)
  expect([...kept, own].filter((path) => !existsSync(path))).toEqual([])
})

test.each([
  ['one that others may write to', (path: string) => (mkdirSync(path), chmodSync(path, 0o777))],
  ['a link', (path: string) => (mkdirSync(`${path}-of-others`), symlinkSync(`${path}-of-others`, path))],
])('nothing is put into a directory of a known name that is %s', (_, plant) => {
  plant(join(directory, 'remora-bench'))
  expect(keptDir).toThrow(expect.objectContaining({ code: 'TEMP_UNSAFE' }))
})

test('the floor that is run lies where nobody could have put it', async () => {
  const { kind, command } = await makeFloor('auto')
  const names = readdirSync(directory)
  expect(kind === 'node' || command.startsWith(join(directory, names[0]!))).toBe(true)
  expect(names).not.toContain('remora-bench')
})
