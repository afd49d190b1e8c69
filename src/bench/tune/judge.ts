import { ratioInterval, type RatioInterval } from '../compare/rank-interval.ts'
import type { Decision, Judged, Measured } from './types.ts'

export type Better = 'more' | 'less'

/** A gain below this is not worth a setting that somebody has to keep. */
export const leastEffectDefault = 0.03
/** With fewer values on a side no exact interval reaches 95 %: of 8 values there are 70 orders, and 2 of 70 are 2.9 %. */
export const roundsMin = 4
const confidenceMin = 0.95

/** How much better `after` is than `before`: above 1 is better. Undefined with fewer than three values on a side. */
export function gainOf(before: Measured, after: Measured, better: Better): RatioInterval | undefined {
  return better === 'more' ? ratioInterval(before.values, after.values) : ratioInterval(after.values, before.values)
}

export function judge(before: Measured, after: Measured, better: Better, leastEffect: number): Judged {
  const gain = gainOf(before, after, better)
  const decision = after.failure === '' ? decisionOf(gain, leastEffect) : 'failed'
  if (decision !== 'noise' || !isClearlyBehind(before, after, better)) return { ...after, gain, decision }
  return { ...after, gain, decision: 'worse' }
}

function decisionOf(gain: RatioInterval | undefined, leastEffect: number): Decision {
  if (gain === undefined || gain.confidence < confidenceMin) return 'noise'
  if (gain.high < 1) return 'worse'
  if (gain.low <= 1) return 'noise'
  return gain.ratio >= 1 + leastEffect ? 'better' : 'small'
}

/** After so many rounds: the best of one is so much behind the worst of the other. One run may be disturbed, and two hardly. */
const behindShares = [0, 0.5, 0.8, 0.9] as const

/**
 * Whether more rounds would be time lost. It only ever says of a try that it loses: that no such one is chosen takes nothing
 * from what the intervals of the others say.
 */
export function isClearlyBehind(before: Measured, after: Measured, better: Better): boolean {
  const rounds = Math.min(before.values.length, after.values.length)
  if (rounds === 0) return false
  const [worst, best] =
    better === 'more'
      ? [Math.min(...before.values), Math.max(...after.values)]
      : [1 / Math.max(...before.values), 1 / Math.min(...after.values)]
  return best < worst * (behindShares[rounds] ?? behindShares[3])
}
