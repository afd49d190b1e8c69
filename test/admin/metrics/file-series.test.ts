import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FileFigures } from '../../../src/admin/figures.ts'
import { FileSeries, otherFiles, type Columns } from '../../../src/admin/metrics/file-series.ts'
import { limits } from '../../../src/base/limits.ts'
import { runs } from '../../base/runs.ts'
import { fileFigures } from '../figures.ts'

const columns: Columns = {
  counts: [(file) => file.readLines],
  gauges: [
    [(file) => file.unreadBytes, 'sum'],
    [(file) => file.lagSeconds, 'most'],
  ],
}

const quiet = { ...fileFigures(undefined), readLines: 0, unreadBytes: 0, heldLines: 0, lagSeconds: 0 }
const file = (path: string | undefined, readLines: number, more: Partial<FileFigures> = {}): FileFigures => ({
  ...quiet,
  path,
  readLines,
  ...more,
})

const countsOf = (rows: ReturnType<FileSeries['rows']>) =>
  Object.fromEntries(rows.map(({ path, counts }) => [path, counts[0]]))
const busyOnes = (lines: number) => [
  file('/busy.log', lines, { unreadBytes: 9 }),
  file('/slow.log', 3, { unreadBytes: 1 }),
]
const many = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `/${from + at}.log`)

describe('which files have series of their own', () => {
  test('as many as may have one, the first ones; all others are one', () => {
    const series = new FileSeries(columns)
    const paths = many(limits.metricFilesMax + 5)
    const rows = series.rows(
      paths.map((path) => file(path, 2, { unreadBytes: 3, lagSeconds: Number(path.slice(1, -4)) })),
      0,
    )
    expect(rows.map(({ path }) => path)).toEqual([...paths.slice(0, limits.metricFilesMax), otherFiles])
    expect(rows.at(-1)).toEqual({ path: otherFiles, counts: [10], gauges: [15, limits.metricFilesMax + 4] })
  })

  test('no `other` while nothing is in it', () => {
    const series = new FileSeries(columns)
    expect(series.rows([file('/a.log', 1)], 0).map(({ path }) => path)).toEqual(['/a.log'])
  })

  test('a file that was quiet for long makes room for a new one, and is not counted again when it goes on', () => {
    const series = new FileSeries(columns)
    const paths = many(limits.metricFilesMax)
    const before = paths.map((path) => file(path, 5))
    series.rows(before, 0)
    const laterMs = limits.metricFileQuietMs + 1
    // All but the first go on.
    const now = paths.map((path, at) => file(path, at === 0 ? 5 : 6))
    series.rows(now, laterMs - 1)
    const rows = countsOf(series.rows([...now, file('/new.log', 7)], laterMs))
    expect(rows).toMatchObject({ '/new.log': 7, [otherFiles]: 0 })
    expect(rows).not.toHaveProperty('/0.log')
    const again = [file('/0.log', 9), ...now.slice(1), file('/new.log', 7)]
    expect(countsOf(series.rows(again, laterMs + 1))).toMatchObject({ '/new.log': 7, [otherFiles]: 4 })
  })

  test('one that is quiet pushes no other quiet one out', () => {
    const series = new FileSeries(columns)
    const files = many(limits.metricFilesMax).map((path) => file(path, 5))
    series.rows(files, 0)
    const laterMs = 2 * limits.metricFileQuietMs
    const all = [...files, file('/new.log', 7)]
    const labels = () => series.rows(all, laterMs).map(({ path }) => path)
    const before = labels()
    expect(before).not.toContain('/0.log')
    expect(labels()).toEqual(before)
    expect(labels()).toEqual(before)
  })

  test('one of the others that is behind gets the series of one that was quiet for long, and no line is counted twice', () => {
    const series = new FileSeries(columns)
    const files = many(limits.metricFilesMax).map((path) => file(path, 5))
    expect(countsOf(series.rows([...files, ...busyOnes(7)], 0))).toMatchObject({ [otherFiles]: 10 })
    const going = files.map((each, at) => (at === 0 ? each : { ...each, unreadBytes: 1 }))
    series.rows([...going, ...busyOnes(8)], limits.metricFileQuietMs - 1)
    const rows = countsOf(series.rows([...going, ...busyOnes(9)], limits.metricFileQuietMs))
    expect(rows).toMatchObject({ '/busy.log': 0, [otherFiles]: 12 })
    expect(rows).not.toHaveProperty('/0.log')
    expect(rows).not.toHaveProperty('/slow.log')
    const next = countsOf(series.rows([...going, ...busyOnes(20)], limits.metricFileQuietMs + 1))
    expect(next).toMatchObject({ '/busy.log': 11, [otherFiles]: 12 })
  })

  test.each([
    ['after a scrape without it', true],
    ['between two scrapes', false],
  ])('a file whose account was closed and that comes back, %s, goes on where it was', (_, isSeenGone) => {
    const series = new FileSeries(columns)
    series.rows([file('/a.log', 5)], 0)
    // Two more lines were read before its account became part of that of all others.
    const closed = file(undefined, 7)
    if (isSeenGone) series.rows([closed], 1)
    expect(countsOf(series.rows([file('/a.log', 3), closed], 2))).toEqual({ '/a.log': 8, [otherFiles]: 2 })
  })

  test('not for one that was quiet for a moment, nor for one that waits to be read', () => {
    const series = new FileSeries(columns)
    const waiting = many(limits.metricFilesMax).map((path) => file(path, 5, { unreadBytes: 1 }))
    series.rows(waiting, 0)
    series.rows(waiting, limits.metricFileQuietMs)
    const rows = countsOf(series.rows([...waiting, file('/new.log', 7)], limits.metricFileQuietMs + 1))
    expect(rows).not.toHaveProperty('/new.log')
  })

  test('a name for each request: so many new ones a day', () => {
    const series = new FileSeries(columns)
    const seen = new Set<string>()
    const dayMs = 24 * 3_600_000
    let n = 0
    for (let ms = 0; ms < 3 * dayMs; ms += 600_000) {
      const files = many(20, (n += 20)).map((path) => file(path, 1))
      for (const { path } of series.rows(files, ms)) seen.add(path)
    }
    expect(seen.size).toBeLessThanOrEqual(limits.metricFilesMax + (3 * dayMs) / limits.metricFileIntervalMs + 1)
    expect(seen.size).toBeGreaterThan(limits.metricFilesMax)
  })
})

/** What the ledger does: files come, are read, and are folded into the account of all others. */
const action = fc.record({
  kind: fc.constantFrom('read', 'read', 'read', 'fold', 'scrape'),
  file: fc.nat(2 * limits.metricFilesMax),
  lines: fc.nat(9),
  passMs: fc.nat(limits.metricFileQuietMs),
})

test('whatever comes and goes: no series ever falls, and each line is in one of them', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 1, maxLength: 400 }), (actions) => {
      const series = new FileSeries(columns)
      const accounts = new Map<string, number>()
      let others = 0
      let total = 0
      let nowMs = 0
      const last = new Map<string, number>()
      const scrape = () => {
        const files = [...accounts].map(([at, read]) => file(at, read, { unreadBytes: read % 3 }))
        const rows = series.rows([...files, file(undefined, others)], nowMs)
        expect(rows.length).toBeLessThanOrEqual(limits.metricFilesMax + 1)
        for (const { path: label, counts } of rows) {
          expect(counts[0], label).toBeGreaterThanOrEqual(last.get(label) ?? 0)
          last.set(label, counts[0]!)
        }
        // Of series that are not there any more as well: whoever scrapes has kept them.
        const sum = [...last.values()].reduce((all, count) => all + count, 0)
        expect(sum, 'each line once').toBe(total)
      }
      for (const { kind, file: which, lines, passMs } of actions) {
        const path = `/${which}.log`
        nowMs += passMs
        if (kind === 'read') {
          accounts.set(path, (accounts.get(path) ?? 0) + lines)
          total += lines
        } else if (kind === 'fold') {
          others += accounts.get(path) ?? 0
          accounts.delete(path)
        } else scrape()
      }
      scrape()
    }),
    runs(200),
  )
})
