import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { search } from '../../../src/bench/tune/search.ts'
import { failureOf, pasteText, tuneText } from '../../../src/bench/tune/text.ts'
import type { Beside, TuneReport } from '../../../src/bench/tune/types.ts'
import { writeTuneReport } from '../../../src/bench/tune/write.ts'
import { dimension, rules, spaceOf, type Surface, SyntheticStage } from './surface.ts'

const mib = 2 ** 20
const beside = (value: number): Beside => ({
  bytesPerSecond: value,
  cpuSecondsPerGB: 3,
  p99Ms: undefined,
  peakBytes: 38 * mib,
  sentPerLogByte: 2.7,
})

async function reportOf(surface: Partial<Surface>, over: Partial<TuneReport> = {}, start = {}): Promise<TuneReport> {
  const stage = new SyntheticStage({ truth: () => 20e6, noise: 0.01, ...surface }, 1, 150, beside)
  const dimensions = [dimension('REMORA_CONCURRENCY', '4', '8'), dimension('REMORA_BATCH_BYTES', '1Mi')]
  const found = await search(spaceOf(dimensions, start), rules, stage)
  return {
    ...found,
    schema: 'remora-bench-tune',
    version: 1,
    remora: '0.1.0',
    commit: undefined,
    machine: {
      processor: 'AMD EPYC',
      processors: 2,
      memoryBytes: 24 * 2 ** 30,
      memoryLimit: { bytes: 1, origin: '' },
      kernel: '6.18',
      node: 'v26',
      loadBefore: 0.1,
    },
    limits: { cpus: 0.2, memoryBytes: 64 * mib },
    limitsFrom: '--cpu and --memory',
    enforcement: { kind: 'cgroup', version: 2 },
    seed: 1,
    options: {},
    goal: 'rate',
    leastEffect: 0.03,
    server: { kind: 'null', latencyMs: 20, bytesPerSecond: undefined },
    load: { backlogBytes: 100e6 },
    runs: stage.ran.length,
    measuring: { agentUs: 0, sinkUs: 0, writerUs: 0, benchUs: 0, wallMs: 0 },
    startedAt: '2026-11-26T08:00:00.000Z',
    endedAt: '2026-11-26T08:07:20.000Z',
    ...over,
  }
}

const flat = (report: TuneReport, columns = 100) => tuneText(report, columns).replaceAll(/\s+/g, ' ')
const isVoid = (_: number, about: string) => /confirming: as chosen, round 2\b/.test(about)
const isFour: Surface['truth'] = (values) => (values['REMORA_CONCURRENCY'] === '4' ? 30e6 : 20e6)
const isBoth: Surface['truth'] = (values) => isFour(values) * (values['REMORA_BATCH_BYTES'] === '1Mi' ? 1.2 : 1)

describe('what is told', () => {
  test('runs that do not count while it is confirmed are told', async () => {
    const report = await reportOf({ truth: isFour, isVoid })
    expect(flat(report)).toMatch(/tuned: 30 .*\(1 more does not count: the machine\)/)
    expect(flat(await reportOf({ truth: isFour }))).not.toContain('more does not count')
  })

  test('a gain, with its interval, what else became of it, and the block at the end', async () => {
    const report = await reportOf({ truth: isFour })
    const text = flat(report)
    expect(text).toContain('0.1.0, seed 1')
    expect(text).toContain('goal rate: log bytes per second out of a backlog of 100 MB')
    expect(text).toContain("server the bench's own, answers after 20ms")
    expect(text).toMatch(/Tried, in turn .* REMORA_CONCURRENCY, rate in MB\/s until then \(as it is\): 20/)
    expect(text).toMatch(/ 4: 30, better: ×1\.[45]\d \(×1\.\d\d to ×1\.\d\d, \d\d % sure\); batches of/)
    expect(text).toMatch(/Measured again \(9 and 9 fresh runs, in turn\): as it is, and REMORA_CONCURRENCY=4/)
    expect(text).toMatch(/peak memory, MiB 38 38/)
    expect(text).toContain('not measured or not counted here: latency p99, ms')
    expect(text).toMatch(/This setting is better for log bytes per second out of a backlog: ×1\.[45]\d/)
    expect(pasteText(report, 'kubernetes')).toBe('- name: REMORA_CONCURRENCY\n  value: "4"')
    expect(pasteText(report, 'env')).toBe('REMORA_CONCURRENCY=4')
  })

  test('of two changes, what each of them brought', async () => {
    const report = await reportOf({ truth: isBoth })
    expect(flat(report)).toMatch(
      /REMORA_CONCURRENCY=4 brought, beside the others: ×1\.[45]\d .*, better REMORA_BATCH_BYTES=1Mi brought, beside the others: ×1\.[12]\d/,
    )
    expect(flat(report)).toContain('These settings are better')
    expect(pasteText(report, 'env')).toBe('REMORA_CONCURRENCY=4\nREMORA_BATCH_BYTES=1Mi')
  })

  test('nothing, when it is noise; then there is no block', async () => {
    const report = await reportOf({ noise: 0.05 })
    expect(flat(report)).toContain('within noise: ×')
    expect(flat(report)).toContain(
      'Nothing to set: nothing that was tried is better than the defaults by more than noise.',
    )
    expect(pasteText(report, 'kubernetes')).toBe('')
  })

  test('nothing, when what was chosen is not confirmed', async () => {
    // It was fast while it was chosen.
    let runs = 0
    const truth: Surface['truth'] = (values) => (values['REMORA_CONCURRENCY'] === '4' && ++runs < 10 ? 30e6 : 20e6)
    const report = await reportOf({ truth })
    expect(report.confirmation).toBeDefined()
    expect(flat(report)).toContain(
      'what looked better was within noise when it was measured again, so the defaults will do as well',
    )
    expect(pasteText(report, 'kubernetes')).toBe('')
  })

  test('what is out, and why', async () => {
    const report = await reportOf({
      fails: (values) => (values['REMORA_CONCURRENCY'] === '8' ? '3 of 9 lines lost' : ''),
    })
    expect(flat(report)).toMatch(/ 8: OUT: 3 of 9 lines lost \(batches of/)
    expect(failureOf(report)).toBe('')
  })

  test('what is there and fails is a failure of all of it', async () => {
    const report = await reportOf({
      fails: (values, run) => (run > 8 && Object.keys(values).length === 0 ? 'lines lost' : ''),
    })
    expect(failureOf(report)).toBe('The settings as they are failed in a later run, so nothing is told: lines lost')
    expect(flat(report)).toContain(failureOf(report))
    expect(pasteText(report, 'env')).toBe('')
  })

  test('what the machine disturbed', async () => {
    const report = await reportOf({ isVoid: (run) => run === 2 })
    expect(flat(report)).toMatch(/4: 20 .*\(1 more does not count: the machine\)/)
  })

  test('far behind, dropped early', async () => {
    expect(flat(await reportOf({ truth: (values) => (values['REMORA_CONCURRENCY'] === '8' ? 2e6 : 20e6) }))).toMatch(
      /far behind, dropped after 1 round\b/,
    )
  })

  test('what was not tried', async () => {
    const untried = [{ name: 'REMORA_BATCH_BYTES=8Mi', reason: 'no room' }]
    expect(flat(await reportOf({}, { untried }))).toContain('not tried: REMORA_BATCH_BYTES=8Mi: no room')
  })

  test('a setting that must go', async () => {
    const report = await reportOf({}, { block: { REMORA_COMPRESSION: 'none' }, remove: ['REMORA_COMPRESSION_LEVEL'] })
    expect(pasteText(report, 'env')).toBe('# take out REMORA_COMPRESSION_LEVEL\nREMORA_COMPRESSION=none')
  })

  test.each([
    [{ kind: 'null', latencyMs: 0, bytesPerSecond: undefined }, true],
    [{ kind: 'null', latencyMs: 0, bytesPerSecond: 20e6 }, false],
    [{ kind: 'null', latencyMs: 20, bytesPerSecond: undefined }, false],
    [{ kind: 'elasticsearch', url: 'http://e:9200' }, false],
  ] as const)('%j: only the agent’s side is %s', async (server, isSo) => {
    expect(flat(await reportOf({}, { server })).includes('Only the agent’s side was tuned')).toBe(isSo)
  })

  test('limits that did not hold come first', async () => {
    const report = await reportOf({}, { enforcement: { kind: 'none', reason: 'no cgroup' } })
    expect(tuneText(report, 100)).toMatch(/^!! THE LIMITS WERE NOT ENFORCED/)
  })

  test.each([40, 60, 80, 100, 160])('no line is longer than %i', async (columns) => {
    const name = `REMORA_CONCURRENCY=${'9'.repeat(20)}\u001b[31m`
    const report = await reportOf({ truth: isBoth }, { untried: [{ name, reason: 'because '.repeat(40) }] })
    const text = tuneText(report, columns)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(columns)
    expect(text).not.toContain('\u001b')
  })
})

test('tune.json has every value that was measured', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'remora-tune-test-'))
  try {
    const report = await reportOf({ truth: isBoth })
    const path = writeTuneReport(report, directory)
    const read = JSON.parse(readFileSync(path, 'utf8')) as TuneReport
    expect(read).toEqual(JSON.parse(JSON.stringify(report)))
    expect(read).toMatchObject({ schema: 'remora-bench-tune', version: 1 })
    const { contests, confirmation } = read
    const parts = confirmation!.parts.flatMap(({ without }) => without ?? [])
    const all = [
      ...contests.flatMap(({ best, judged }) => [best, ...judged]),
      confirmation!.before,
      confirmation!.chosen,
      ...parts,
    ]
    expect(all.reduce((sum, { values }) => sum + values.length, 0)).toBe(read.runs)
    expect(() => writeTuneReport(report, join(directory, 'none'))).toThrow('cannot be written')
  } finally {
    rmSync(directory, { recursive: true })
  }
})
