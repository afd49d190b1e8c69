import { describe, expect, test } from 'vitest'
import { bytesText, clockText, shortText, timeText, visible } from '../../../src/admin/page/pieces.ts'
import { rateOf } from '../../../src/admin/page/rate.ts'
import { addSample, charts, emptyColumns } from '../../../src/admin/page/samples.ts'
import type { Status } from '../../../src/admin/page/status.ts'
import { exampleStatus } from './status.ts'

const at = (seconds: number, readLines: number, startedAtMs = 1): Status =>
  exampleStatus({ nowMs: seconds * 1000, startedAtMs, figures: { readLines, acknowledgedLines: 0 } })

const read = ({ figures }: Status) => figures.readLines

describe('what happens in a second', () => {
  test.each([
    ['between two moments', at(12, 300), at(10, 100), 100],
    ['nothing before', at(12, 300), undefined, undefined],
    ['another process', at(12, 300, 2), at(10, 100, 1), undefined],
    ['a clock that stands still, or was set back', at(10, 300), at(10, 100), undefined],
    ['a figure that falls', at(12, 100), at(10, 300), 0],
  ])('%s', (_, status, before, rate) => expect(rateOf(status, before, read)).toBe(rate))
})

describe('what the charts are drawn from', () => {
  const [lines] = charts()

  test('a time, and a value for each line', () => {
    const columns = emptyColumns(lines!)
    addSample(columns, lines!, 10_000, at(10, 100), undefined, 9)
    addSample(columns, lines!, 12_000, at(12, 300), at(10, 100), 9)
    expect(columns).toEqual([
      [10, 12],
      [null, 100],
      [null, 0],
    ])
  })

  test('no answer is a gap; what does not come after the last one is left out', () => {
    const columns = emptyColumns(lines!)
    addSample(columns, lines!, 12_000, at(12, 300), at(10, 100), 9)
    addSample(columns, lines!, 12_001, undefined, undefined, 9)
    addSample(columns, lines!, 11_000, at(11, 300), at(10, 100), 9)
    expect(columns).toEqual([
      [12, 12.001],
      [100, null],
      [0, null],
    ])
  })

  test('the oldest go: it stays as large as it is', () => {
    for (const chart of charts()) {
      const columns = emptyColumns(chart)
      for (let second = 1; second <= 50; second++) {
        addSample(columns, chart, second * 1000, at(second, second), at(second - 1, second), 20)
      }
      expect(columns.map(({ length }) => length)).toEqual(Array.from({ length: chart.lines.length + 1 }, () => 20))
      expect(columns[0]!.at(0)).toBe(31)
    }
  })
})

test.each([
  [bytesText(0), '0 B'],
  [bytesText(1023), '0.999 KiB'],
  [bytesText(999), '999 B'],
  [bytesText(10 * 2 ** 20), '10 MiB'],
  [bytesText(1.234 * 2 ** 30), '1.23 GiB'],
  [bytesText(5000 * 2 ** 50), '5,000 PiB'],
  [bytesText(null), 'no limit'],
  [shortText(0.04567), '0.0457'],
  [shortText(1_234_567.8), '1,234,568'],
  [timeText(0), '0 ms'],
  [timeText(0.0123), '12 ms'],
  [timeText(5.55), '5.55 s'],
  [timeText(119), '119 s'],
  [timeText(3_600), '60 min'],
  [timeText(90_000), '25 h'],
  [timeText(864_000), '10 days'],
  [clockText(Date.UTC(2026, 10, 26, 3, 12, 9)), '11-26 03:12:09Z'],
  [visible('a\u0007b'), 'a\\u{7}b'],
])('%j', (text, expected) => expect(text).toBe(expected))
