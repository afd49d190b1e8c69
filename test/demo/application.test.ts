import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { type ApplicationAccount, LineHashSum, lineHashSum, runApplication } from '../../src/demo/application.ts'
import type { LogAccount } from '../../src/demo/application-log.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'application-'))
})
afterEach(() => rm(directory, { recursive: true }))

function start(...args: string[]): {
  process: ChildProcess
  ended: Promise<{ code: number | null; out: string; err: string }>
} {
  const program = new URL('../../src/demo/application.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(([, out, err]) => ({
    code: child.exitCode,
    out,
    err,
  }))
  return { process: child, ended }
}

/** What the files of one log hold, counted anew. */
async function found(log: string): Promise<Omit<LogAccount, 'rotations'>> {
  const names = (await readdir(directory)).filter((name) => name.startsWith(log))
  const bytes = Buffer.concat(await Promise.all(names.map((name) => readFile(join(directory, name)))))
  const lines = bytes.toString('utf8').split(/\r?\n/)
  expect(lines.pop()).toBe('')
  return { file: log, lines: lines.length, bytes: bytes.length, hash: lineHashSum(lines) }
}

async function expectAccount(account: ApplicationAccount): Promise<void> {
  for (const { rotations: _, ...file } of account.files) expect(await found(file.file)).toEqual(file)
  const [orders, payments] = account.files
  expect(account.lines).toBe((orders?.lines ?? 0) + (payments?.lines ?? 0))
  expect(account.bytes).toBe((orders?.bytes ?? 0) + (payments?.bytes ?? 0))
}

test('it ends by itself, and its account is what the files hold, rotated ones included', async () => {
  const { ended } = start(
    '--directory',
    directory,
    '--seconds',
    '1',
    '--rate',
    '4000',
    '--seed',
    '7',
    '--rotate-seconds',
    '0.3',
  )
  const { code, out } = await ended
  expect(code).toBe(0)
  expect(out.endsWith('\n') && out.indexOf('\n') === out.length - 1).toBe(true)
  const account: ApplicationAccount = JSON.parse(out)
  await expectAccount(account)
  expect(account.lines).toBeGreaterThanOrEqual(4000)
  for (const { rotations } of account.files) expect(rotations).toBeGreaterThanOrEqual(1)
  const expected = ['orders.log', 'orders.log.1', 'payments.log', 'payments.log.1']
  expect(await readdir(directory)).toEqual(expect.arrayContaining(expected))
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s: it finishes the line and prints its account', async (signal) => {
  const { process: child, ended } = start('--directory', directory, '--seconds', '60', '--rate', '2000', '--seed', '1')
  await expect.poll(() => readdir(directory)).toContain('payments.log')
  await new Promise((resolve) => setTimeout(resolve, 300))
  child.kill(signal)
  const { code, out } = await ended
  expect(code).toBe(0)
  await expectAccount(JSON.parse(out))
})

test.each([
  [['--seconds', '1'], '--directory is missing'],
  [['--directory', '/tmp/x', '--rate', 'fast'], '--rate is fast'],
  [['--colour'], "Unknown option '--colour'"],
])('%j is a mistake', async (args, message) => {
  const { code, err, out } = await start(...args).ended
  expect(err).toContain(message)
  expect([code === 0, out]).toEqual([false, ''])
})

/** A clock that jumps to the next timer at once, and counts them. */
function fastClock(): Clock & { timers: number } {
  let nowMs = 0
  const clock = {
    timers: 0,
    nowMs: () => 1_700_000_000_000 + nowMs,
    monotonicMs: () => nowMs,
    after(delayMs: number, run: () => void) {
      clock.timers++
      const handle = setImmediate(() => {
        nowMs += delayMs
        run()
      })
      return { cancel: () => clearImmediate(handle) }
    },
  }
  return clock
}

test('it keeps its rate by sleeping, rotates on time and keeps three old files', async () => {
  const clock = fastClock()
  const account = await runApplication({ directory, seconds: 30, rate: 500, seed: 3, rotateSeconds: 4 }, clock)
  expect(account.lines).toBeGreaterThanOrEqual(15_000)
  expect(account.lines).toBeLessThan(15_100)
  expect(clock.timers).toBeLessThanOrEqual(30 * 50 + 1)
  expect(account.files.map(({ rotations }) => rotations)).toEqual([7, 6])
  const names = ['orders', 'payments'].flatMap((log) => ['', '.1', '.2', '.3'].map((end) => `${log}.log${end}`))
  expect((await readdir(directory)).toSorted()).toEqual(names)
})

test('the same seed writes the same lines, another one others', async () => {
  const accounts = await Promise.all(
    [5, 5, 6].map((seed, run) => {
      const options = { directory: join(directory, String(run)), seconds: 3, rate: 200, seed }
      return runApplication(options, fastClock())
    }),
  )
  const [first, second, other] = accounts.map(({ hash }) => hash)
  expect(second).toBe(first)
  expect(other).not.toBe(first)
})

test('a log directory that cannot be made is an error', async () => {
  const options = { directory: import.meta.filename, seconds: 1, rate: 1, seed: 1 }
  await expect(runApplication(options)).rejects.toMatchObject({ code: 'EEXIST' })
})

test('the hash sum knows the lines, not their order', () => {
  const lines = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 })
  fc.assert(
    fc.property(lines, fc.nat(), fc.nat(), (all, first, second) => {
      const rotated = [...all.slice(first % all.length), ...all.slice(0, first % all.length)].toReversed()
      expect(lineHashSum(rotated)).toBe(lineHashSum(all))
      expect(lineHashSum(all)).toMatch(/^[0-9a-f]{32}$/)
      expect(lineHashSum(all.toSpliced(second % all.length, 1))).not.toBe(lineHashSum(all))
      expect(lineHashSum([...all, ...all.slice(0, 1)])).not.toBe(lineHashSum(all))
      const [left, right] = [new LineHashSum(), new LineHashSum()]
      for (const line of all.slice(0, second % all.length)) left.add(line)
      for (const line of all.slice(second % all.length)) right.add(Buffer.from(line))
      left.merge(right)
      expect([left.value(), left.lines]).toEqual([lineHashSum(all), all.length])
    }),
  )
})
