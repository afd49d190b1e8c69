/**
 * What runs in the page. Its functions are put into it as they stand here (see `pageScript`), so they may use each other and
 * what the browser has, and nothing else of this module. Types are only what is used of the browser and of uPlot 1.6.
 */
import type { Axis, Plot } from './plots.ts'

interface Element {
  readonly clientWidth: number
  readonly id: string
  textContent: string
  open: boolean
  append(child: Element): void
  replaceChildren(...children: readonly Element[]): void
  addEventListener(name: string, run: () => void): void
  querySelector(selector: string): Element | null
  setAttribute(name: string, value: string): void
}

interface Canvas {
  fillStyle: string
  strokeStyle: string
  lineWidth: number
  font: string
  textAlign: string
  textBaseline: string
  save(): void
  restore(): void
  beginPath(): void
  moveTo(x: number, y: number): void
  lineTo(x: number, y: number): void
  stroke(): void
  setLineDash(dash: readonly number[]): void
  fillRect(x: number, y: number, width: number, height: number): void
  fillText(text: string, x: number, y: number, width?: number): void
}

interface Drawn {
  readonly ctx: Canvas
  readonly width: number
  readonly root: Element
  readonly bbox: { readonly left: number; readonly top: number; readonly width: number; readonly height: number }
  valToPos(value: number, scale: 'x' | 'y', inCanvas: true): number
  setSize(size: { readonly width: number; readonly height: number }): void
  destroy(): void
}

declare const uPlot: new (options: object, data: readonly (readonly (number | null)[])[], target: Element) => Drawn
declare const document: {
  readonly documentElement: Element
  getElementById(id: string): Element | null
  createElement(name: string): Element
}
declare const window: { readonly devicePixelRatio: number; matchMedia(query: string): Element }
declare function getComputedStyle(element: Element): { getPropertyValue(name: string): string }
declare const ResizeObserver: new (run: () => void) => { observe(element: Element): void }

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

function placeOf(axis: Axis, value: number): number {
  return axis.isLog ? Math.log10(value) : value
}

function placesOf(axis: Axis, values: readonly (number | null)[]): (number | null)[] {
  return values.map((value) => (value === null ? null : placeOf(axis, value)))
}

function rangeOf(axis: Axis): number[] {
  return axis.range.map((value) => placeOf(axis, value))
}

/** The other way round. */
function rawOf(axis: Axis, place: number | null | undefined): number | null {
  if (place === null || place === undefined) return null
  return axis.isLog ? 10 ** place : place
}

/** Three digits that count. */
function shortText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** As many as there is room for, always with the first. */
function ticksThatFit(axis: Axis, widthPx: number, roomPx: number): readonly { at: number; text: string }[] {
  const ticks = axis.ticks ?? []
  const [min, max] = axis.range
  const pxOf = (value: number) =>
    ((placeOf(axis, value) - placeOf(axis, min)) / (placeOf(axis, max) - placeOf(axis, min))) * widthPx
  const kept: { at: number; text: string }[] = []
  for (const tick of ticks) {
    const last = kept.at(-1)
    if (last === undefined || Math.abs(pxOf(tick.at) - pxOf(last.at)) >= roomPx) kept.push(tick)
  }
  return kept
}

function axisOptions(axis: Axis, isX: boolean, plotPx: number): object {
  const common = {
    stroke: colour('faint'),
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { stroke: colour('rule'), width: 1, size: 4 },
    ...(isX ? { label: axis.label, labelSize: 18, size: 28, space: 60 } : { size: 56, space: 32 }),
  }
  if (axis.ticks === undefined)
    return { ...common, values: (_: Drawn, splits: readonly number[]) => splits.map((value) => shortText(value)) }
  const kept = ticksThatFit(axis, plotPx, isX ? 52 : 18)
  return {
    ...common,
    splits: () => kept.map(({ at }) => placeOf(axis, at)),
    values: () => kept.map(({ text }) => text),
  }
}

/** Behind the lines: when Elasticsearch was away. */
function drawBands(drawn: Drawn, plot: Plot): void {
  const { ctx, bbox } = drawn
  for (const { from, to, text } of plot.bands) {
    const left = Math.max(bbox.left, drawn.valToPos(placeOf(plot.x, from), 'x', true))
    const right = Math.min(bbox.left + bbox.width, drawn.valToPos(placeOf(plot.x, to), 'x', true))
    if (right <= left) continue
    ctx.save()
    ctx.fillStyle = colour('band')
    ctx.fillRect(left, bbox.top, right - left, bbox.height)
    ctx.fillStyle = colour('bad')
    ctx.font = `${11 * window.devicePixelRatio}px system-ui, sans-serif`
    ctx.textBaseline = 'bottom'
    ctx.fillText(text, left + 4, bbox.top + bbox.height - 4, right - left - 4)
    ctx.restore()
  }
}

/** Before the lines: limits, and how far repeats spread. */
function drawMarks(drawn: Drawn, plot: Plot): void {
  const { ctx, bbox } = drawn
  const ratio = window.devicePixelRatio
  ctx.save()
  ctx.lineWidth = 1.5 * ratio
  for (const { at, text } of plot.levels) {
    const y = drawn.valToPos(placeOf(plot.y, at), 'y', true)
    ctx.strokeStyle = colour('level')
    ctx.setLineDash([6 * ratio, 4 * ratio])
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.fillStyle = colour('level')
    ctx.font = `${11 * ratio}px system-ui, sans-serif`
    ctx.textAlign = 'right'
    ctx.textBaseline = 'bottom'
    ctx.fillText(text, bbox.left + bbox.width - 4 * ratio, y - 2 * ratio)
  }
  ctx.setLineDash([])
  for (const [number, { ranges }] of plot.series.entries()) {
    ctx.strokeStyle = colour(`c${number}`)
    for (const [at, range] of (ranges ?? []).entries()) {
      if (range === null) continue
      const x = drawn.valToPos(placeOf(plot.x, plot.xs[at] ?? 0), 'x', true)
      const [low, high] = range.map((value) => drawn.valToPos(placeOf(plot.y, value), 'y', true)) as [number, number]
      ctx.beginPath()
      ctx.moveTo(x, low)
      ctx.lineTo(x, high)
      for (const y of [low, high]) {
        ctx.moveTo(x - 5 * ratio, y)
        ctx.lineTo(x + 5 * ratio, y)
      }
      ctx.stroke()
    }
  }
  ctx.restore()
}

function seriesOptions(plot: Plot): object[] {
  const dashes: readonly (readonly number[])[] = [[], [8, 4], [3, 3], [10, 3, 3, 3], [14, 4], [2, 5]]
  const tickAt = (place: number) => plot.x.ticks?.find(({ at }) => Math.abs(placeOf(plot.x, at) - place) < 1e-9)?.text
  return [
    {
      label: plot.x.label,
      value: (_: Drawn, place: number | null) =>
        place === null ? '–' : (tickAt(place) ?? shortText(rawOf(plot.x, place))),
    },
    ...plot.series.map(({ name, hasMarks }, at) => ({
      label: name,
      stroke: colour(`c${at}`),
      width: 2,
      dash: dashes[at],
      spanGaps: true,
      points: hasMarks ? { show: true, size: 8, fill: colour(`c${at}`) } : { show: false },
      value: (_: Drawn, place: number | null) => shortText(rawOf(plot.y, place)),
    })),
  ]
}

function draw(plot: Plot, target: Element): Drawn {
  const width = target.clientWidth - 8
  target.replaceChildren()
  const drawn = new uPlot(
    {
      width,
      height: plot.heightPx,
      scales: { x: { time: false, range: () => rangeOf(plot.x) }, y: { range: () => rangeOf(plot.y) } },
      axes: [axisOptions(plot.x, true, width - 70), axisOptions(plot.y, false, plot.heightPx - 60)],
      series: seriesOptions(plot),
      cursor: { drag: { x: false, y: false } },
      hooks: { drawClear: [(self: Drawn) => drawBands(self, plot)], draw: [(self: Drawn) => drawMarks(self, plot)] },
    },
    [placesOf(plot.x, plot.xs), ...plot.series.map(({ values }) => placesOf(plot.y, values))],
    target,
  )
  target.querySelector('canvas')?.setAttribute('aria-hidden', 'true')
  return drawn
}

function element(name: string, text: string): Element {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

/** The numbers that are drawn, made when somebody asks for them. */
function numbersOf(plot: Plot): Element {
  const rowOf = (cells: readonly Element[]) => {
    const row = document.createElement('tr')
    for (const cell of cells) row.append(cell)
    return row
  }
  const [table, head, body] = [
    document.createElement('table'),
    document.createElement('thead'),
    document.createElement('tbody'),
  ]
  head.append(
    rowOf(
      [plot.x.label, ...plot.series.map(({ name }) => `${name}, ${plot.y.label}`)].map((text) => element('th', text)),
    ),
  )
  for (const [at, x] of plot.xs.entries()) {
    const tick = plot.x.ticks?.find((each) => each.at === x)?.text
    const cells = plot.series.map(({ values, ranges }) => {
      const range = ranges?.[at]
      const isOne = range === null || range === undefined || range[0] === range[1]
      return shortText(values[at]) + (isOne ? '' : ` (${shortText(range[0])}–${shortText(range[1])})`)
    })
    body.append(rowOf([element('td', tick ?? shortText(x)), ...cells.map((cell) => element('td', cell))]))
  }
  table.append(head)
  table.append(body)
  return table
}

/** Draws what can be seen, again when its width or the colours change. */
function showPlots(plots: readonly Plot[]): void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)')
  for (const plot of plots) {
    const target = document.getElementById(plot.id)
    if (target === null) continue
    let drawn: Drawn | undefined
    let widthPx = 0
    const redraw = () => {
      widthPx = target.clientWidth
      drawn?.destroy()
      drawn = widthPx === 0 ? undefined : draw(plot, target)
    }
    new ResizeObserver(() => {
      if (target.clientWidth !== widthPx) redraw()
    }).observe(target)
    dark.addEventListener('change', redraw)
    const details = document.getElementById(`${plot.id}-numbers`)
    let isFilled = false
    details?.addEventListener('toggle', () => {
      if (isFilled) return
      isFilled = true
      details.querySelector('.scroll')?.append(numbersOf(plot))
    })
  }
}

/** The script of the page: its data is in the element `plots`. */
export function pageScript(): string {
  const functions = [
    colour,
    placeOf,
    placesOf,
    rangeOf,
    rawOf,
    shortText,
    ticksThatFit,
    axisOptions,
    drawBands,
    drawMarks,
    seriesOptions,
    draw,
    element,
    numbersOf,
    showPlots,
  ]
  return `${functions.map(String).join('\n')}\nshowPlots(JSON.parse(document.getElementById('plots').textContent))\n`
}
