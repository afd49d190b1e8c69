import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPrograms } from '../../bench/peer-programs.ts'
import { type Trial, trialRounds, trialsOf } from '../../bench/peer-rounds.ts'
import { trialText } from '../../bench/peer-table.ts'
import { configurationFor, rsyslogProgram } from '../../bench/peers/rsyslog.ts'
import { realParts } from '../../src/bench/parts.ts'
import type { Program } from '../../src/bench/program.ts'
import { run } from '../../src/bench/run.ts'
import type { RunPlan, RunResult } from '../../src/bench/types.ts'

const limits = { cpus: undefined, memoryBytes: undefined }
const sizes = { limits, seed: 1, backlogBytes: 1e6, bytesPerSecond: 1e6, seconds: 4 }

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'remora-peers-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const rsyslog = await rsyslogProgram()
  .version()
  .then((version) => ({ isHere: true, said: version }))
  .catch((error: unknown) => ({ isHere: false, said: String(error) }))
if (!rsyslog.isHere) console.warn(`What rsyslog does is not tested: ${rsyslog.said}`)

function settingsIn(name: string) {
  const own = join(directory, name)
  mkdirSync(join(own, 'logs'), { recursive: true })
  return { directory: own, logs: join(own, 'logs'), url: 'http://127.0.0.1:9', index: 'logs' }
}

describe('rsyslog', () => {
  test
    .skipIf(!rsyslog.isHere)
    .each([
      'plain',
      'with a space',
      `it's "quoted"`,
      'back\\slash',
      '$HOME and 100%',
      '[a]*?{b,c}',
      '# no comment; (none)',
      'Überlauf 日志',
    ])('understands its configuration for %j', (name) => {
    const settings = settingsIn(name)
    const path = join(settings.directory, 'rsyslog.conf')
    writeFileSync(path, configurationFor(settings))
    const { status, stderr } = spawnSync('rsyslogd', ['-N1', '-f', path], {
      encoding: 'utf8',
      env: { PATH: `${process.env['PATH']}:/usr/sbin` },
      timeout: 10_000,
    })
    expect(stderr.split('\n').filter((line) => !/config validation run|^$/.test(line))).toEqual([])
    expect(status).toBe(0)
  })

  test('has no word for a control character', () => {
    expect(() => configurationFor({ ...settingsIn('x'), logs: '/logs\n' })).toThrow('rsyslog has no word for')
  })

  test.skipIf(!rsyslog.isHere)('ships every line of a workload, once and as it was written', async () => {
    const [{ plan }] = trialsOf(sizes) as [Trial, Trial]
    const workload = { ...plan.workload, files: 3, activeFiles: 3 }
    const { failure, account, requests } = await run(
      { ...plan, workload, drainMsMax: 20_000 },
      {
        program: rsyslogProgram(),
        parts: realParts(process.env),
        enforcement: { kind: 'none', reason: 'a test' },
        signal: AbortSignal.timeout(40_000),
      },
    )
    expect(failure).toBe('')
    expect(account).toMatchObject({ lostLines: 0, twiceLines: 0, wrongLines: 0 })
    expect(account.storedLines).toBe(account.writtenLines)
    expect(account.writtenBytes).toBeGreaterThan(9e5)
    expect(requests).toBeGreaterThan(2)
  })
})

describe('programs', () => {
  test('are Remora and whatever a file exports; one that is not installed is told with the way to it', async () => {
    const here = join(directory, 'here.ts')
    writeFileSync(here, `export default { name: 'here', version: async () => '1.2', command: async () => ({}) }`)
    const away = join(directory, 'away.ts')
    const errors = JSON.stringify(new URL('../../src/base/errors.ts', import.meta.url).pathname)
    writeFileSync(
      away,
      `import { RemoraError } from ${errors}
       const version = async () => { throw new RemoraError('PEER_MISSING', 'away is not installed', 'Install it.') }
       export default { name: 'away', version, command: async () => ({}) }`,
    )
    const { installed, missing } = await findPrograms(['here', 'away'], [here, away])
    expect(installed.map(({ program, version }) => `${program.name} ${version}`)).toEqual(['remora 0.1.0', 'here 1.2'])
    expect(missing).toEqual([{ name: 'away', why: 'away is not installed. Install it.' }])
  })

  test('that nobody knows, and files that are none, are refused', async () => {
    await expect(findPrograms(['rsyslgo'])).rejects.toThrow('there is no peer "rsyslgo"')
    const none = join(directory, 'none.ts')
    writeFileSync(none, 'export default { name: 7 }')
    await expect(findPrograms([], [none])).rejects.toThrow('is no peer')
  })
})

const program = (name: string): Program => ({
  name,
  version: () => Promise.resolve('1'),
  command: () => Promise.reject(new Error('nobody starts it')),
})

const resultOf = (cpuSeconds: number, lostLines = 0): RunResult => ({
  account: {
    writtenLines: 1e6,
    writtenBytes: 1e9,
    storedLines: 1e6 - lostLines,
    lostLines,
    twiceLines: 0,
    againLines: 0,
    wrongLines: 0,
  },
  bytesPerSecond: 1e8,
  wallMs: 10_000,
  cpu: { userUs: cpuSeconds * 1e6, systemUs: 0 },
  others: { sinkUs: 0, writerUs: 0, benchUs: 0 },
  cpuSecondsPerGB: cpuSeconds,
  cpuSecondsPerMillionLines: cpuSeconds,
  latency: undefined,
  memory: { peakBytes: 2 ** 20, meanBytes: 2 ** 20, oomKills: 0 },
  throttledMs: 0,
  moments: [],
  requests: 1,
  bodyBytes: 2e9,
  failure: lostLines === 0 ? '' : `${lostLines} of 1000000 lines lost`,
})

const floors = (values: number[]) => ({ measure: () => Promise.resolve(values.shift()!) })

describe('rounds', () => {
  const [backlog] = trialsOf(sizes) as [Trial, Trial]

  test('alternate and turn round; a start is taken off, and ratios are within a round', async () => {
    const order: string[] = []
    // Remora: 3 s of which 1 is its start, then 5 of which 1 is; the other one 9, then 25, without a start.
    const cpu: Record<string, number[]> = { remora: [1, 3, 1, 5], other: [0, 8, 0, 24] }
    const result = await trialRounds(backlog, 2, {
      programs: [program('remora'), program('other')],
      floor: floors([0.5, 0.5, 0.3]),
      run: (_plan: RunPlan, { name }) => Promise.resolve(resultOf(cpu[name]!.shift()!)),
      step: (_trial, { name }, round) => order.push(`${round} ${name}`),
    })
    expect(order).toEqual(['1 remora', '1 other', '2 other', '2 remora'])
    const figures = Object.fromEntries(
      result.rows.map((row) => [row.name, Object.fromEntries(row.figures.map(({ name, values }) => [name, values]))]),
    )
    expect(figures['remora']).toMatchObject({
      start: [1, 1],
      'CPU, start apart': [2, 4],
      'to the floor': [4, 10],
      lost: [0, 0],
    })
    expect(figures['remora']).not.toHaveProperty('to Remora')
    expect(figures['other']).toMatchObject({ CPU: [8, 24], 'to Remora': [4, 6] })
    expect(result.floorSecondsPerGB).toEqual([0.5, 0.4])
    expect(result.disturbed).toBe(1)
  })

  test('in which lines are lost make no figure but how many, and say so', async () => {
    const losses = [0, 0, 0, 7]
    const result = await trialRounds(backlog, 1, {
      programs: [program('remora'), program('lossy')],
      floor: floors([0.5, 0.5]),
      run: () => Promise.resolve(resultOf(1, losses.shift())),
      step: () => undefined,
    })
    const lossy = result.rows[1]!
    expect(lossy.figures.map(({ name, values }) => [name, values])).toEqual([
      ['lost', [7]],
      ['stored twice', [0]],
    ])
    const text = trialText(result)
    expect(text).toContain('FAILED     lossy: 7 of 1000000 lines lost')
    const [, head = '', first = '', second = '', floor = ''] = text.split('\n')
    expect(head).toMatch(/throughput MB\/s .* lost {2}stored twice/)
    expect(first).toMatch(/^remora .* 0 {13}0$/)
    expect(second).toMatch(/^lossy {2,}- .* 7 {13}0$/)
    expect(floor).toMatch(/^copy floor .*0\.50 \(0\.50 to 0\.50\)/)
  })
})
