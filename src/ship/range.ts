import { limits } from '../base/limits.ts'
import { documentEnd, pack } from './body.ts'
import type { Doubt } from './doubts.ts'

/** Documents of one span by what became of them: done, dead-lettered, lost and held are all of them. */
export interface Delivered {
  done: number
  /** Of those done, the ones that were there already. */
  duplicates: number
  /** Of those done, the ones that the data stream's failure store took, for the stream itself could not. */
  failureStored: number
  deadLettered: number
  lost: number
  /** The shipper was stopped before their verdict. */
  held: number
  /** Of those done, the ones taken now although an older index may have them too. */
  possiblyDuplicated: number
}

/** Documents of a batch that are sent together: `[from, to)` of its body. */
export interface Range {
  from: number
  to: number
  documents: number
  /** By span, how many of its documents are in here; they stand in the order of the spans. */
  left: number[]
  /** They may be there already, and nobody has looked. */
  doubt: Doubt | undefined
  /** Monotonic. */
  doubtedAtMs: number
  /** How often they were sent although it could not be found out whether they are there. */
  blind: number
  /** Attempts, or looks, without any progress. */
  attempt: number
  looks: number
  /** Looks that failed while others got through, and how many had got through at the last one. */
  overtaken: number
  passed: number
  /** The last attempt failed on an old connection. */
  stale: boolean
  /** Larger requests of it are too large (413); and how often one document alone was. */
  bytesMax: number
  tooLarge: number
  /** Not to be sent, or looked for, before; monotonic. What ends the waiting: see `Waits`. */
  dueMs: number
  wait: Wait
  /** The same answer again and again, while others pass. */
  stuck: Stuck | undefined
}

/** What a range waits for: the server to be there, a person to mend the target, or nothing but time. */
export type Wait = 'server' | 'mending' | 'time'

/** Since when, and how many requests had got through then; how often so far. */
export interface Stuck {
  readonly why: 'overload' | 'unknown'
  readonly sinceMs: number
  readonly passed: number
  times: number
}

export function noDelivery(): Delivered {
  return { done: 0, duplicates: 0, failureStored: 0, deadLettered: 0, lost: 0, held: 0, possiblyDuplicated: 0 }
}

/** A batch as one range, with so many documents in each of its spans. */
export function wholeOf(to: number, documents: readonly number[], nowMs: number, passed: number): Range {
  return {
    from: 0,
    to,
    documents: sumOf(documents),
    left: [...documents],
    doubt: undefined,
    doubtedAtMs: nowMs,
    blind: 0,
    attempt: 0,
    looks: 0,
    overtaken: 0,
    passed,
    stale: false,
    bytesMax: Infinity,
    tooLarge: 0,
    dueMs: -Infinity,
    wait: 'time',
    stuck: undefined,
  }
}

/**
 * Cuts off as many documents from the front as `most` and its own bound hold, at least one. @returns the range itself when it fits
 */
export function splitOff(body: Buffer, range: Range, most: number): Range {
  const bytesMax = Math.min(most, range.bytesMax)
  if (range.to - range.from <= bytesMax || range.documents === 1) return range
  let to = documentEnd(body, range.from)
  let documents = 1
  for (let end = to; documents < range.documents; documents++) {
    end = documentEnd(body, end)
    if (end - range.from > bytesMax) break
    to = end
  }
  if (documents === range.documents) return range
  let open = documents
  const left = range.left.map((count) => {
    const taken = Math.min(count, open)
    open -= taken
    return taken
  })
  const first = { ...range, to, documents, left, stuck: undefined }
  range.from = to
  range.documents -= documents
  range.attempt = 0
  range.stuck = undefined
  range.left = range.left.map((count, span) => count - left[span]!)
  return first
}

/** Keeps the chosen documents of a range, by position; the others have their verdict. */
export function keep(body: Buffer, range: Range, chosen: readonly boolean[]): void {
  let position = 0
  range.left = range.left.map((count) => {
    let kept = 0
    for (const end = position + count; position < end; position++) if (chosen[position]) kept++
    return kept
  })
  range.documents = sumOf(range.left)
  if (range.documents > 0) range.to = pack(body, range.from, range.to, chosen)
}

/** Notes the same answer once more. @param passed  requests that have got through so far */
export function stick(range: Range, why: Stuck['why'], passed: number, nowMs: number): void {
  if (range.stuck?.why !== why) range.stuck = { why, sinceMs: nowMs, passed, times: 0 }
  range.stuck.times++
}

/** The same answer often and for long, while others got through: then it is not the server, but the documents. */
export function isStuck({ stuck }: Range, why: Stuck['why'], passed: number, nowMs: number): boolean {
  if (stuck?.why !== why || nowMs - stuck.sinceMs < limits.overtakenPatienceMs) return false
  return stuck.times >= limits.overtakenMin && passed - stuck.passed >= limits.overtakenMin
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
