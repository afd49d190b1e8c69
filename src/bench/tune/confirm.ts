import { judge, roundsMin } from './judge.ts'
import { inRounds } from './rounds.ts'
import type { Rules, Stage } from './search.ts'
import type { Confirmation, Judged, Measured, Part, Try } from './types.ts'

interface Change {
  readonly settings: readonly string[]
  /** All that was chosen but this; undefined: it cannot be. */
  readonly without: Try | undefined
}

/** @param tryOf  undefined: these settings cannot be */
export interface Confirming {
  readonly start: Try
  readonly chosen: Try
  /** Settings that differ, those that belong together as one. */
  readonly changes: readonly (readonly string[])[]
  readonly tryOf: (values: Try['values']) => Try | undefined
}

/**
 * What was there at first, what was chosen, and of more than one change what was chosen less each of them: all in turn, and no
 * value of the search is used again. A change that brings nothing beside the others is taken back, one at the most: what remains
 * then has been measured, too.
 */
export async function confirm(
  { start, chosen, changes, tryOf }: Confirming,
  { better, leastEffect, confirmRounds }: Rules,
  stage: Stage,
): Promise<Confirmation> {
  const parted: readonly Change[] =
    changes.length < 2
      ? []
      : changes.map((settings) => ({ settings, without: without(start, chosen, settings, tryOf) }))
  const single = parted.flatMap((part) => part.without ?? [])
  const hasTime = stage.hasTime(confirmRounds.least * (2 + single.length))
  const tries = [start, chosen, ...(hasTime ? single : [])]
  let rounds = confirmRounds.most
  while (rounds > confirmRounds.least && !stage.hasTime(rounds * tries.length)) rounds -= 1
  const measured = await inRounds(tries, rounds, {
    // The worst runs of a setting are not left out of its figure.
    behindMax: 0,
    measure: (tried, round) => {
      const about = tried === start ? 'as it is' : tried === chosen ? 'as chosen' : 'as chosen, one less'
      const left = (rounds - round + 1) * tries.length
      return stage.measure(tried, `confirming: ${about}, round ${round} of ${rounds}`, left)
    },
    // All intervals are of as many rounds.
    drops: () => false,
    goesOn: (round, _, others) => {
      if (!others.some(({ tried }) => tried === chosen)) return false
      return round < roundsMin || stage.hasTime(tries.length)
    },
  })
  const of = (tried: Try | undefined) => measured.find((each) => each.tried === tried)
  const before = of(start)!
  const whole = judge(before, of(chosen)!, better, leastEffect)
  const parts = parted.map((change): Part => {
    const reason =
      change.without === undefined
        ? 'the memory plan has no room without it'
        : hasTime
          ? ''
          : 'there was no time for it'
    return partOf(whole, change.settings, { without: of(change.without), reason }, better, leastEffect)
  })
  return { before, chosen: whole, parts, final: finalOf(before, whole, parts, better, leastEffect) }
}

function without(start: Try, chosen: Try, settings: readonly string[], tryOf: Confirming['tryOf']): Try | undefined {
  const kept = Object.entries(chosen.values).filter(([name]) => !settings.includes(name))
  const back = Object.entries(start.values).filter(([name]) => settings.includes(name))
  return tryOf(Object.fromEntries([...kept, ...back]))
}

function partOf(
  whole: Judged,
  settings: readonly string[],
  { without: less, reason }: Pick<Part, 'without' | 'reason'>,
  better: Rules['better'],
  leastEffect: number,
): Part {
  const values = Object.fromEntries(Object.entries(whole.tried.values).filter(([name]) => settings.includes(name)))
  if (less === undefined || less.failure !== '')
    return { values, without: less, reason, gain: undefined, decision: 'noise' }
  const { gain, decision } = judge(less, whole, better, leastEffect)
  return { values, without: less, reason, gain, decision }
}

function finalOf(
  before: Measured,
  whole: Judged,
  parts: readonly Part[],
  better: Rules['better'],
  leastEffect: number,
): Judged | undefined {
  // What is simpler is looked at only when the whole is better: so no second look makes a false win likelier.
  if (before.failure !== '' || whole.decision !== 'better') return undefined
  const simpler = parts
    .filter(({ decision, gain }) => gain !== undefined && decision !== 'better')
    .toSorted((a, b) => a.gain!.ratio - b.gain!.ratio)
    .map((part) => judge(before, part.without!, better, leastEffect))
    .find(({ decision }) => decision === 'better')
  return simpler ?? whole
}
