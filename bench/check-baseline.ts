import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { baselineOf, togetherOf } from '../src/bench/compare/baseline.ts'
import { compareFiles } from '../src/bench/compare/command.ts'
import { readReport } from '../src/bench/report/read.ts'
import { failuresOf, type Report } from '../src/bench/report/report.ts'
import { styleFor } from '../src/bench/report/style.ts'
import { reportJson } from '../src/bench/report/write.ts'

/**
 * `node bench/check-baseline.ts REPORT`: whether a report is worse than `bench/baseline.json`, in ratios. With `--write` the
 * report becomes the baseline, when no run of it failed; with several, a scenario of a later one takes the place of the same
 * one before. Another baseline is named with `--baseline FILE`.
 * Exit codes are those of `remora bench compare`.
 */
const usage =
  'node bench/check-baseline.ts REPORT.json [--baseline FILE]\nnode bench/check-baseline.ts --write REPORT.json… [--baseline FILE]\n'
const usual = fileURLToPath(new URL('baseline.json', import.meta.url))
const columnsWithoutTerminal = 100

const complain = (text: string): void => void process.stderr.write(text)

function check(argv: readonly string[]): number {
  const at = argv.indexOf('--baseline')
  const baseline = at === -1 ? usual : argv[at + 1]
  const rest = argv.filter((text, n) => text !== '--write' && (at === -1 || (n !== at && n !== at + 1)))
  const [report, ...more] = rest
  const isWriting = argv.includes('--write')
  if (report === undefined || baseline === undefined || report.startsWith('-') || (more.length > 0 && !isWriting)) {
    complain(usage)
    return 2
  }
  if (isWriting) return write([report, ...more], baseline)
  if (!existsSync(baseline)) {
    complain(`there is no baseline yet: ${baseline}\n  make it: node bench/check-baseline.ts ${report} --write\n`)
    return 2
  }
  return compareFiles(baseline, report, {
    columns: process.stdout.columns ?? columnsWithoutTerminal,
    style: styleFor(process.stdout),
    write: (text) => void process.stdout.write(text),
    complain,
  })
}

function write(paths: readonly string[], baseline: string): number {
  const reports: Report[] = []
  for (const path of paths) {
    const read = readReport(path)
    if (!read.ok) {
      complain(`${read.message}\n  ${read.wayOut}\n`)
      return 2
    }
    const failures = failuresOf(read.value)
    if (failures.length > 0) {
      complain(`a report with failures is no baseline:\n${failures.map((text) => `  ${text}\n`).join('')}`)
      return 1
    }
    reports.push(read.value)
  }
  const [first, ...more] = reports
  if (first !== undefined) writeFileSync(baseline, reportJson(baselineOf(togetherOf([first, ...more]))))
  return 0
}

process.exitCode = check(process.argv.slice(2))
