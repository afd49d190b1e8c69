import { budgetOf, isKept } from './budgets.ts'
import { areLimitsHeld, failuresOf, type Report, verdictOf } from './report.ts'
import { factsOf, titleOf } from './facts.ts'
import { keyOf, labelsOf } from './labels.ts'
import { sentenceOf } from './sentences.ts'
import { limitsText } from '../limits/quantity.ts'
import { figureText, plain, wrapped } from './text.ts'
import type { Row, ScenarioResult } from '../types.ts'

export type Style = (format: 'bold' | 'dim' | 'green' | 'red', text: string) => string

const noStyle: Style = (_, text) => text
const indent = '  '
const gap = 2
const columnsMin = 40

/** What the bench says at its end; no line is longer than `columns`, from 40 on. */
export function closingTable(report: Report, columns: number, style: Style = noStyle): string {
  const width = Math.max(columnsMin, columns)
  const parts = [
    ...warningOf(report, width, style),
    headOf(report, width, style),
    ...report.scenarios.map((scenario) => scenarioText(scenario, areLimitsHeld(report), width, style)),
    ...skippedText(report, width),
    footOf(report, width, style),
  ]
  return parts.join('\n\n')
}

/** First, for it changes what every figure means. */
function warningOf({ enforcement, limits }: Report, width: number, style: Style): string[] {
  if (enforcement.kind !== 'none') return []
  const text = `THE LIMITS WERE NOT ENFORCED. All figures are of an agent that could take the whole machine, not of one at ${limitsText(limits)}: ${enforcement.reason}`
  return [style('red', style('bold', wrapped(text, width, '!! ').join('\n')))]
}

function headOf(report: Report, width: number, style: Style): string {
  const facts = factsOf(report)
  const labels = Math.max(...facts.map(([label]) => label.length)) + gap
  const lines = facts.flatMap(([label, text]) =>
    wrapped(text, width, ' '.repeat(labels)).map((line, at) =>
      at === 0 ? label.padEnd(labels) + line.trimStart() : line,
    ),
  )
  const title = wrapped(`Remora bench  ${titleOf(report)}`, width)
  return [...title.map((line) => style('bold', line)), ...lines].join('\n')
}

function scenarioText(scenario: ScenarioResult, areHeld: boolean, width: number, style: Style): string {
  const { name, about, rows } = scenario
  const sentences = rows.map((row) => sentenceOf(row, areHeld)).filter((sentence) => sentence !== undefined)
  const notes = rows.flatMap((row) => row.notes.map((note) => `${row.name}: ${note}`))
  const failures = rows.flatMap((row) => row.failures.map((failure) => `FAILED: ${row.name}: ${failure}`))
  return [
    style('bold', wrapped(name, width).join('\n')),
    ...wrapped(about, width, indent).map((line) => style('dim', line)),
    ...failures.flatMap((text) => wrapped(text, width, indent).map((line) => style('red', line))),
    ...(rows.length > sentencesMax ? [] : sentences.flatMap((text) => wrapped(text, width, indent))),
    ...tableOf(scenario, width, style),
    ...notes.flatMap((text) => wrapped(`note: ${text}`, width, indent)),
  ].join('\n')
}

/** With more rows the table is easier to read than as many sentences. */
const sentencesMax = 3

interface Column {
  readonly head: string
  /** By figure: as `keyOf` has it. */
  readonly cells: ReadonlyMap<string, { readonly text: string; readonly isOver: boolean }>
  readonly isFailed: boolean
}

/** Figures below each other, settings beside each other, as many as there is room for; then the next ones. */
function tableOf(scenario: ScenarioResult, width: number, style: Style): string[] {
  const labels = labelsOf(scenario)
  if (labels.size === 0) return []
  const labelWidth = Math.min(Math.floor(width / 2), Math.max(...[...labels.values()].map((label) => label.length)))
  const room = width - indent.length - labelWidth
  const columns = scenario.rows.map((row) => columnOf(scenario, row))
  const lines: string[] = []
  for (const block of blocksOf(columns, room)) {
    const widths = block.map((column) => Math.min(widthOf(column), room - gap))
    const line = (label: string, cells: readonly string[]) =>
      (
        indent +
        label.slice(0, labelWidth).padEnd(labelWidth) +
        cells.map((cell) => ' '.repeat(gap) + cell).join('')
      ).trimEnd()
    if (lines.length > 0) lines.push('')
    const heads = block.map(({ head }, at) => wrapped(head, widths[at]!))
    const headLines = Math.max(...heads.map((each) => each.length))
    for (let at = 0; at < headLines; at++) {
      lines.push(
        style(
          'bold',
          line(
            '',
            heads.map((each, n) => (each[at] ?? '').padStart(widths[n]!)),
          ),
        ),
      )
    }
    for (const [key, label] of labels) {
      const found = block.map(({ cells }) => cells.get(key))
      if (found.every((cell) => cell === undefined)) continue
      lines.push(
        line(
          label,
          found.map((cell, at) => {
            const text = (cell?.text ?? '–').slice(0, widths[at]).padStart(widths[at]!)
            return cell?.isOver === true ? style('red', text) : text
          }),
        ),
      )
    }
  }
  return lines
}

function columnOf(scenario: ScenarioResult, row: Row): Column {
  const isFailed = row.failures.length > 0
  const cells = row.figures.map((figure) => {
    const budget = budgetOf(scenario.name, figure)
    const isOver = budget !== undefined && !isKept(budget, figure)
    const mark = budget === undefined ? '' : isOver ? ' ✗' : ' ✓'
    return [keyOf(figure), { text: figureText(row, figure) + mark, isOver }] as const
  })
  return { head: plain(isFailed ? `${row.name} FAILED` : row.name), cells: new Map(cells), isFailed }
}

/** Heads are wrapped: their longest word must fit, and some of the rest. */
function widthOf({ head, cells }: Column): number {
  const words = Math.max(...head.split(' ').map((word) => word.length))
  return Math.max(words, Math.min(head.length, 22), ...[...cells.values()].map(({ text }) => text.length))
}

function blocksOf(columns: readonly Column[], room: number): Column[][] {
  const blocks: Column[][] = []
  let left = -1
  for (const column of columns) {
    const width = widthOf(column) + gap
    if (left < width) {
      blocks.push([])
      left = room
    }
    blocks.at(-1)!.push(column)
    left -= width
  }
  return blocks
}

function skippedText({ skipped }: Report, width: number): string[] {
  if (skipped.length === 0) return []
  return [skipped.flatMap(({ name, reason }) => wrapped(`not run: ${name}, ${reason}`, width)).join('\n')]
}

function footOf(report: Report, width: number, style: Style): string {
  const figures = report.scenarios.flatMap(({ name, rows }) =>
    rows.flatMap((row) => row.figures.map((each) => ({ name, each }))),
  )
  const over = figures.filter(({ name, each }) => !isKept(budgetOf(name, each) ?? Infinity, each)).length
  const failures = failuresOf(report)
  const legend =
    'Median (least–most) of the repeats that count; without a range there was one, or all were alike. ✓ within its budget, ✗ over it. Peak memory is sampled use: anonymous, kernel and socket memory, not page cache.'
  const { isGood, text: verdict } = verdictOf(report)
  return [
    ...wrapped(legend, width).map((line) => style('dim', line)),
    style(isGood ? 'green' : 'red', style('bold', verdict)),
    ...failures.flatMap((text) => wrapped(`- ${text}`, width, indent)),
    ...(over === 0 ? [] : [style('red', `${over} ${over === 1 ? 'figure is' : 'figures are'} over budget.`)]),
  ].join('\n')
}
