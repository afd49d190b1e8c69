import { readFileSync, statSync } from 'node:fs'
import { codeOf } from '../../base/errors.ts'
import { bad, good, type Parsed, quoted } from '../../base/units.ts'
import { spreadOf } from '../stats.ts'
import type { Enforcement, Figure, Latency, Limits, Moment, Row, ScenarioResult } from '../types.ts'
import { byKind, choice, count, type Decoder, flag, instant, list, maybe, number, object } from './decode.ts'
import { record, text, wrong, WrongField } from './decode.ts'
import { type MeasuringCost, type Report, reportSchema, reportVersion } from './report.ts'

/** Far more than a bench of an hour makes. */
export const reportBytesMax = 64 * 2 ** 20
const most = { scenarios: 100, rows: 200, figures: 100, values: 1_000, moments: 100_000, edges: 10_000, texts: 1_000 }

const limits = object<Limits>({ cpus: maybe(number), memoryBytes: maybe(number) })

const version = choice(1, 2)
const enforcement = byKind<Enforcement>({
  cgroup: object({ kind: choice('cgroup'), version }),
  container: object({
    kind: choice('container'),
    engine: choice('podman', 'docker'),
    image: text,
    isRootless: flag,
  }),
  own: object({ kind: choice('own'), version }),
  none: object({ kind: choice('none'), reason: text }),
})

const shape: Decoder<Figure> = object<Figure>({
  name: text,
  unit: text,
  spread: object({ median: number, min: number, max: number }),
  values: list(number, most.values),
  better: choice('more', 'less', 'none'),
  isRatio: flag,
})

/** A range that is not that of the values was not measured. */
const figure: Decoder<Figure> = (value, path) => {
  const found = shape(value, path)
  if (found.values.length === 0) throw wrong(`${path}.values`, 'is empty: a figure of no runs')
  const { median, min, max } = spreadOf(found.values)
  const { spread } = found
  if (spread.median !== median || spread.min !== min || spread.max !== max)
    throw wrong(`${path}.spread`, 'is not the median, the least and the most of the values')
  return found
}

const moment = object<Moment>({ atMs: number, usedBytes: number, lagBytes: number, storedBytes: number, cpuUs: number })

const latency = object<Latency>({
  lines: count,
  p50Ms: number,
  p90Ms: number,
  p99Ms: number,
  maxMs: number,
  histogram: list(object({ upToMs: number, lines: number }), most.edges),
})

const row = object<Row>({
  name: text,
  limits,
  figures: list(figure, most.figures),
  moments: list(moment, most.moments),
  latency: maybe(latency),
  outages: list(object({ fromMs: number, toMs: number }), most.texts),
  runs: count,
  failures: list(text, most.texts),
  notes: list(text, most.texts),
})

const scenario = object<ScenarioResult>({ name: text, about: text, rows: list(row, most.rows), seconds: number })

const report = object<Report>({
  schema: choice(reportSchema),
  version: choice(reportVersion),
  remora: text,
  commit: maybe(object({ hash: text, isDirty: flag })),
  machine: object({
    processor: text,
    processors: count,
    memoryBytes: number,
    memoryLimit: object({ bytes: number, origin: text }),
    kernel: text,
    node: text,
    loadBefore: number,
  }),
  limits,
  limitsFrom: text,
  enforcement,
  seed: number,
  options: record(text, most.texts),
  measuring: object<MeasuringCost>({
    agentUs: number,
    sinkUs: number,
    writerUs: number,
    benchUs: number,
    wallMs: number,
  }),
  floor: maybe(object({ kind: choice('c', 'node'), explain: text })),
  scenarios: list(scenario, most.scenarios),
  skipped: list(object({ name: text, reason: text }), most.texts),
  startedAt: instant,
  endedAt: instant,
  failures: list(text, most.texts),
})

const makeOne = 'give it the report.json that `remora bench` wrote'
const makeAnew = 'the file was changed or damaged after it was written: measure again'

/** @param name of the file, for what is said */
export function parseReport(json: string, name: string): Parsed<Report> {
  const file = quoted(name, 200)
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    const start = json.trimStart()
    if (!start.startsWith('{')) return bad(`${file} is ${start === '' ? 'empty' : 'not JSON'}`, makeOne)
    if (!start.trimEnd().endsWith('}')) return bad(`${file} is cut: it ends in the middle of the report`, makeAnew)
    return bad(`${file} is not JSON all through`, makeAnew)
  }
  const head = typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)) : new Map()
  if (head.get('schema') !== reportSchema) return bad(`${file} is no report of \`remora bench\``, makeOne)
  const found: unknown = head.get('version')
  if (typeof found === 'number' && found > reportVersion) {
    return bad(
      `${file} is a report of version ${found}, and this remora reads up to version ${reportVersion}`,
      'compare with the remora that wrote it, or a newer one',
    )
  }
  try {
    return good(report(value, ''))
  } catch (error) {
    if (error instanceof WrongField) return bad(`${file}: ${error.message}`, makeAnew)
    throw error
  }
}

export function readReport(path: string): Parsed<Report> {
  const file = quoted(path, 200)
  try {
    const found = statSync(path)
    if (!found.isFile()) return bad(`${file} is not a file`, makeOne)
    if (found.size > reportBytesMax) return bad(`${file} is larger than any report (${found.size} bytes)`, makeOne)
    return parseReport(readFileSync(path, 'utf8'), path)
  } catch (error) {
    if (codeOf(error) === '') throw error
    return bad(`${file} cannot be read: ${codeOf(error)}`, makeOne)
  }
}
