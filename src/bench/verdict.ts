import type { Drained } from './drain.ts'
import type { Account } from './types.ts'
import type { Written } from './target.ts'

/** What a run was, as far as it decides whether it counts. */
export interface RunFacts {
  readonly account: Account
  readonly written: Pick<Written, 'rateShare'>
  /** How the agent ended before it was asked to; empty: it did not. */
  readonly endedByItself: string
  /** How it ended when it was asked to. */
  readonly stopped: string
  readonly oomKills: number
  /** Why the target could not understand a request. */
  readonly targetFailure: string
  /** The writer's end, until everything was there or patience ran out, ms. */
  readonly drained: Drained
}

/** A writer that keeps up less of its rate measured something else than what was asked for. */
export const rateShareMin = 0.98

/** Empty when the run is good; else all that is wrong with it, the worst first. */
export function failureOf(facts: RunFacts): string {
  const { account, oomKills, endedByItself, stopped, targetFailure } = facts
  const { lostLines, twiceLines, wrongLines, writtenLines } = account
  return [
    endedByItself === '' ? '' : `the agent ended by itself: ${endedByItself}`,
    oomKills === 0 ? '' : oomKilledText(oomKills),
    lostLines === 0 ? '' : `${lostLines} of ${writtenLines} lines ${lostOrLate(facts)}`,
    lostLines === 0 && !facts.drained.isAll ? heldBackText : '',
    twiceLines === 0 ? '' : `${twiceLines} lines stored twice`,
    wrongLines === 0 ? '' : `${wrongLines} lines stored that were not written so`,
    targetFailure === '' ? '' : `a request could not be understood: ${targetFailure}`,
    stopped === 'code 0' ? '' : `asked to stop, the agent ended with ${stopped}`,
    writtenLines > 0 ? '' : 'nothing was written',
    writerFault(facts.written),
  ]
    .filter((text) => text !== '')
    .join('; ')
}

const heldBackText = 'lines came only when the agent was asked to stop: not all was there before'

/** Who waits no longer cannot tell the one from the other. */
function lostOrLate({ drained: { isAll, tookMs } }: RunFacts): string {
  return isAll ? 'lost' : `lost, or not there ${Math.round(tookMs / 1_000)} s after the writer's end`
}

function writerFault({ rateShare = 1 }: RunFacts['written']): string {
  if (rateShare >= rateShareMin) return ''
  return `${behindText} ${Math.floor(rateShare * 100)} % of its rate only: this machine cannot give more`
}

export function oomKilledText(kills: number): string {
  return `killed for lack of memory, ${kills} times`
}

/** How a failure begins that is the machine's, not the agent's. */
export const behindText = 'the writer kept up'
