import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { remoraProgram } from '../../src/bench/agent/remora.ts'
import { cgroupsAvailable, cgroupVersion } from '../../src/bench/machine/cgroup.ts'
import { realParts } from '../../src/bench/parts.ts'
import type { Program } from '../../src/bench/program.ts'
import { run, type RunOptions } from '../../src/bench/run.ts'
import { plainShape, type Enforcement, type RunPlan } from '../../src/bench/types.ts'

const mib = 2 ** 20
const bytesPerSecond = 500_000
const plan: RunPlan = {
  limits: { cpus: undefined, memoryBytes: undefined },
  workload: {
    seed: 1,
    mix: { kind: 'mixed' },
    rate: { kind: 'fixed', bytesPerSecond },
    files: 1,
    activeFiles: 1,
    rotation: { kind: 'none' },
    end: { seconds: 1 },
  },
  destination: { kind: 'null', shape: plainShape },
  settings: {},
  killsAtMs: [],
  warmUpMs: 200,
  drainMsMax: 2_000,
}
const able = cgroupsAvailable()
const group: Enforcement = { kind: 'cgroup', version: able.available ? cgroupVersion() : 1 }
const options = (over: Partial<RunOptions> = {}): RunOptions => ({
  program: remoraProgram(),
  parts: realParts({}),
  enforcement: { kind: 'none', reason: 'a test' },
  signal: new AbortController().signal,
  ...over,
})

function faulty(fault: string): Program {
  const script = fileURLToPath(new URL('faulty-agent.ts', import.meta.url))
  return {
    name: 'faulty',
    version: () => Promise.resolve('0'),
    command: ({ url, logs }) =>
      Promise.resolve({ command: process.execPath, args: [script, fault, url, logs], env: {}, stopSignal: 'SIGTERM' }),
  }
}

function left(): string[] {
  const groups = ['/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpuacct']
  const made = groups.filter((at) => existsSync(at)).flatMap((at) => readdirSync(at).map((name) => `${at}/${name}`))
  return [...made.filter((name) => name.includes(`remora-bench-${process.pid}-`)), ...readdirSync(directory)]
}
/** Of our own guards those that are there. */
function guards(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const [command, parent] = [
        readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
        readFileSync(`/proc/${pid}/stat`, 'utf8'),
      ]
      return command.includes('kill -KILL "$0"') && Number(parent.split(') ')[1]?.split(' ')[1]) === process.pid
    } catch {
      return false
    }
  })
}
/** Its own directory for temporary files shows what is left in it. */
const directory = mkdtempSync(join(tmpdir(), 'remora-run-test-'))
beforeAll(() => vi.stubEnv('TMPDIR', directory))
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true, force: true })
})

describe('one run of Remora', () => {
  test.skipIf(!able.available)(
    'in a real group, killed once: every line counted, and nothing left behind',
    async () => {
      const limits = { cpus: 0.5, memoryBytes: 64 * mib }
      const workload = { ...plan.workload, end: { seconds: 3 } }
      const killed = { ...plan, limits, workload, killsAtMs: [1_000], drainMsMax: 20_000 }
      const result = await run(killed, options({ enforcement: group }))
      expect(result.failure).toBe('')
      expect(result.account).toMatchObject({ lostLines: 0, twiceLines: 0, wrongLines: 0 })
      expect(result.account.storedLines).toBe(result.account.writtenLines)
      expect(result.account.writtenBytes).toBeGreaterThan(2.5 * bytesPerSecond)
      expect(result.memory.peakBytes).toBeGreaterThan(10 * mib)
      expect(result.memory.peakBytes).toBeLessThanOrEqual(64 * mib)
      // Two starts, of which one counts.
      expect(result.cpu.userUs + result.cpu.systemUs).toBeGreaterThan(100_000)
      expect(result.moments.length).toBeGreaterThan(8)
      expect(Math.max(...result.moments.map(({ lagBytes }) => lagBytes))).toBeGreaterThan(bytesPerSecond / 10)
      expect(result.latency?.lines).toBeGreaterThan(0)
      expect(result.bodyBytes).toBeGreaterThan(result.account.writtenBytes)
    },
  )

  test('without a group, from a backlog', async () => {
    const workload = { ...plan.workload, rate: { kind: 'backlog' }, end: { bytes: 4e6 } } as const
    const result = await run({ ...plan, workload, warmUpMs: 0, drainMsMax: 20_000 }, options())
    expect(result.failure).toBe('')
    expect(result.account.writtenBytes).toBeGreaterThanOrEqual(4e6)
    expect(result.cpu.userUs).toBeGreaterThan(0)
  })
})

test('a writer that stood still: no latency is told, and a note says why', async () => {
  const parts = realParts({})
  const writer: typeof parts.writer = async (...args) => {
    const real = await parts.writer(...args)
    const ended = real.ended.then((written) => ({ ...written, lateMsMax: 251 }))
    return {
      begin: () => real.begin(),
      progress: real.progress,
      stop: () => real.stop(),
      ended,
      kill: () => real.kill(),
    }
  }
  const result = await run(plan, options({ program: faulty(''), parts: { ...parts, writer } }))
  expect(result).toMatchObject({ failure: '', latency: undefined })
  expect(result.notes).toEqual([expect.stringContaining('stood still for more than 250 ms')])
})

test('documents that are refused in an answer to the others come again, and each line is there once', async () => {
  const shape = { ...plainShape, itemRefusedShare: 0.3 }
  const result = await run({ ...plan, destination: { kind: 'null', shape }, drainMsMax: 20_000 }, options())
  expect(result.failure).toBe('')
  expect(result.account).toMatchObject({ lostLines: 0, twiceLines: 0, wrongLines: 0 })
  expect(result.account.storedLines).toBe(result.account.writtenLines)
})

describe('what is wrong is found', () => {
  test.each([
    ['holds', /^lines came only when the agent was asked to stop: not all was there before$/],
    ['skips', /^20 of \d+ lines lost, or not there 1 s/],
    ['ends', /^the agent ended by itself: code 3/],
  ])('an agent that %s', async (fault, message) => {
    expect((await run({ ...plan, drainMsMax: 1_000 }, options({ program: faulty(fault) }))).failure).toMatch(message)
    await expect.poll(guards).toEqual([])
    expect(left()).toEqual([])
  })

  test.skipIf(!able.available)('one that takes more memory than it may', async () => {
    const limited = { ...plan, limits: { cpus: undefined, memoryBytes: 80 * mib } }
    const { failure, memory } = await run(limited, options({ program: faulty('hoards'), enforcement: group }))
    expect(failure).toMatch(/killed for lack of memory, 1 times/)
    expect(memory.oomKills).toBeGreaterThan(0)
    expect(left()).toEqual([])
  })

  test('a program that is not there', async () => {
    const program = {
      ...faulty(''),
      command: () => Promise.resolve({ command: '/no/such', args: [], env: {}, stopSignal: 'SIGTERM' as const }),
    }
    expect((await run(plan, options({ program }))).failure).toMatch(/did not start: .*ENOENT/)
  })

  test('told to stop: it throws, and everything is gone', async () => {
    const stop = new AbortController()
    const running = run(
      { ...plan, workload: { ...plan.workload, end: { seconds: 60 } } },
      options({ signal: stop.signal }),
    )
    setTimeout(() => stop.abort(new Error('SIGINT')), 1_500)
    await expect(running).rejects.toThrow('SIGINT')
    expect(left()).toEqual([])
  })
})
