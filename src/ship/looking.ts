import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { idsOf } from './body.ts'
import type { Doubt, Doubts, Found } from './doubts.ts'
import { keep, type Range } from './range.ts'
import type { Batch } from './shipper-options.ts'

/** What came of a look at what is there already. */
export type Looked =
  /** The rest can be sent. */
  | { readonly kind: 'clear' }
  /** The rest is sent although some of it may be there: why that could not be found out. */
  | { readonly kind: 'blind'; readonly why: string }
  | Extract<Found, { kind: 'early' | 'failed' }>

/**
 * Takes out of a range what is there already.
 *
 * @param passed  requests that have got through so far
 */
export async function look(
  doubts: Doubts,
  batch: Batch,
  range: Range,
  doubt: Doubt,
  passed: number,
  clock: Clock,
): Promise<Looked> {
  const { body, signal } = batch
  const overtaken = passed > range.passed
  range.passed = passed
  const ids = () => idsOf(body, range.from, range.to)
  const found = await doubts.find(batch.underWay!, doubt, range.doubtedAtMs, range.documents, ids, signal)
  if (signal.aborted) return { kind: 'clear' }
  if (found.kind === 'early') return found
  if (found.kind === 'failed') {
    if (overtaken) range.overtaken++
    const looksMax = found.state === 'unready' ? limits.lookupTriesUnready : limits.lookupTriesLast
    const patient = clock.monotonicMs() - range.doubtedAtMs >= limits.lookupPatienceMs
    const others = range.overtaken >= limits.lookupTriesMax && patient
    return others || ++range.looks >= looksMax ? blindly(range, found.message) : found
  }
  range.doubt = undefined
  const { present } = found
  if (present !== undefined) {
    let position = 0
    for (const [span, count] of range.left.entries()) {
      const there = present.slice(position, (position += count)).filter(Boolean).length
      batch.accounts[span]!.done += there
      batch.accounts[span]!.duplicates += there
    }
    keep(
      body,
      range,
      present.map((there) => !there),
    )
  }
  return found.blind !== undefined && range.documents > 0 ? blindly(range, found.blind) : { kind: 'clear' }
}

function blindly(range: Range, why: string): Looked {
  range.doubt = undefined
  range.blind++
  return { kind: 'blind', why }
}
