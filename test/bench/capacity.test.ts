import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { capacityPage } from '../../bench/capacity.ts'
import { readReport } from '../../src/bench/report/read.ts'
import type { Report } from '../../src/bench/report/report.ts'
import { bareReport, figure, row } from './report/example.ts'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const mib = 2 ** 20

function cell(cpus: number, mebibytes: number, rates: readonly number[], failures: readonly string[] = []) {
  const figures = [
    figure('highest rate', 'MB/s', rates),
    figure(
      'lines',
      'lines/s',
      rates.map((rate) => rate * 5_000),
    ),
  ]
  return row(`${cpus}, ${mebibytes}`, figures, { limits: { cpus, memoryBytes: mebibytes * mib }, failures })
}

const enforced = { enforcement: { kind: 'cgroup', version: 2 } } as const
const reportOf = (rows: readonly ReturnType<typeof cell>[], rest: Partial<Report> = enforced) =>
  bareReport({ ...rest, scenarios: [{ name: 'capacity', about: '', rows, seconds: 1 }] })

describe('the page of what it carries', () => {
  test('has a row for each CPU limit and a column for each memory limit, in order; a dash where nothing was measured', () => {
    const made = capacityPage(reportOf([cell(0.5, 64, [80]), cell(0.1, 128, [20, 24, 22]), cell(0.1, 64, [19, 21])]))
    expect(made).toHaveProperty('page')
    expect('page' in made && made.page).toContain(
      '| CPU limit | 64Mi | 128Mi |\n| --- | --: | --: |\n| 100m | 20 (19–21) | 22 (20–24) |\n| 500m | 80 | – |\n',
    )
    expect('page' in made && made.page).toContain('(200 bytes on\naverage)')
  })

  test.each([
    ['nothing of it', bareReport({ ...enforced, scenarios: [] }), 'it has no capacity'],
    ['no limits', reportOf([cell(1, 64, [1])], { enforcement: { kind: 'none', reason: 'no' } }), 'not enforced'],
    [
      'lines of another kind',
      reportOf([cell(1, 64, [1])], { ...enforced, options: { mix: 'json' } }),
      'made with --mix',
    ],
    ['a loss', reportOf([cell(1, 64, [1], ['1 of 10 lines lost'])]), 'capacity, 1, 64: 1 of 10 lines lost'],
  ])('is not made of a report with %s', (_, report, fault) =>
    expect(capacityPage(report)).toEqual({ fault: expect.stringContaining(fault) }),
  )

  test('docs/capacity.md is what was measured', () => {
    const read = readReport(at('bench/capacity.json'))
    const made = read.ok ? capacityPage(read.value) : { fault: read.message }
    expect(made).toEqual({ page: readFileSync(at('docs/capacity.md'), 'utf8') })
  })
})
