import { describe, expect, test } from 'vitest'
import { latencyPlots, sweepPlots, timePlots } from '../../../src/bench/report/plots.ts'
import type { Latency, Limits } from '../../../src/bench/types.ts'
import { exampleReport, figure, moments, row } from './example.ts'

const mib = 2 ** 20
const [saturation, , outage, memory, cpu] = exampleReport().scenarios

describe('sweeps', () => {
  test('by what differs, with ranges; one setting is no sweep', () => {
    expect(sweepPlots(saturation!, 's')).toEqual([])
    expect(sweepPlots(memory!, 's').map(({ title }) => title)).toEqual([
      'memory-sweep: highest rate that holds by memory limit',
      'memory-sweep: throttled by memory limit',
    ])
    const [rate] = sweepPlots(cpu!, 's')
    expect(rate?.xs).toEqual([0.1, 0.2, 0.5, 1])
    expect(rate?.series).toMatchObject([
      { name: '64Mi', values: [19, 38, 95, 190], ranges: [[18.05, 20.330000000000002], {}, {}, {}] },
    ])
  })

  test('where both differ, a line for each of the others; a gap where nothing was measured', () => {
    const of = (cpus: number, mebibytes: number, rate: number) => {
      const limits: Limits = { cpus, memoryBytes: mebibytes * mib }
      return row(`${cpus} ${mebibytes}`, [figure('highest rate', 'MB/s', [rate])], { limits })
    }
    const rows = [of(0.1, 48, 10), of(0.1, 64, 11), of(1, 64, 90)]
    const plots = sweepPlots({ name: 'capacity', about: '', rows, seconds: 1 }, 's')
    expect(plots.map(({ xs, series }) => [xs, series.map(({ name, values }) => [name, values])])).toEqual([
      [
        [0.1, 1],
        [
          ['48Mi', [10, null]],
          ['64Mi', [11, 90]],
        ],
      ],
      [
        [48 * mib, 64 * mib],
        [
          ['100m CPU', [10, 11]],
          ['1 CPU', [null, 90]],
        ],
      ],
    ])
  })
})

test('latency: how many took longer, down to the slowest line', () => {
  const latency: Latency = {
    lines: 1000,
    p50Ms: 1,
    p90Ms: 9,
    p99Ms: 50,
    maxMs: 80,
    histogram: [
      { upToMs: 0.5, lines: 0 },
      { upToMs: 1, lines: 500 },
      { upToMs: 10, lines: 900 },
      { upToMs: 100, lines: 1000 },
    ],
  }
  const [plot, ...others] = latencyPlots(
    { name: 'latency', about: '', rows: [row('a', [], { latency }), row('b', [])], seconds: 1 },
    's',
  )
  expect(others).toEqual([])
  expect(plot?.xs).toEqual([0.5, 1, 10, 80])
  expect(plot?.series).toMatchObject([{ name: 'a', values: [100, 50, 10, 0.1] }])
  expect(plot?.y.range).toEqual([0.1, 100])
  expect(plot?.x.range).toEqual([0.5, 100])
})

describe('over time', () => {
  test('memory below its limit, lag and CPU; outages as bands; few points', () => {
    const plots = timePlots(outage!.rows[0]!, 's', true)
    expect(plots.map(({ id }) => id)).toEqual(['s-memory', 's-lag', 's-CPU'])
    for (const { bands, xs } of plots) {
      expect(bands).toEqual([{ from: 3, to: 8, text: 'outage' }])
      expect(xs.length).toBeLessThanOrEqual(600)
    }
    expect(plots.map(({ levels }) => levels)).toEqual([
      [{ at: 64, text: 'limit 64 MiB' }],
      [],
      [{ at: 20, text: 'limit 200m' }],
    ])
  })

  test('a limit that did not hold says so; nothing to draw is not drawn', () => {
    expect(timePlots(outage!.rows[0]!, 's', false)[0]?.levels).toEqual([{ at: 64, text: 'limit 64 MiB, not enforced' }])
    expect(timePlots(row('a', [], { moments: moments(2, mib, false) }), 's', true)).toEqual([])
  })
})
