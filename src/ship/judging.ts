import { limits } from '../base/limits.ts'
import type { Item } from './answer.ts'
import { documentAt, documentEnd } from './body.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { Delivered, Range } from './range.ts'
import { isThere, verdictOf } from './verdict.ts'

/** A document that will never be taken: `[from, to)` of the body, and what it was answered. */
export interface Refused {
  readonly from: number
  readonly to: number
  readonly item: Item
  readonly account: Delivered
}

export interface Judged {
  /** By position: this document is to be sent again. */
  readonly again: readonly boolean[]
  readonly refused: readonly Refused[]
}

/**
 * Settles what is there, and finds what never will be.
 *
 * @param accounts      by span
 * @param blames    by position: a type that nobody knows blames this document, for others to the same index were taken
 */
export function judge(
  body: Buffer,
  range: Range,
  items: readonly Item[],
  accounts: readonly Delivered[],
  blames: (position: number) => boolean,
): Judged {
  const again: boolean[] = []
  const refused: Refused[] = []
  let next = range.from
  for (const [span, count] of range.left.entries()) {
    const account = accounts[span]!
    for (const item of items.slice(again.length, again.length + count)) {
      const from = next
      next = documentEnd(body, from)
      const verdict = verdictOf(item.status, item.errorType, blames(again.length))
      again.push(verdict === 'again' || verdict === 'hold')
      if (verdict === 'refused') refused.push({ from, to: next, item, account })
      else if (verdict === 'done') settle(account, item, range.blind)
    }
  }
  return { again, refused }
}

function settle(account: Delivered, { status, failureStored }: Item, blind: number): void {
  account.done++
  if (status === 409) account.duplicates++
  if (failureStored === true) account.failureStored++
  // With the first answer 409 it is where the attempt in doubt has left it, and nowhere else.
  if (blind > (status === 409 ? 1 : 0)) account.possiblyDuplicated++
}

/** What one document is answered when it is sent again by itself, with the reason; undefined: nobody knows. */
export type Ask = (document: Buffer) => Promise<Item | undefined>

export interface Burial {
  readonly target: string
  /** Keeps a refused document; what it returns is why it could not. */
  readonly deadLetter: (letter: DeadLetter) => string | undefined
  readonly ask: Ask
}

/**
 * Brings refused documents to the dead letters. The answer to a batch has no reasons, for they repeat whole values; so
 * some of the documents are sent once more, alone, of each type of error at least one. What is taken then is done.
 */
export async function bury(body: Buffer, refused: readonly Refused[], { target, deadLetter, ask }: Burial) {
  const types = new Set<string>()
  let left: number = limits.refusalReasonsMax
  let answers = true
  for (const { from, to, item, account } of refused) {
    let told: Item | undefined
    const known = types.has(item.errorType)
    if (answers && (left > 0 || !known) && types.size < limits.refusalReasonsMax) {
      types.add(item.errorType)
      left--
      told = await ask(body.subarray(from, to))
      // Who does not answer now is not asked for each of the others.
      answers = told !== undefined
    }
    if (told !== undefined && isThere(told.status)) {
      settle(account, told, 0)
      continue
    }
    const reason = told?.errorType === item.errorType ? told.reason : undefined
    const { status, errorType } = item
    const kept = deadLetter({ status, errorType, reason, target, ...documentAt(body, from) })
    if (kept === undefined) account.deadLettered++
    else account.lost++
  }
}
