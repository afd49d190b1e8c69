import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))
/** Its own directory for temporary files shows what is left in it. */
const directory = mkdtempSync(join(tmpdir(), 'remora-tune-command-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function start(...args: readonly string[]) {
  const env = { ...process.env, TMPDIR: directory }
  const child = spawn(process.execPath, [main, 'bench', 'tune', ...args], {
    env,
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  return { child, said, closed: once(child, 'close') }
}

test.each([
  [['--goal', 'speed'], '--goal is not "speed"'],
  [['--url', 'http://127.0.0.1:9', '--latency', '20ms'], '--latency cannot slow your own server down'],
  [['--manifest', '/no/such.yaml'], '/no/such.yaml cannot be read'],
  [['--memory', '40Mi'], 'nothing can be tuned, for the agent does not start as it is: a memory limit of 40 MiB'],
])('%j is refused at once', async (args, message) => {
  const { said, closed } = start(...args)
  expect(await closed).toEqual([2, null])
  expect(said.err).toContain(message)
  expect(said.out).toBe('')
})

test('a server that does not answer is told, and nothing is', async () => {
  const { said, closed } = start('--url', 'http://127.0.0.1:9', '--short')
  expect(await closed).toEqual([1, null])
  expect(said.err).toMatch(/127\.0\.0\.1:9/)
  expect(said.out).toBe('')
})

test('Ctrl-C ends everything, and nothing is left', async () => {
  const { child, said, closed } = start('--short', '--out', join(directory, 'out'))
  while (!said.err.includes('how much is a backlog')) await once(child.stderr, 'data')
  await new Promise((resolve) => setTimeout(resolve, 500))
  child.kill('SIGINT')
  expect(await closed).toEqual([130, null])
  expect(said.err).toContain('Stopped')
  expect(said.out).toBe('')
  expect(existsSync(join(directory, 'out', 'tune.json'))).toBe(false)
  const left = readdirSync(directory).filter((name) => name !== 'out' && name !== 'remora-bench')
  expect(left).toEqual([])
})
