import type { Latency, Row, ScenarioResult } from '../types.ts'
import { cpusAt, reduced } from './moments.ts'
import { cpusText, limitsText } from '../limits/quantity.ts'
import { mibText, numberText } from './text.ts'

/** One picture, as figures: the page draws it, and makes its table of numbers from it. */
export interface Plot {
  readonly id: string
  readonly title: string
  readonly heightPx: number
  /** The name of `x` where the pointer is. */
  readonly pointed: string
  readonly x: Axis
  readonly y: Axis
  readonly xs: readonly number[]
  readonly series: readonly Series[]
  /** Times in which Elasticsearch was away. */
  readonly bands: readonly { readonly from: number; readonly to: number; readonly text: string }[]
  /** Limits, across the whole width. */
  readonly levels: readonly { readonly at: number; readonly text: string }[]
}

export interface Axis {
  readonly label: string
  readonly isLog: boolean
  /** Undefined: chosen as there is room. */
  readonly ticks: readonly Tick[] | undefined
  readonly range: readonly [min: number, max: number]
}

export interface Tick {
  readonly at: number
  readonly text: string
}

export interface Series {
  readonly name: string
  /** One for each of `xs`; null where there is none. */
  readonly values: readonly (number | null)[]
  /** How far the repeats spread. */
  readonly ranges: readonly (readonly [min: number, max: number] | null)[] | undefined
  readonly hasMarks: boolean
}

/** Lines of more colours cannot be told apart. */
const seriesMax = 6
const heightsPx = { large: 300, small: 190 }

/** Throughput, and the time in which the quota was used up, by limit: where there are several limits. */
export function sweepPlots({ name, rows }: ScenarioResult, id: string): Plot[] {
  const kinds = [
    {
      by: 'cpus',
      label: 'CPU limit',
      text: cpusText,
      other: (row: Row) => limitsText({ ...row.limits, cpus: undefined }),
    },
    {
      by: 'memoryBytes',
      label: 'memory limit',
      text: mibText,
      other: (row: Row) => limitsText({ ...row.limits, memoryBytes: undefined }),
    },
  ] as const
  return kinds.flatMap(({ by, label, text, other }) => {
    const limits = [...new Set(rows.map((row) => row.limits[by]).filter((limit) => limit !== undefined))].toSorted(
      (a, b) => a - b,
    )
    if (limits.length < 2) return []
    const [first, last] = [limits[0]!, limits.at(-1)!]
    const margin = (last / first) ** 0.06
    const x: Axis = {
      label,
      isLog: true,
      ticks: limits.map((at) => ({ at, text: text(at) })),
      range: [first / margin, last * margin],
    }
    return figureNames.flatMap(({ figure, what }) => {
      const groups = Map.groupBy(rows, other)
      const series = [...groups].slice(0, seriesMax).map(([others, grouped]) =>
        seriesOf(others, limits, (limit) => {
          const row = grouped.find(({ limits: each }) => each[by] === limit)
          return row?.figures.find((each) => each.name === figure)
        }),
      )
      const most = mostOf(series)
      if (most === undefined) return []
      const unit = figure === 'throttled' ? '% of the time' : 'MB/s'
      return [
        {
          id: `${id}-${by}-${figure.replaceAll(/\W/g, '-')}`,
          title: `${name}: ${what} by ${label}`,
          heightPx: heightsPx.large,
          pointed: label,
          x,
          y: linear(unit, most),
          xs: limits,
          series,
          bands: [],
          levels: [],
        },
      ]
    })
  })
}

/** The first that a scenario has is drawn as its throughput. */
const figureNames = [
  { figure: 'highest rate', what: 'highest rate that holds' },
  { figure: 'throttled', what: 'throttled' },
] as const

function seriesOf(
  name: string,
  limits: readonly number[],
  find: (limit: number) => Row['figures'][number] | undefined,
): Series {
  const found = limits.map(find)
  return {
    name: name.replace('no CPU limit, ', '').replace(', no memory limit', ''),
    values: found.map((figure) => figure?.spread.median ?? null),
    ranges: found.map((figure) => (figure === undefined ? null : ([figure.spread.min, figure.spread.max] as const))),
    hasMarks: true,
  }
}

/** How large a share of the lines took longer than so long: both axes by powers of ten, for the slow ones are few. */
export function latencyPlots({ name, rows }: ScenarioResult, id: string): Plot[] {
  const told = rows.flatMap((row) =>
    row.latency === undefined || row.latency.lines === 0 ? [] : [{ row, latency: row.latency }],
  )
  const plots: Plot[] = []
  for (let from = 0; from < told.length; from += seriesMax) {
    const group = told.slice(from, from + seriesMax)
    const curves = group.map(({ latency }) => new Map(slowerThan(latency)))
    const xs = [...new Set(curves.flatMap((curve) => [...curve.keys()]))].toSorted((a, b) => a - b)
    const series = group.map(({ row }, at) => ({
      name: row.name,
      values: xs.map((x) => curves[at]!.get(x) ?? null),
      ranges: undefined,
      hasMarks: false,
    }))
    const least = Math.min(...series.flatMap(({ values }) => values.filter((value) => value !== null)))
    if (xs.length < 2) continue
    const [fromMs, toMs] = stepsAround(xs[0]!, xs.at(-1)!)
    plots.push({
      id: `${id}-latency-${from}`,
      title: `${name}: lines that took longer than so long`,
      heightPx: heightsPx.large,
      pointed: 'longer than',
      x: {
        label: 'from write to acknowledgement',
        isLog: true,
        ticks: msTicks(fromMs, toMs),
        range: [fromMs, toMs],
      },
      y: { label: '% of the lines', isLog: true, ticks: percentTicks(least), range: [decades(least, 100)[0]!, 100] },
      xs,
      series,
      bands: [],
      levels: [],
    })
  }
  return plots
}

/** Milliseconds, and the share in % that took longer; the last one is the slowest line itself. */
function slowerThan({ lines, maxMs, histogram }: Latency): (readonly [ms: number, percent: number])[] {
  const points = histogram
    .filter(({ upToMs, lines: below }) => upToMs > 0 && upToMs < maxMs && below < lines)
    .map(({ upToMs, lines: below }) => [upToMs, ((lines - below) / lines) * 100] as const)
  return maxMs > 0 ? [...points, [maxMs, 100 / lines]] : points
}

const fineSteps = [1, 2, 5]

/** The steps of 1, 2, 5, 10 … on both sides, so that a narrow range has marks, too. */
function stepsAround(from: number, to: number): [number, number] {
  const steps = decades(from, to * 10).flatMap((decade) =>
    fineSteps.map((step) => Number((step * decade).toPrecision(1))),
  )
  return [steps.findLast((step) => step <= from) ?? from, steps.find((step) => step >= to) ?? to]
}

function msTicks(from: number, to: number): Tick[] {
  const steps = to / from < 100 ? fineSteps : [1]
  return decades(from, to).flatMap((decade) =>
    steps
      .map((step) => step * decade)
      .filter((at) => at >= from && at <= to)
      .map((at) => ({ at, text: msText(at) })),
  )
}

function msText(ms: number): string {
  return ms >= 1000 ? `${numberText(ms / 1000)} s` : `${numberText(ms)} ms`
}

function percentTicks(least: number): Tick[] {
  return decades(least, 100).map((at) => ({ at, text: numberText(at) }))
}

/** Powers of ten from the one below `from`. */
function decades(from: number, to: number): number[] {
  const [low, high] = [from, to].map((value) => Math.floor(Math.log10(value) + 1e-9)) as [number, number]
  return Array.from({ length: Math.min(40, high - low + 1) }, (_, n) => Number(`1e${low + n}`))
}

/** Memory, lag and CPU of one repeat, with its limits and outages. */
export function timePlots(row: Row, id: string, areLimitsHeld: boolean): Plot[] {
  const moments = reduced(row.moments)
  if (moments.length < 3) return []
  const xs = moments.map(({ atMs }) => atMs / 1000)
  const [first, last] = [xs[0]!, xs.at(-1)!]
  if (!(last > first)) return []
  const { cpus, memoryBytes } = row.limits
  const suffix = areLimitsHeld ? '' : ', not enforced'
  const common = {
    heightPx: heightsPx.small,
    pointed: 'at s',
    x: { label: 's after the first line', isLog: false, ticks: undefined, range: [first, last] as const },
    xs,
    bands: row.outages.map(({ fromMs, toMs }) => ({ from: fromMs / 1000, to: toMs / 1000, text: 'outage' })),
  }
  const plot = (
    what: string,
    unit: string,
    values: readonly number[],
    limit: { readonly at: number; readonly text: string } | undefined,
  ): Plot => ({
    ...common,
    id: `${id}-${what}`,
    title: `${what} over time`,
    y: linear(unit, Math.max(...values, limit?.at ?? 0)),
    series: [{ name: what, values, ranges: undefined, hasMarks: false }],
    levels: limit === undefined ? [] : [{ at: limit.at, text: limit.text + suffix }],
  })
  const mib = 2 ** 20
  return [
    plot(
      'memory',
      'MiB',
      moments.map(({ usedBytes }) => usedBytes / mib),
      memoryBytes === undefined ? undefined : { at: memoryBytes / mib, text: `limit ${mibText(memoryBytes)}` },
    ),
    plot(
      'lag',
      'MB behind',
      moments.map(({ lagBytes }) => lagBytes / 1e6),
      undefined,
    ),
    plot(
      'CPU',
      '% of a core',
      moments.map((_, at) => cpusAt(moments, at) * 100),
      cpus === undefined ? undefined : { at: cpus * 100, text: `limit ${cpusText(cpus)}` },
    ),
  ]
}

function linear(label: string, most: number): Axis {
  return { label, isLog: false, ticks: undefined, range: [0, most > 0 ? most * 1.12 : 1] }
}

function mostOf(series: readonly Series[]): number | undefined {
  const all = series.flatMap(({ values, ranges }) => [...values, ...(ranges ?? []).map((range) => range?.[1] ?? null)])
  const numbers = all.filter((value) => value !== null)
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}
