/**
 * The charts of the status page, with uPlot 1.6. In the browser only: see `pieces.ts`. Types are only what is used of the
 * browser and of the library.
 */
import type { Chart, Columns, Line } from './samples.ts'

export interface PlotElement {
  readonly clientWidth: number
  replaceChildren(): void
  querySelector(selector: string): PlotElement | null
  setAttribute(name: string, value: string): void
}

export interface Drawn {
  setData(columns: Columns): void
  destroy(): void
}

export type PlotLibrary = new (options: object, data: Columns, target: PlotElement) => Drawn

declare const document: { readonly documentElement: PlotElement }
declare function getComputedStyle(element: PlotElement): { getPropertyValue(name: string): string }

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

/** UTC, as everything else on the page. @param seconds  since the epoch */
function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19)
}

/** From the oldest sample to the newest, and a minute at least: two samples are no trend. */
function timesShown(first: number, last: number): [number, number] {
  return [Math.min(first, last - 60), last]
}

/** What the legend tells of a column: where somebody points, or else the newest. @param index  of the sample; null: nobody points */
function valueIn(columns: Columns, column: number, index: number | null): number | undefined {
  const values = columns[column] ?? []
  return values[index ?? values.length - 1] ?? undefined
}

function lineOptions(chart: Chart, columns: Columns): object[] {
  const dashes: readonly (readonly number[])[] = [[], [8, 4], [3, 3], [10, 3, 3, 3], [14, 4]]
  return chart.lines.map(({ name, colour: number, isLimit = false }) => ({
    label: name,
    stroke: colour(`c${number}`),
    width: isLimit ? 1 : 2,
    dash: isLimit ? [2, 4] : dashes[number],
    points: { show: false },
    value: (_: Drawn, __: number | null, column: number, index: number | null) => {
      const value = valueIn(columns, column, index)
      return value === undefined ? '–' : chart.text(value)
    },
  }))
}

export function drawChart(library: PlotLibrary, chart: Chart, columns: Columns, target: PlotElement): Drawn {
  const axis = {
    stroke: colour('faint'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { stroke: colour('rule'), width: 1, size: 4 },
  }
  // Steps that are round numbers in the unit they are written in.
  const steps = chart.isBytes ? { incrs: Array.from({ length: 51 }, (_, power) => 2 ** power) } : {}
  const words = (_: Drawn, ticks: readonly number[]) => ticks.map((value) => chart.text(value))
  target.replaceChildren()
  const drawn = new library(
    {
      width: target.clientWidth,
      height: 180,
      scales: {
        x: { time: true, range: (_: Drawn, first: number, last: number) => timesShown(first, last) },
        y: { range: (_: Drawn, __: number, most: number | null) => [0, Math.max(chart.least, (most ?? 0) * 1.05)] },
      },
      axes: [
        { ...axis, size: 28, space: 80, values: (_: Drawn, ticks: readonly number[]) => ticks.map(timeOfDay) },
        { ...axis, ...steps, size: 72, space: 32, values: words },
      ],
      series: [
        {
          label: 'UTC',
          value: (_: Drawn, __: number | null, column: number, index: number | null) => {
            const seconds = valueIn(columns, column, index)
            return seconds === undefined ? '–' : timeOfDay(seconds)
          },
        },
        ...lineOptions(chart, columns),
      ],
      legend: {
        markers: { dash: (_: Drawn, at: number) => markerOf(chart.lines[at - 1]) },
      },
      cursor: { drag: { x: false, y: false } },
    },
    columns,
    target,
  )
  // What it shows is said beside it, in words.
  target.querySelector('canvas')?.setAttribute('aria-hidden', 'true')
  return drawn
}

/** In the legend, as near to the line as a border of CSS comes. */
function markerOf(line: Line | undefined): string {
  if (line === undefined || line.colour === 0) return line?.isLimit === true ? 'dotted' : 'solid'
  return line.isLimit === true || line.colour === 2 ? 'dotted' : 'dashed'
}

/** For those who do not see it. */
export function chartText(chart: Chart, columns: Columns): string {
  const values = chart.lines.map(({ name }, at) => {
    const value = columns[at + 1]?.at(-1)
    return `${name} ${value === null || value === undefined ? 'not known' : chart.text(value)}`
  })
  return `${chart.title}, a chart. Now: ${values.join(', ')}`
}

export const chartFunctions = [colour, timeOfDay, timesShown, valueIn, lineOptions, drawChart, markerOf, chartText]
