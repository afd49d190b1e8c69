import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lowerBounds } from '../../../src/bench/bounds.ts'
import { closingTable } from '../../../src/bench/report/closing.ts'
import { exampleReport, figure, row } from './example.ts'

const hostile = '/logs/\u001b[31m<b>\u202e\n{name}'

describe('closing table', () => {
  test('says what it carries, in words', () => {
    const text = closingTable(exampleReport(), 80)
    expect(text).toContain('At 200m CPU, 64Mi, it carries 38 MB/s (36–41), for 5.1 s of CPU a GB.')
    expect(text).toMatch(/CPU to the copy floor, × \(≤ 6\) +5\.2 \(4\.9–5\.6\) ✓/)
    expect(text.replaceAll(/\s+/g, ' ')).toContain('25 min 10 s of runs: the agent took 81.2 s of CPU')
    expect(text).toContain('Every line arrived, once, in every run that counts.')
  })

  test('a rate that something else ended is told as the least', () => {
    const rows = [
      row('a', [figure('highest rate', 'MB/s', [38]), figure('lines', 'lines/s', [7])], {
        notes: [lowerBounds.server],
      }),
    ]
    const text = closingTable(exampleReport({ scenarios: [{ name: 'saturation', about: '', rows, seconds: 1 }] }), 80)
    expect(text).toContain('it carries at least 38 MB/s')
    expect(text).toMatch(/highest rate, MB\/s +≥ 38/)
    expect(text).toMatch(/lines\/s +7/)
  })

  test('no line is too long, whatever the width and the names', () => {
    const rows = [
      row(hostile.repeat(3), [figure(`x${hostile}`, 'ms', [1, 1e9, 3.3])], {
        failures: ['y'.repeat(300)],
        notes: [hostile],
      }),
    ]
    const scenarios = [...exampleReport().scenarios, { name: hostile, about: hostile, rows, seconds: 1 }]
    const report = exampleReport({
      scenarios,
      options: { [hostile]: hostile },
      skipped: [{ name: hostile, reason: hostile }],
    })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 220 }), (columns) => {
        const text = closingTable(report, columns)
        expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(Math.max(40, columns))
        expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
      }),
      { numRuns: 40 },
    )
  })

  test('limits that did not hold come first, and no sentence speaks of them', () => {
    const text = closingTable(exampleReport({ enforcement: { kind: 'none', reason: 'no cgroup may be made' } }), 80)
    expect(text.startsWith('!! THE LIMITS WERE NOT ENFORCED')).toBe(true)
    expect(text).toContain('no cgroup may be made')
    expect(text).not.toContain('At 200m CPU')
    expect(text).toContain('Without limits, on this machine, it carries 38 MB/s')
  })

  test('failures and what is over budget are marked', () => {
    const rows = [
      row('a row', [figure('CPU to the copy floor', '×', [7, 7.5, 8])], { failures: ['3 of 10 lines lost'] }),
    ]
    const report = exampleReport({
      scenarios: [{ name: 'saturation', about: '', rows, seconds: 1 }],
      failures: ['the sink ended'],
    })
    const text = closingTable(report, 80)
    expect(text).toContain('FAILED: a row: 3 of 10 lines lost')
    expect(text).toContain('7.5 (7–8) ✗')
    expect(text).toContain('2 failures:')
    expect(text).toContain('1 figure is over budget.')
    expect(text).not.toContain('Every line arrived')
  })

  test('of nothing it says nothing good', () => {
    expect(closingTable(exampleReport({ scenarios: [] }), 80)).toContain('Nothing was measured.')
  })
})
