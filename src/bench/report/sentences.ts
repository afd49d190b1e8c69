import type { Spread } from '../stats.ts'
import type { Row } from '../types.ts'
import { isLowerBound } from '../bounds.ts'
import { limitsText } from '../limits/quantity.ts'
import { numberText, spreadText } from './text.ts'

/**
 * What a row says, in words of the person who sets the limits. Undefined where its figures say it better.
 * @param areLimitsHeld else no sentence may sound as if the limits had been there
 */
export function sentenceOf(row: Row, areLimitsHeld: boolean): string | undefined {
  const of = (name: string) => row.figures.find((figure) => figure.name === name)?.spread
  const rate = of('highest rate')
  if (rate !== undefined) {
    const place = areLimitsHeld ? `At ${limitsText(row.limits)},` : 'Without limits, on this machine,'
    return `${place} it carries ${isLowerBound(row) ? 'at least ' : ''}${withUnit(rate, 'MB/s')}${costText(of('CPU'))}.`
  }
  const caughtUp = of('caught up after')
  if (caughtUp !== undefined) {
    const behind = of('behind at most')
    const most = behind === undefined ? '' : `, from ${withUnit(behind, 'MB')} behind`
    return `${row.name}: caught up ${withUnit(caughtUp, 's')} after the end of it${most}.`
  }
  const [p50, p99] = [of('latency p50'), of('latency p99')]
  if (p50 !== undefined && p99 !== undefined)
    return `${row.name}: half of the lines are stored within ${withUnit(p50, 'ms')}, 99 of 100 within ${withUnit(p99, 'ms')}.`
  const share = of('CPU of a core')
  return share === undefined ? undefined : `${row.name}: it takes ${withUnit(share, '%')} of a core.`
}

function costText(cpu: Spread | undefined): string {
  return cpu === undefined ? '' : `, for ${numberText(cpu.median)} s of CPU a GB`
}

/** `38 MB/s (36–40)`. */
function withUnit(spread: Spread, unit: string): string {
  const [median = '', ...range] = spreadText(spread).split(' ')
  return [median, unit, ...range].join(' ')
}
