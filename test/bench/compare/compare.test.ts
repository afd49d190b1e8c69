import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baselineOf } from '../../../src/bench/compare/baseline.ts'
import { compareReports, exitCodeOf, type Comparison, type Verdict } from '../../../src/bench/compare/compare.ts'
import { comparisonTable } from '../../../src/bench/compare/table.ts'
import { cutShort, type Report } from '../../../src/bench/report/report.ts'
import { spreadOf } from '../../../src/bench/stats.ts'
import type { Figure, Row } from '../../../src/bench/types.ts'
import { bareReport, exampleReport, figure, row } from '../report/example.ts'

const ratio = (values: readonly number[], rest: Partial<Figure> = {}) =>
  figure('CPU to the copy floor', '×', values, rest)

function reportOf(rows: readonly Row[], rest: Partial<Report> = {}): Report {
  return bareReport({ scenarios: [{ name: 'saturation', about: '', rows, seconds: 1 }], ...rest })
}

function withFigures(report: Report, change: (each: Figure) => Figure): Report {
  const scenarios = report.scenarios.map((scenario) => ({
    ...scenario,
    rows: scenario.rows.map((each) => ({ ...each, figures: each.figures.map(change) })),
  }))
  return { ...report, scenarios }
}

function scaled(each: Figure, by: number): Figure {
  const values = each.values.map((value) => value * by)
  return { ...each, values, spread: spreadOf(values) }
}

const open = (verdict: Verdict) => (verdict === 'told' ? 'unknown' : verdict)

const verdicts = ({ rows }: Comparison) => rows.flatMap(({ figures }) => figures.map(({ verdict }) => verdict))

const judged = (found: Comparison) => verdicts(found).filter((verdict) => verdict !== 'told')

const speed = (all: readonly number[]) => figure('highest rate', 'MB/s', all, { better: 'more', isRatio: false })

const scenario = (name: string, figures: readonly Figure[]) => ({
  name,
  about: '',
  rows: [row('a', figures)],
  seconds: 1,
})

const two = (x: number) => reportOf([row('a', [ratio([x, x, x])]), row('a', [ratio([9, 9, 9])])])

const values = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 5 })
const someReport = fc
  .array(fc.record({ values, better: fc.constantFrom('more', 'less', 'none'), isRatio: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((figures) =>
    reportOf([
      row(
        'a',
        figures.map((each, n) => figure(`f${n}`, '×', each.values, each)),
      ),
    ]),
  )
const sameFigures = fc.record({ a: someReport, b: someReport })

describe('laws', () => {
  test('a report is like itself', () => {
    fc.assert(
      fc.property(someReport, (a) => {
        const found = compareReports(a, a)
        expect(verdicts(found)).not.toContain('worse')
        expect(verdicts(found)).not.toContain('better')
        expect([found.missing, found.added, found.warnings, found.failures]).toEqual([[], [], [], []])
      }),
    )
    expect(exitCodeOf(compareReports(exampleReport(), exampleReport()))).toBe(0)
  })

  test('worse one way is better the other way', () => {
    const turned: Readonly<Record<Verdict, Verdict>> = {
      same: 'same',
      worse: 'better',
      better: 'worse',
      told: 'told',
      unknown: 'unknown',
    }
    fc.assert(
      fc.property(sameFigures, fc.double({ min: 0, max: 1, noNaN: true }), ({ a, b }, least) => {
        const [there, back] = [compareReports(a, b, least), compareReports(b, a, least)]
        // One that has too few repeats is not judged as the first, and unknown as the second.
        expect(verdicts(back).map(open)).toEqual(verdicts(there).map((verdict) => open(turned[verdict])))
        expect(back.missing).toEqual(there.added)
      }),
      { numRuns: 500 },
    )
  })

  test('a machine that is faster or slower as a whole changes no verdict', () => {
    fc.assert(
      fc.property(sameFigures, fc.double({ min: 0.01, max: 100, noNaN: true }), ({ a, b }, by) => {
        const other = withFigures(b, (each) => (each.isRatio ? each : scaled(each, by)))
        expect(verdicts(compareReports(a, other))).toEqual(verdicts(compareReports(a, b)))
      }),
    )
  })

  test('noise within the range is no difference', () => {
    const inside = fc.array(fc.double({ min: 4, max: 8, noNaN: true }), { minLength: 3, maxLength: 5 })
    fc.assert(
      fc.property(inside, (noise) => {
        const found = compareReports(reportOf([row('a', [ratio([4, 5, 8])])]), reportOf([row('a', [ratio(noise)])]))
        expect(['same', 'unknown']).toContain(verdicts(found)[0])
      }),
    )
  })

  test('30 % more than a range as wide as 10 % is found, either way', () => {
    const near = fc.array(fc.double({ min: 5, max: 5.5, noNaN: true }), { minLength: 3, maxLength: 5 })
    fc.assert(
      fc.property(near, near, fc.constantFrom('less', 'more'), (a, b, better) => {
        const [before, after] = [ratio(a, { better }), scaled(ratio(b, { better }), 1.3)]
        const found = compareReports(reportOf([row('a', [before])]), reportOf([row('a', [after])]))
        expect(verdicts(found)).toEqual([better === 'less' ? 'worse' : 'better'])
        expect(exitCodeOf(found)).toBe(better === 'less' ? 1 : 0)
      }),
    )
  })
})

describe('cases', () => {
  const base = reportOf([row('a', [ratio([5, 5.1, 5.2])])])
  const against = (rows: readonly Row[], rest: Partial<Report> = {}) => compareReports(base, reportOf(rows, rest))

  test.each([
    ['as it was', [5.15, 5, 5.2], 'same', 0],
    ['as much, and the repeats do not agree', [3, 5.1, 9], 'unknown', 2],
    ['more, and the repeats do not agree', [5.15, 9, 9.1], 'unknown', 2],
    ['apart, and less than the least effect', [5.3, 5.4, 5.5], 'same', 0],
    ['apart, and more', [5.8, 6, 6.2], 'worse', 1],
    ['better', [4, 4.1, 4.2], 'better', 0],
    ['too few repeats', [9, 9.1], 'unknown', 2],
  ] as const)('%s', (_, after, verdict, code) => {
    const found = against([row('a', [ratio(after)])])
    expect([verdicts(found), exitCodeOf(found)]).toEqual([[verdict], code])
  })

  test('one disturbed repeat of seven hides nothing', () => {
    const [before, after] = [
      [5, 5.1, 5.2, 5, 5.1, 5.3, 5.2],
      [7, 7.1, 7.2, 7.3, 7, 7.2, 5.1],
    ].map((each) => reportOf([row('a', [ratio(each)])])) as [Report, Report]
    expect(verdicts(compareReports(before, after))).toEqual(['worse'])
  })

  test('what the first report did not repeat is not judged, and proves nothing', () => {
    const [before, after] = [5, 9].map((each) => reportOf([row('a', [ratio([each])])])) as [Report, Report]
    const found = compareReports(before, after)
    expect([verdicts(found), exitCodeOf(found)]).toEqual([['told'], 2])
  })

  test('a ratio that its scenario should have had is not proved; a scenario that was not asked for is none', () => {
    const good = ratio([5, 5.1, 5.2])
    const before = bareReport({ scenarios: [scenario('saturation', [good]), scenario('latency', [good])] })
    const only = bareReport({ scenarios: [scenario('saturation', [good])] })
    const without = bareReport({ scenarios: [scenario('saturation', [good]), scenario('latency', [])] })
    expect(exitCodeOf(compareReports(before, only))).toBe(0)
    expect(exitCodeOf(compareReports(before, without))).toBe(2)
    const cut = { ...only, skipped: [{ name: 'latency', reason: cutShort.noTime }] }
    expect(exitCodeOf(compareReports(before, cut))).toBe(2)
  })

  test('what was asked for otherwise is said', () => {
    const found = compareReports(
      reportOf([], { options: { form: 'long', rounds: '3', out: 'a' } }),
      reportOf([], { options: { form: 'long', sample: 'app.log', rounds: '5', out: 'b' } }),
    )
    expect(found.warnings).toEqual(['what was asked for was form long, and is form long, sample app.log'])
  })

  test('a loss is worse whatever the ratios are, and they are not judged', () => {
    const found = against([row('a', [ratio([1, 1.1, 1.2])], { failures: ['1 of 10 lines lost'] })])
    expect([verdicts(found), exitCodeOf(found), found.failures]).toEqual([
      ['unknown'],
      1,
      ['saturation, a: 1 of 10 lines lost'],
    ])
  })

  test('a failure before is said', () => {
    const found = compareReports(reportOf([row('a', [ratio([5, 6, 7])], { failures: ['x'] })]), base)
    expect([verdicts(found), found.warnings.join()]).toEqual([
      ['unknown'],
      expect.stringContaining('failed in the first'),
    ])
  })

  test('absolute figures are told, however much worse', () => {
    const found = compareReports(reportOf([row('a', [speed([100, 101])])]), reportOf([row('a', [speed([1, 2])])]))
    expect([verdicts(found), exitCodeOf(found)]).toEqual([['told'], 2])
  })

  test('rows and ratios that are gone or new are said', () => {
    const found = against([row('b', [ratio([5, 5.1])])])
    expect([found.missing, found.added, exitCodeOf(found)]).toEqual([['saturation, a'], ['saturation, b'], 2])
    expect(against([row('a', [])]).missing).toEqual(['saturation, a: CPU to the copy floor'])
  })

  test('rows of one name are compared in their order', () => {
    expect(verdicts(compareReports(two(5), two(8)))).toEqual(['worse', 'same'])
  })

  test('another machine, limits that do not hold, another floor', () => {
    const { machine } = exampleReport()
    const found = against([row('a', [ratio([9, 9.1, 9.2])])], {
      machine: { ...machine, processors: 64 },
      enforcement: { kind: 'none', reason: 'x' },
      floor: { kind: 'node', explain: '' },
    })
    expect(found.warnings).toHaveLength(3)
    expect(verdicts(found)).toEqual(['unknown'])
  })

  test('a baseline judges as the whole report does', () => {
    const worse = withFigures(exampleReport(), (each) => (each.isRatio ? scaled(each, 1.5) : each))
    const [whole, kept] = [exampleReport(), baselineOf(exampleReport())].map((before) => compareReports(before, worse))
    expect(judged(kept!)).toEqual(judged(whole!))
    expect([kept!.missing, kept!.added]).toEqual([[], []])
    expect(judged(kept!)).toContain('worse')
  })
})

test('the table is no wider than it may be, and says its conclusion', () => {
  const worse = withFigures(exampleReport(), (each) => scaled(each, 1.5))
  const found = compareReports(exampleReport(), { ...worse, failures: ['x'.repeat(200), '\u001b[2J'] })
  for (let columns = 0; columns < 200; columns += 7) {
    const text = comparisonTable(found, columns)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(Math.max(40, columns))
    expect(text).toContain('REGRESSION: ')
    expect(text).not.toContain('\u001b')
  }
})
