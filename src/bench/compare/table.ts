import type { Style } from '../report/closing.ts'
import { numberText, plain, spreadText, wrapped } from '../report/text.ts'
import type { Comparison, FigureComparison, Verdict } from './compare.ts'

const noStyle: Style = (_, text) => text
const indent = '  '
const gap = '  '
const columnsMin = 40

const marks: Readonly<Record<Verdict, string>> = {
  same: '= same',
  worse: '✗ WORSE',
  better: '✓ better',
  told: '',
  unknown: '? unknown',
}

/** No line is longer than `columns`, from 40 on. */
export function comparisonTable(comparison: Comparison, columns: number, style: Style = noStyle): string {
  const width = Math.max(columnsMin, columns)
  const list = (head: string, texts: readonly string[]) =>
    texts.length === 0
      ? []
      : [[style('bold', head), ...texts.flatMap((text) => wrapped(`- ${text}`, width, indent))].join('\n')]
  return [
    ...list('These may not be comparable:', comparison.warnings),
    ...comparison.rows.map(({ scenario, name, figures }) =>
      [
        ...wrapped(`${scenario}, ${name}`, width).map((line) => style('bold', line)),
        ...figuresText(figures, width, style),
      ].join('\n'),
    ),
    ...list('Only in the first report:', comparison.missing),
    ...list('Only in the second report:', comparison.added),
    ...list('Failures in the second report:', comparison.failures),
    wrapped(legendOf(comparison), width).join('\n'),
    conclusionOf(comparison, width, style),
  ].join('\n\n')
}

function figuresText(figures: readonly FigureComparison[], width: number, style: Style): string[] {
  if (figures.length === 0) return [`${indent}no figure in both`]
  const cells = figures.map(cellsOf)
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(0, ...cells.map((row) => row[at]!.length)))
  const total = indent.length + widths.reduce((sum, each) => sum + each, 0) + gap.length * (widths.length - 1)
  return cells.flatMap((row, at) => {
    const paint = (text: string) => painted(figures[at]!.verdict, text, style)
    if (total <= width) {
      const line = row.map((cell, n) => (n === 0 || n === 4 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!)))
      return [paint((indent + line.join(gap)).trimEnd())]
    }
    const [name, before, after, ratio, verdict] = row
    return [
      ...wrapped(name!, width, indent),
      ...wrapped(
        [`${before} → ${after}`, ratio, verdict].filter((text) => text !== '').join(', '),
        width,
        indent + indent,
      ),
    ].map(paint)
  })
}

function cellsOf(figure: FigureComparison): readonly string[] {
  const { name, unit, before, after, ratio, interval, verdict, reason } = figure
  const range =
    interval === undefined
      ? ''
      : ` [${fixed(interval.low)}–${fixed(interval.high)}, ${Math.round(interval.confidence * 100)} %]`
  return [
    plain(unit === '' ? name : `${name}, ${unit}`),
    spreadText(before),
    spreadText(after),
    ratio === undefined ? '' : `×${fixed(ratio)}${range}`,
    reason === '' ? marks[verdict] : `${marks[verdict]}: ${reason}`,
  ]
}

function fixed(ratio: number): string {
  return ratio >= 10 ? numberText(ratio) : ratio.toFixed(2)
}

function painted(verdict: Verdict, text: string, style: Style): string {
  if (verdict === 'worse') return style('red', text)
  return verdict === 'better' ? style('green', text) : verdict === 'told' ? style('dim', text) : text
}

function legendOf({ leastEffect }: Comparison): string {
  return (
    `Median (least–most) before, after, and the second by the first [interval of that: Mann–Whitney, with its confidence]. ` +
    `Judged are ratios: worse when the estimate differs by more than ${numberText(leastEffect * 100)} % and the interval leaves out 1; unknown when it does not, or there are too few repeats. All else depends on the machine and is told only.`
  )
}

function conclusionOf({ outcome, rows, failures }: Comparison, width: number, style: Style): string {
  const say = (format: 'green' | 'red', text: string) => style(format, wrapped(text, width).join('\n'))
  const verdicts = rows.flatMap(({ figures }) => figures.map(({ verdict }) => verdict))
  const [worse, better, same, unknown] = (['worse', 'better', 'same', 'unknown'] as const).map(
    (wanted) => verdicts.filter((verdict) => verdict === wanted).length,
  )
  const counts = `${worse} worse, ${better} better, ${same} the same, ${unknown} unknown, ${failures.length} failed`
  if (outcome === 'good') return say('green', `No regression: ${counts}.`)
  if (outcome === 'open')
    return say(
      'red',
      `Not proved: nothing is worse as far as it can be told, and not everything could be (${counts}): repeat it with more --rounds.`,
    )
  return say('red', `${worse === 0 ? 'FAILED' : 'REGRESSION'}: ${counts}.`)
}
