import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseReport, readReport } from '../../../src/bench/report/read.ts'
import type { Report } from '../../../src/bench/report/report.ts'
import { reportJson, writeReport } from '../../../src/bench/report/write.ts'
import { spreadOf } from '../../../src/bench/stats.ts'
import type { Enforcement, Figure, Row } from '../../../src/bench/types.ts'
import { exampleReport } from './example.ts'

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
const count = fc.nat()
const text = fc.string({ unit: 'binary', maxLength: 20 })
const limits = fc.record({
  cpus: fc.option(number, { nil: undefined }),
  memoryBytes: fc.option(number, { nil: undefined }),
})
const figure: fc.Arbitrary<Figure> = fc
  .record({
    name: text,
    unit: text,
    values: fc.array(number, { minLength: 1, maxLength: 5 }),
    better: fc.constantFrom('more', 'less', 'none'),
    isRatio: fc.boolean(),
  })
  .filter(({ values }) => Number.isFinite(spreadOf(values).median))
  .map((found) => ({ ...found, spread: spreadOf(found.values) }))
const latency = fc.record({
  lines: count,
  p50Ms: number,
  p90Ms: number,
  p99Ms: number,
  maxMs: number,
  histogram: fc.array(fc.record({ upToMs: number, lines: number }), { maxLength: 4 }),
})
const row: fc.Arbitrary<Row> = fc.record({
  name: text,
  limits,
  figures: fc.array(figure, { maxLength: 3 }),
  moments: fc.array(
    fc.record({ atMs: number, usedBytes: number, lagBytes: number, storedBytes: number, cpuUs: number }),
    { maxLength: 3 },
  ),
  latency: fc.option(latency, { nil: undefined }),
  outages: fc.array(fc.record({ fromMs: number, toMs: number }), { maxLength: 2 }),
  runs: count,
  failures: fc.array(text, { maxLength: 2 }),
  notes: fc.array(text, { maxLength: 2 }),
})
const enforcement: fc.Arbitrary<Enforcement> = fc.oneof(
  fc.record({ kind: fc.constant('cgroup' as const), version: fc.constantFrom(1 as const, 2 as const) }),
  fc.record({
    kind: fc.constant('container' as const),
    engine: fc.constantFrom('podman' as const, 'docker' as const),
    image: text,
    isRootless: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('own' as const), version: fc.constantFrom(1 as const, 2 as const) }),
  fc.record({ kind: fc.constant('none' as const), reason: text }),
)
const instant = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
  .map((date) => date.toISOString())
const report: fc.Arbitrary<Report> = fc.record({
  schema: fc.constant('remora-bench-report' as const),
  version: fc.constant(1 as const),
  remora: text,
  commit: fc.option(fc.record({ hash: text, isDirty: fc.boolean() }), { nil: undefined }),
  machine: fc.record({
    processor: text,
    processors: count,
    memoryBytes: number,
    memoryLimit: fc.record({ bytes: number, origin: text }),
    kernel: text,
    node: text,
    loadBefore: number,
  }),
  limits,
  limitsFrom: text,
  enforcement,
  seed: number,
  options: fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
  measuring: fc.record({ agentUs: number, sinkUs: number, writerUs: number, benchUs: number, wallMs: number }),
  floor: fc.option(fc.record({ kind: fc.constantFrom('c' as const, 'node' as const), explain: text }), {
    nil: undefined,
  }),
  scenarios: fc.array(fc.record({ name: text, about: text, rows: fc.array(row, { maxLength: 2 }), seconds: number }), {
    maxLength: 2,
  }),
  skipped: fc.array(fc.record({ name: text, reason: text }), { maxLength: 2 }),
  startedAt: instant,
  endedAt: instant,
  failures: fc.array(text, { maxLength: 2 }),
})

test('whatever is written is read as it was', () => {
  fc.assert(
    fc.property(report, (made) => {
      const read = parseReport(reportJson(made), 'a.json')
      expect(read).toEqual({ ok: true, value: made })
    }),
    { numRuns: 300 },
  )
})

/** Each place in a value, as the names that lead there. */
function placesOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, each]) => placesOf(each, [...path, name]))]
}

function pathText(path: readonly string[]): string {
  return path.reduce((so, name) => (/^\d+$/.test(name) ? `${so}[${name}]` : so === '' ? name : `${so}.${name}`), '')
}

function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by
  if (Array.isArray(value))
    return value.map((each: unknown, at) => (String(at) === name ? replaced(each, rest, by) : each))
  return Object.fromEntries(
    Object.entries(value as object).map(([key, each]: [string, unknown]) => [
      key,
      key === name ? replaced(each, rest, by) : each,
    ]),
  )
}

describe('a report that is not one', () => {
  const good: unknown = JSON.parse(reportJson(smallReport()))

  test('the example is read', () => expect(parseReport(JSON.stringify(good), 'a.json')).toMatchObject({ ok: true }))

  test('a field of another kind is named, wherever it is', () => {
    const places = placesOf(good).filter((path) => path.length > 0 && path[0] !== 'schema')
    expect(places.length).toBeGreaterThan(100)
    for (const path of places) {
      const read = parseReport(JSON.stringify(replaced(good, path, null)), 'a.json')
      expect(read).toMatchObject({ ok: false, message: expect.stringContaining(`${pathText(path)} must be`) })
    }
  })

  test('a field too many, or too few, is named', () => {
    const [more, less] = [{ x: 1 }, {}].map((by) =>
      parseReport(JSON.stringify(replaced(good, ['measuring'], by)), 'a.json'),
    )
    expect(more).toMatchObject({ ok: false, message: expect.stringContaining('measuring.x is no field') })
    expect(less).toMatchObject({
      ok: false,
      message: expect.stringContaining('measuring.agentUs must be a number, and is missing'),
    })
  })

  test('a number beyond all numbers', () => {
    const file = JSON.stringify(replaced(good, ['measuring', 'agentUs'], 'here')).replace('"here"', '1e999')
    const said = expect.stringContaining('measuring.agentUs is a number too large')
    expect(parseReport(file, 'a.json')).toMatchObject({ ok: false, message: said })
  })

  test('a median that is not that of the values', () => {
    const path = ['scenarios', '0', 'rows', '0', 'figures', '0', 'spread', 'median']
    expect(parseReport(JSON.stringify(replaced(good, path, 1)), 'a.json')).toMatchObject({
      ok: false,
      message: expect.stringContaining('scenarios[0].rows[0].figures[0].spread is not'),
    })
  })

  test('cut anywhere', () => {
    const whole = JSON.stringify(good)
    for (let bytes = 0; bytes < whole.length; bytes += 997) {
      expect(parseReport(whole.slice(0, bytes), 'a.json'), String(bytes)).toMatchObject({ ok: false })
    }
    expect(parseReport(whole.slice(0, 300), 'a.json')).toMatchObject({
      message: '"a.json" is cut: it ends in the middle of the report',
    })
  })

  test.each([
    ['', 'is empty'],
    ['<html>', 'is not JSON'],
    ['[]', 'is no report of'],
    ['null', 'is no report of'],
    ['{"schema":"another"}', 'is no report of'],
    [
      '{"schema":"remora-bench-report","version":2,"all":"new"}',
      'is a report of version 2, and this remora reads up to version 1',
    ],
    ['{"schema":"remora-bench-report","version":"1"}', 'version must be 1'],
    ['{"__proto__":{"schema":"remora-bench-report"},"version":1}', 'is no report of'],
  ])('%s', (json, message) => {
    expect(parseReport(json, 'a.json')).toMatchObject({ ok: false, message: expect.stringContaining(message) })
  })
})

function smallReport(): Report {
  const whole = exampleReport()
  const scenarios = whole.scenarios.slice(0, 2).map((scenario) => ({
    ...scenario,
    rows: scenario.rows.slice(0, 1).map((each) => ({
      ...each,
      moments: each.moments.slice(0, 2),
      outages: [{ fromMs: 1, toMs: 2 }],
      latency:
        each.latency === undefined ? undefined : { ...each.latency, histogram: each.latency.histogram.slice(0, 2) },
    })),
  }))
  return { ...whole, scenarios, skipped: [{ name: 'a', reason: 'b' }], failures: ['c'] }
}

describe('on disk', () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'remora-report-'))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test('both files are there, again and again; moments are few', () => {
    for (let n = 0; n < 2; n++) {
      const { json } = writeReport(exampleReport(), join(directory, 'a', 'b'))
      const read = readReport(json)
      expect(read.ok && read.value.scenarios[0]?.rows[0]?.moments.length).toBeLessThanOrEqual(600)
    }
  })

  test('a figure that is no number is told as a failure, and the rest is written', () => {
    const made = exampleReport()
    const [first, ...others] = made.scenarios
    const [row0] = first!.rows
    const broken = { ...row0!.figures[0]!, values: [Number.NaN], spread: { median: NaN, min: NaN, max: NaN } }
    const slow = { ...row0!.latency!, p99Ms: Infinity }
    const rows = [{ ...row0!, figures: [broken, ...row0!.figures.slice(1)], latency: slow }]
    const failures = ['x'.repeat(20_000)]
    const { json } = writeReport({ ...made, scenarios: [{ ...first!, rows }, ...others], failures }, directory)
    const read = readReport(json)
    expect(read.ok && read.value.failures).toEqual([
      `${'x'.repeat(2000)}…`,
      'saturation, 200m CPU, 64 MiB: highest rate came out as no number',
      'saturation, 200m CPU, 64 MiB: its latency came out without a number',
    ])
  })

  test('no file, a directory, a cut file, and a place that cannot be written to', () => {
    const { json } = writeReport(exampleReport(), directory)
    truncateSync(json, 4096)
    expect(readReport(json)).toMatchObject({ message: expect.stringContaining('is cut') })
    expect(readReport(directory)).toMatchObject({ message: expect.stringContaining('is not a file') })
    expect(readReport(join(directory, 'none'))).toMatchObject({ message: expect.stringContaining('ENOENT') })
    expect(() => writeReport(exampleReport(), join(json, 'below'))).toThrow(
      expect.objectContaining({ code: 'REPORT_UNWRITABLE' }),
    )
  })
})
