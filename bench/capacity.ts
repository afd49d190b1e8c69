import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withoutDrawings } from '../src/bench/compare/baseline.ts'
import { cpusText } from '../src/bench/limits/quantity.ts'
import { readReport } from '../src/bench/report/read.ts'
import { areLimitsHeld, failuresOf, type Report } from '../src/bench/report/report.ts'
import { enforcementText, figureText, numberText } from '../src/bench/report/text.ts'
import { reportJson } from '../src/bench/report/write.ts'
import type { Row } from '../src/bench/types.ts'
import { formatBytes } from '../src/base/units.ts'

/**
 * `node bench/capacity.ts REPORT.json`: writes `docs/capacity.md` from a report of `remora bench --scenario capacity`, and
 * keeps what it is made of as `bench/capacity.json`. Without a report the page is made anew from that.
 */
const keptPath = fileURLToPath(new URL('capacity.json', import.meta.url))
const pagePath = fileURLToPath(new URL('../docs/capacity.md', import.meta.url))
const usage = 'node bench/capacity.ts [REPORT.json]\n'

/** The page says what was written, and to whom: with other options that would not be so. */
const ownOptions: ReadonlySet<string> = new Set(['form', 'scenario', 'rounds', 'out'])

/** @returns the page, or why this report cannot be one */
export function capacityPage(report: Report): { readonly page: string } | { readonly fault: string } {
  const rows = report.scenarios.find(({ name }) => name === 'capacity')?.rows ?? []
  if (rows.length === 0) return { fault: 'it has no capacity: make it with remora bench --scenario capacity' }
  if (!areLimitsHeld(report)) return { fault: 'its limits were not enforced' }
  const foreign = Object.keys(report.options).filter((name) => !ownOptions.has(name))
  if (foreign.length > 0) return { fault: `it was made with --${foreign.join(', --')}` }
  const failures = failuresOf(report)
  if (failures.length > 0) return { fault: `runs of it failed: ${failures.join('; ')}` }
  return { page: `${[headOf(report), ratesOf(rows), ...readingOf(report), detailsOf(rows)].join('\n\n')}\n` }
}

function headOf(report: Report): string {
  const { machine, floor, commit, startedAt, measuring, enforcement } = report
  const version = commit === undefined ? report.remora : `${report.remora} (${commit.hash.slice(0, 9)})`
  return `# What it carries

The highest rate that Remora keeps up with, by its CPU and memory limit: MB of log each second, median (least–most) of the
rounds. "Keeps up" means that its lag grows by less than 3 % of the rate and is small at the end; with 10 % more, it was not so.
"≥": the machine, the writer or the server ended the search, not the agent in its limits.

Measured on ${startedAt.slice(0, 10)} by \`npm run bench -- --scenario capacity\`, with Remora ${version} on Node ${machine.node.replace(/^v/, '')}:
${machine.processors} × ${machine.processor}, Linux ${machine.kernel.replace(/-.*/, '')}, limits ${enforcementText(enforcement)}, one file of mixed lines (${meanLine(report)} bytes on
average) written by a process of its own, shipped to the bench's bulk server, which counts every line: none was lost, none
stored twice. ${floor === undefined ? '' : `The copy floor is ${floor.kind === 'c' ? 'a program in C' : 'a program in Node'} that reads the same bytes and sends as many. `}Writer, server and bench took ${numberText((measuring.sinkUs + measuring.writerUs + measuring.benchUs) / measuring.agentUs)} times the agent's CPU, outside of its group.`
}

function meanLine({ scenarios }: Report): string {
  const rows = scenarios.flatMap((scenario) => scenario.rows)
  const means = rows.flatMap((row) => {
    const [rate, lines] = [medianOf(row, 'highest rate'), medianOf(row, 'lines')]
    return rate === undefined || lines === undefined ? [] : [(rate * 1e6) / lines]
  })
  return numberText(means.toSorted((a, b) => a - b)[means.length >> 1] ?? NaN)
}

function ratesOf(rows: readonly Row[]): string {
  const cpus = distinct(rows.map(({ limits }) => limits.cpus))
  const memory = distinct(rows.map(({ limits }) => limits.memoryBytes))
  const head = ['CPU limit', ...memory.map((bytes) => formatBytes(bytes))]
  const body = cpus.map((each) => [
    cpusText(each),
    ...memory.map((bytes) => {
      const row = rows.find(({ limits }) => limits.cpus === each && limits.memoryBytes === bytes)
      return row === undefined ? '–' : textOf(row, 'highest rate')
    }),
  ])
  return table([head, ...body])
}

function readingOf(report: Report): string[] {
  const notes = report.scenarios.flatMap(({ rows }) =>
    rows.flatMap((row) => row.notes.map((note) => `- ${row.name}: ${note}`)),
  )
  return [
    `**How to read it.** Where something was throttled, this is the rate at which the CPU limit is used up, and lines wait for tenths
of a second. Plan with half of it, and the lag stays within a batch or two. Memory saves CPU: with more of it batches are larger
and more of them are on their way at once, so that the same limit carries more (see s/GB below). A real Elasticsearch is nearly always slower than any row
of this page: \`remora bench --url\` measures yours, \`remora bench tune --url\` looks for the settings that suit it.`,
    ...(notes.length === 0 ? [] : [`**Notes of the bench.**\n\n${notes.join('\n')}`]),
  ]
}

const columns = [
  ['lines', 'lines/s'],
  ['CPU', 'CPU, s/GB'],
  ['CPU to the copy floor', 'to the copy floor, ×'],
  ['latency p50', 'p50, ms'],
  ['latency p99', 'p99, ms'],
  ['peak memory', 'peak memory, MiB'],
  ['throttled', 'throttled, %'],
] as const

function detailsOf(rows: readonly Row[]): string {
  const head = ['limits', ...columns.map(([, label]) => label)]
  const body = rows.map((row) => [row.name, ...columns.map(([name]) => textOf(row, name))])
  return `## What each of them took, at that rate\n\n${table([head, ...body])}`
}

function textOf(row: Row, name: string): string {
  const figure = row.figures.find((each) => each.name === name)
  return figure === undefined ? '–' : figureText(row, figure)
}

function medianOf({ figures }: Row, name: string): number | undefined {
  return figures.find((figure) => figure.name === name)?.spread.median
}

function distinct(values: readonly (number | undefined)[]): number[] {
  return [...new Set(values.filter((value) => value !== undefined))].toSorted((a, b) => a - b)
}

function table([head = [], ...body]: readonly (readonly string[])[]): string {
  return [lineOf(head), lineOf(head.map((_, at) => (at === 0 ? '---' : '--:'))), ...body.map(lineOf)].join('\n')
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function main(argv: readonly string[]): number {
  if (argv.length > 1 || argv[0]?.startsWith('-') === true) return complained(usage)
  const read = readReport(argv[0] ?? keptPath)
  if (!read.ok) return complained(`${read.message}\n  ${read.wayOut}\n`)
  const made = capacityPage(read.value)
  if ('fault' in made) return complained(`no page is made of this report: ${made.fault}\n`)
  writeFileSync(keptPath, reportJson(withoutDrawings(read.value)))
  writeFileSync(pagePath, made.page)
  return 0
}

function complained(text: string): number {
  process.stderr.write(text)
  return 2
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2))
