import { cutShort, failuresOf, type Report } from '../report/report.ts'
import { limitsText } from '../limits/quantity.ts'
import { enforcementText } from '../report/text.ts'
import type { Spread } from '../stats.ts'
import type { Figure, Row } from '../types.ts'
import { ratioInterval, type RatioInterval, valuesMin } from './rank-interval.ts'

/**
 * `same`: the estimate differs by less than the least effect, and the interval is narrow. `worse`, `better`: by more, and the interval leaves out 1.
 * `told`: the machine, not the program, may have made the difference, nobody said which way is better, or the first
 * report has too few repeats.
 * `unknown`: it should be judged, and there is too little to judge by: too few repeats, or as many as do not agree.
 */
export type Verdict = 'same' | 'worse' | 'better' | 'told' | 'unknown'

export interface FigureComparison {
  readonly name: string
  readonly unit: string
  readonly before: Spread
  readonly after: Spread
  readonly repeats: { readonly before: number; readonly after: number }
  /** Of the medians; undefined when the one before is 0. */
  readonly ratio: number | undefined
  readonly interval: RatioInterval | undefined
  readonly verdict: Verdict
  /** Why it is unknown; else empty. */
  readonly reason: string
}

export interface RowComparison {
  readonly scenario: string
  readonly name: string
  readonly figures: readonly FigureComparison[]
}

export interface Comparison {
  readonly rows: readonly RowComparison[]
  /** Of the second report: a line lost, an agent that ended. It is worse, whatever the ratios are. */
  readonly failures: readonly string[]
  /** Rows and ratios of the first that the second does not have. */
  readonly missing: readonly string[]
  /** The other way round. */
  readonly added: readonly string[]
  /** Why the two may not be comparable. */
  readonly warnings: readonly string[]
  readonly leastEffect: number
  /** `open`: nothing is worse as far as it can be told, and not all that should be judged could be. */
  readonly outcome: 'good' | 'worse' | 'open'
}

/** An interval that goes further than so many least effects on each other could hide one. */
const widthMax = 3

/** Below it a difference is not worth a person's time, even when the ranges do not overlap: floors differ by as much. */
export const leastEffectDefault = 0.1

/** How `after` stands to `before`. Ratios are judged, all else is told. */
export function compareReports(before: Report, after: Report, leastEffect: number = leastEffectDefault): Comparison {
  const [rowsBefore, rowsAfter] = [rowsOf(before), rowsOf(after)]
  const reasons: readonly string[] = Object.values(cutShort)
  const asked = new Set([
    ...after.scenarios.map(({ name }) => name),
    ...after.skipped.filter(({ reason }) => reasons.includes(reason)).map(({ name }) => name),
  ])
  const areSameFloors = before.floor?.kind === after.floor?.kind
  const rows: RowComparison[] = []
  const [missing, added, warnings] = [[] as string[], [] as string[], warningsOf(before, after)]
  /** A scenario that was not asked for is one thing; a ratio that one of them should have had is another. */
  let isShort = false
  for (const [key, { scenario, row }] of rowsBefore) {
    const other = rowsAfter.get(key)?.row
    if (other === undefined) {
      missing.push(key)
      isShort ||= asked.has(scenario)
      continue
    }
    if (limitsText(row.limits) !== limitsText(other.limits))
      warnings.push(`${key}: the limits were ${limitsText(row.limits)} and are ${limitsText(other.limits)}`)
    if (row.failures.length > 0) warnings.push(`${key}: it failed in the first report: ${row.failures.join('; ')}`)
    const figures = row.figures.flatMap((figure) => {
      const found = other.figures.find(({ name, unit }) => name === figure.name && unit === figure.unit)
      if (found !== undefined) return [compareFigures(figure, found, { row, other, areSameFloors, leastEffect })]
      if (figure.isRatio) {
        missing.push(`${key}: ${figure.name}`)
        isShort = true
      }
      return []
    })
    rows.push({ scenario, name: row.name, figures })
  }
  for (const [key, { row }] of rowsAfter) {
    const other = rowsBefore.get(key)?.row
    if (other === undefined) added.push(key)
    else added.push(...newFigures(other, row).map((name) => `${key}: ${name}`))
  }
  const failures = failuresOf(after)
  const verdicts = rows.flatMap(({ figures }) => figures.map(({ verdict }) => verdict))
  const isWorse = failures.length > 0 || verdicts.includes('worse')
  const isJudged = verdicts.includes('same') || verdicts.includes('better')
  const isAll = isJudged && !verdicts.includes('unknown') && !isShort
  const outcome = isWorse ? 'worse' : isAll ? 'good' : 'open'
  return { rows, failures, missing, added, warnings, leastEffect, outcome }
}

/** 0: nothing is worse. 1: something is, or a run failed. 2: not everything could be judged. */
export function exitCodeOf({ outcome }: Comparison): 0 | 1 | 2 {
  return ({ good: 0, worse: 1, open: 2 } as const)[outcome]
}

interface Context {
  readonly row: Row
  readonly other: Row
  readonly areSameFloors: boolean
  readonly leastEffect: number
}

function compareFigures(a: Figure, b: Figure, context: Context): FigureComparison {
  const interval = ratioInterval(a.values, b.values)
  const obstacle = isToJudge(a, b) ? obstacleOf(a, b, context) : ''
  const { verdict, reason } = !isToJudge(a, b)
    ? { verdict: 'told' as const, reason: '' }
    : obstacle === '' && interval !== undefined
      ? judged(interval, a.better, context.leastEffect)
      : { verdict: 'unknown' as const, reason: obstacle }
  return {
    name: a.name,
    unit: a.unit,
    before: a.spread,
    after: b.spread,
    repeats: { before: a.values.length, after: b.values.length },
    ratio: a.spread.median === 0 ? undefined : b.spread.median / a.spread.median,
    interval,
    verdict,
    reason,
  }
}

/** What the first report did not repeat was not meant to be judged by it. */
function isToJudge(a: Figure, b: Figure): boolean {
  if (a.values.length < valuesMin) return false
  return a.isRatio && b.isRatio && a.better !== 'none' && a.better === b.better
}

function obstacleOf(a: Figure, b: Figure, { row, other, areSameFloors }: Context): string {
  if (row.failures.length > 0 || other.failures.length > 0) return 'a run failed'
  if (!areSameFloors && /floor/.test(a.name)) return 'the floors are not of one kind'
  if (a.values.length < valuesMin || b.values.length < valuesMin) return `fewer than ${valuesMin} repeats`
  return [...a.values, ...b.values].every((value) => value > 0) ? '' : 'a ratio of 0 has no ratio to another'
}

/**
 * By the interval, so that one disturbed repeat of many hides nothing. Symmetric: what is worse one way is better the other
 * way, by the same measure.
 */
export function judged(
  { ratio, low, high }: RatioInterval,
  better: Figure['better'],
  leastEffect: number,
): { readonly verdict: Verdict; readonly reason: string } {
  const disagree = { verdict: 'unknown', reason: 'the repeats do not agree: make more of them' } as const
  if (Math.max(ratio, 1 / ratio) <= 1 + leastEffect) {
    return Math.max(high, 1 / low) <= (1 + leastEffect) ** widthMax ? { verdict: 'same', reason: '' } : disagree
  }
  if (low <= 1 && high >= 1) return disagree
  return { verdict: ratio > 1 === (better === 'more') ? 'better' : 'worse', reason: '' }
}

interface Placed {
  readonly scenario: string
  readonly row: Row
}

/** By scenario and name; a second one of the same name is the second one in the other report too. */
function rowsOf({ scenarios }: Report): Map<string, Placed> {
  const rows = new Map<string, Placed>()
  for (const { name: scenario, rows: all } of scenarios) {
    for (const row of all) {
      const name = `${scenario}, ${row.name}`
      let key = name
      for (let n = 2; rows.has(key); n++) key = `${name} (${n})`
      rows.set(key, { scenario, row })
    }
  }
  return rows
}

function newFigures(before: Row, after: Row): string[] {
  return after.figures
    .filter(
      ({ name, unit, isRatio }) => isRatio && !before.figures.some((each) => each.name === name && each.unit === unit),
    )
    .map(({ name }) => name)
}

/** All that two benches should have in common. */
function warningsOf(before: Report, after: Report): string[] {
  const facts: readonly (readonly [string, (report: Report) => string])[] = [
    ['the processor', ({ machine }) => `${machine.processors} × ${machine.processor}`],
    ['node', ({ machine }) => machine.node],
    ['the limits', ({ limits }) => limitsText(limits)],
    ['the limits', ({ enforcement }) => enforcementText(enforcement)],
    ['the floor', ({ floor }) => (floor === undefined ? 'not measured' : floor.kind === 'c' ? 'in C' : 'in Node')],
    ['the seed', ({ seed }) => String(seed)],
    ['what was asked for', ({ options }) => optionsText(options)],
  ]
  return facts.flatMap(([what, of]) => {
    const [a, b] = [of(before), of(after)]
    const verb = what === 'the limits' ? ['were', 'are'] : ['was', 'is']
    return a === b ? [] : [`${what} ${verb[0]} ${a}, and ${verb[1]} ${b}`]
  })
}

/** Those that change what is measured: not which scenarios, how often, or where the report goes. */
const beside: ReadonlySet<string> = new Set(['scenario', 'rounds', 'out', 'cpu', 'memory', 'manifest'])

function optionsText(options: Report['options']): string {
  const told = Object.entries(options).filter(([name]) => !beside.has(name))
  return told.length === 0
    ? 'nothing'
    : told
        .map(([name, value]) => `${name} ${value}`)
        .toSorted()
        .join(', ')
}
