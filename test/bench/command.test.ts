import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { readReport } from '../../src/bench/report/read.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Its own directory for temporary files shows what is left in it. */
const directory = mkdtempSync(join(tmpdir(), 'remora-bench-command-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function start(...args: readonly string[]) {
  const env = { ...process.env, TMPDIR: directory }
  const child = spawn(process.execPath, [main, 'bench', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  return { child, said, closed: once(child, 'close') }
}

/** Kept on purpose: the compiled floor. */
function left(pid: number | undefined): string[] {
  const groups = ['/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/cpu'].filter((at) => existsSync(at))
  return [
    ...readdirSync(directory).filter((name) => name !== 'remora-bench'),
    ...groups.flatMap((at) => readdirSync(at)).filter((name) => name.startsWith(`remora-bench-${pid}-`)),
  ]
}

test('one scenario, from the options to the report', async () => {
  const out = join(directory, 'remora-bench', 'report')
  const { child, said, closed } = start(
    '--short',
    '--scenario',
    'restart',
    '--rounds',
    '1',
    '--cpu',
    '500m',
    '--memory',
    '64Mi',
    '--out',
    out,
  )
  expect(await closed).toEqual([0, null])
  expect(said.err).toMatch(/limits {4}(500m CPU, 64Mi: --cpu and --memory|.*)/)
  expect(said.err).toContain('restart: killed once')
  expect(said.out).toContain('Every line arrived, once, in every run')
  const read = readReport(join(out, 'report.json'))
  expect(read).toMatchObject({ ok: true, value: { limitsFrom: '--cpu and --memory', failures: [], skipped: [] } })
  const [row] = read.ok ? read.value.scenarios[0]!.rows : []
  // One more where something disturbed the first.
  expect(new Set(row!.figures.find(({ name }) => name === 'lost')?.values)).toEqual(new Set([0]))
  expect(row!.moments.length).toBeGreaterThan(10)
  expect(existsSync(join(out, 'report.html'))).toBe(true)
  expect(left(child.pid)).toEqual([])
})

test.each(['SIGINT', 'SIGHUP'] as const)('%s ends everything, and nothing is left', async (signal) => {
  const { child, said, closed } = start(
    '--short',
    '--scenario',
    'idle',
    '--out',
    join(directory, 'remora-bench', 'other'),
  )
  while (!said.err.includes('idle: 1,000 files')) await once(child.stderr, 'data')
  await new Promise((resolve) => setTimeout(resolve, 500))
  child.kill(signal)
  expect(await closed).toEqual([130, null])
  expect(said.err).toContain('Stopped')
  expect(said.out).toBe('')
  expect(left(child.pid)).toEqual([])
})

test.each([
  [['--scenario', 'nothing'], 'there is no scenario "nothing"'],
  [['--manifest', '/no/such.yaml'], '/no/such.yaml cannot be read'],
  [['--cpu', 'many'], '--cpu: "many" is not a number of processors'],
])('%j is refused at once', async (args, message) => {
  const { said, closed } = start(...args)
  expect(await closed).toEqual([2, null])
  expect(said.err).toContain(message)
})
