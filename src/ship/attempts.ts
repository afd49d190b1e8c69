import { limits } from '../base/limits.ts'
import type { Item } from './answer.ts'
import { documentAt, documentEnd } from './body.ts'
import { bury, judge, type Ask } from './judging.ts'
import type { Pace } from './pace.ts'
import { isStuck, keep, stick, type Range, type Wait } from './range.ts'
import { backoffMs, hold, overload, progress, unreachable } from './retry.ts'
import type { Batch, Outcome, ShipperOptions } from './shipper-options.ts'
import type { Failed, Sent } from './transport.ts'
import { blamesDocument, isThere, mayHaveTaken, requestVerdictOf, verdictOf } from './verdict.ts'
import type { Waits } from './waits.ts'

/** An attempt under way, for what is said and noted of it. */
interface Attempt {
  readonly startedMs: number
  readonly bytes: number
  readonly outcome: (outcome: Outcome) => void
}

/** A server that has too much to do. */
interface Refusal {
  readonly detail: string
  readonly item: Item
  /** To wait at least. */
  readonly askedMs: number
  readonly tooMuch: boolean
}

/** What comes of a request: in the accounts, in the range (what is left, and when it is sent again), and for the pace of all. */
export class Attempts {
  readonly #o: ShipperOptions
  readonly #pace: Pace
  readonly #waits: Waits
  #passed = 0

  constructor(options: ShipperOptions, pace: Pace, waits: Waits) {
    this.#o = options
    this.#pace = pace
    this.#waits = waits
  }

  /** Requests that got through. */
  get passed(): number {
    return this.#passed
  }

  /** Sends once, and notes what came of it; documents without a verdict are left in the range. */
  async send(batch: Batch, range: Range): Promise<void> {
    const { body, signal } = batch
    const startedMs = this.#o.clock.monotonicMs()
    const bytes = range.to - range.from
    const sent = await this.#o.send(body.subarray(range.from, range.to), range.documents, signal)
    const attempt: Attempt = {
      startedMs,
      bytes,
      outcome: (outcome) => this.#o.outcome(outcome, this.#o.clock.monotonicMs() - startedMs, bytes),
    }
    if (sent.kind === 'answered' && sent.answer.kind === 'done') return this.#onDone(batch, range, attempt)
    if (sent.kind === 'answered' && sent.answer.kind === 'items')
      return this.#onItems(batch, range, attempt, sent.answer.items)
    if (sent.kind === 'status') return this.#onStatus(batch, range, attempt, sent)
    // Stopped by us: says nothing about the server.
    if (signal.aborted) return
    return this.#onFailure(range, attempt, sent.kind === 'failed' ? sent : malformed(sent.answer))
  }

  #onDone({ accounts, signal }: Batch, range: Range, { startedMs, bytes, outcome }: Attempt): void {
    outcome('ok')
    this.#pace.taken(bytes, startedMs)
    for (const [span, count] of range.left.entries()) {
      accounts[span]!.done += count
      if (range.blind > 0) accounts[span]!.possiblyDuplicated += count
    }
    this.#gotThrough(range, signal)
    range.documents = 0
  }

  async #onItems(batch: Batch, range: Range, attempt: Attempt, items: readonly Item[]): Promise<void> {
    const { body, accounts, signal } = batch
    const before = range.documents
    const passed = items.some(({ status }) => isThere(status))
    const { deadLetter, target, send } = this.#o
    const ask = async (document: Buffer) => {
      const sent = signal.aborted ? undefined : await send(document, 1, signal, { reasons: true })
      return sent?.kind === 'answered' && sent.answer.kind === 'items' ? sent.answer.items[0] : itemOf(sent)
    }
    const blames = await this.#blamesOf(body, range, items, passed, ask)
    const { again, refused } = judge(body, range, items, accounts, blames)
    await bury(body, refused, { deadLetter, target, ask })
    keep(body, range, again)

    const verdicts = items.map(({ status, errorType }, at) => verdictOf(status, errorType, blames(at)))
    const putOff = verdicts.includes('again')
    attempt.outcome(putOff ? 'overloaded' : 'partial')
    if (range.documents < before) this.#pace.answered()
    const busy = items.some(({ status }) => status === 429)
    const { startedMs, bytes } = attempt
    const leftBytes = range.documents === 0 ? 0 : range.to - range.from
    const tooMuch = putOff && this.#pace.refused({ bytes, leftBytes, startedMs, busy })
    if (!putOff && (passed || range.documents === 0)) this.#pace.taken(bytes, startedMs)
    if (range.documents === 0) return this.#gotThrough(range, signal)

    if (range.documents < before) {
      range.attempt = 0
      range.stuck = undefined
    }
    // A shard that failed may have taken what it did not answer for.
    if (items.some(({ status }) => status >= 500)) this.#doubt(range)
    const held = items[verdicts.indexOf('hold')]
    if (held !== undefined) {
      const detail = `the target refuses documents: ${held.status} ${held.errorType}`
      // No type tells, and so it may be the documents after all.
      const unknown = !passed && isUnknown(held)
      return this.#hold(range, detail, 0, unknown ? 'unknown' : undefined, passed)
    }
    const first = items[verdicts.indexOf('again')]!
    const detail = `documents are put off: ${first.status} ${first.errorType}`
    if (range.documents < before) {
      this.#o.health({ state: 'overloaded', detail })
      this.#postpone(range, 'time', backoffMs(progress, range.attempt, this.#o.random()))
    } else this.#refusedAgain(batch, range, attempt, { detail, item: first, askedMs: 0, tooMuch })
  }

  /**
   * Which documents are to blame where no type says whether it is they or the target: those beside others that passed, or
   * that others have overtaken for long; otherwise the words tell, of the first one. Of several indices each may be broken
   * for itself, so there the words alone count, and for that document only.
   */
  async #blamesOf(
    body: Buffer,
    range: Range,
    items: readonly Item[],
    passed: boolean,
    ask: Ask,
  ): Promise<(position: number) => boolean> {
    const { severalIndices, clock } = this.#o
    const overtaken = isStuck(range, 'unknown', this.#passed, clock.monotonicMs())
    if (!severalIndices && (passed || overtaken)) return () => true
    const first = items.findIndex(isUnknown)
    if (first === -1) return () => false
    let from = range.from
    for (let at = 0; at < first; at++) from = documentEnd(body, from)
    const told = await ask(body.subarray(from, documentEnd(body, from)))
    const blamed = told !== undefined && isUnknown(told) && blamesDocument(told.reason)
    return severalIndices ? (position) => blamed && position === first : () => blamed
  }

  #onStatus(batch: Batch, range: Range, attempt: Attempt, sent: Extract<Sent, { kind: 'status' }>): void {
    const { status, errorType, retryAfterMs, hint } = sent
    const verdict = requestVerdictOf(status, errorType)
    attempt.outcome(verdict === 'again' ? 'overloaded' : 'status')
    if (verdict === 'split') {
      return this.#tooLarge(batch, range, attempt.bytes)
    }
    if (mayHaveTaken(status)) this.#doubt(range)
    const detail = `the server answers ${status}${errorType === '' ? '' : ` ${errorType}`}${hint === undefined ? '' : `: ${hint}`}`
    if (verdict === 'hold') return this.#hold(range, detail, retryAfterMs)
    const { startedMs, bytes } = attempt
    const tooMuch = this.#pace.refused({ bytes, leftBytes: bytes, startedMs, busy: status === 429 })
    const item = { status, errorType }
    this.#refusedAgain(batch, range, attempt, { detail, item, askedMs: retryAfterMs, tooMuch })
  }

  /** In halves, without waiting. One document alone must be large indeed, or be told so again. */
  #tooLarge(batch: Batch, range: Range, bytes: number): void {
    const believed = this.#pace.tooLarge(bytes)
    range.stuck = undefined
    if (range.documents > 1) {
      range.bytesMax = bytes / 2
      return
    }
    const large = believed && bytes > limits.tooLargeBytesMin
    if (large || ++range.tooLarge >= limits.tooLargeTimes) {
      return this.#giveUp(batch, range, { status: 413, errorType: 'too large' })
    }
    this.#overloaded(range, `the server answers 413 to a document of ${bytes} bytes`, 0)
  }

  #onFailure(range: Range, { startedMs, bytes, outcome }: Attempt, { message, reached, stale }: Failed): void {
    if (reached) this.#doubt(range)
    if (stale && !range.stale) {
      range.stale = true
      return
    }
    outcome('failed')
    if (reached) this.#pace.refused({ bytes, leftBytes: bytes, startedMs, busy: false })
    else this.#pace.away()
    this.#o.health({ state: 'unreachable', detail: message })
    const others = this.#o.nodes - 1
    const random = this.#o.random()
    const waitMs = (attempt: number) => (attempt < others ? 0 : backoffMs(unreachable, attempt - others, random))
    this.#pace.failed(startedMs, waitMs)
    this.#postpone(range, 'server', waitMs(range.attempt))
    range.stuck = undefined
  }

  /** Nothing of it was taken, for there is too much to do; where it is not for the size, that keeps none of the others waiting. */
  #refusedAgain(batch: Batch, range: Range, { startedMs, bytes }: Attempt, refusal: Refusal): void {
    const { detail, item, askedMs, tooMuch } = refusal
    if (range.documents === 1 && item.status === 429) {
      stick(range, 'overload', this.#passed, this.#o.clock.monotonicMs())
      // Others pass, again and again: this one is too large for this server, for ever. A small one had no luck.
      const large = bytes > limits.tooLargeBytesMin
      if (large && isStuck(range, 'overload', this.#passed, this.#o.clock.monotonicMs()))
        return this.#giveUp(batch, range, item)
    } else range.stuck = undefined
    const random = this.#o.random()
    if (tooMuch || askedMs > 0)
      this.#pace.failed(startedMs, (failures) => backoffMs(overload, failures, random, askedMs))
    this.#overloaded(range, detail, askedMs, random)
  }

  #overloaded(range: Range, detail: string, askedMs: number, random = this.#o.random()): void {
    this.#o.health({ state: 'overloaded', detail })
    this.#postpone(range, 'time', backoffMs(overload, range.attempt, random, askedMs))
  }

  /** @param why  it may be the documents after all: no type says so, and all of them are held */
  #hold(range: Range, detail: string, askedMs: number, why?: 'unknown', othersPassed = false): void {
    // Of several indices one may be closed: that is no reason to send less to the others.
    if (!othersPassed) this.#pace.away()
    if (why === undefined) range.stuck = undefined
    else stick(range, why, this.#passed, this.#o.clock.monotonicMs())
    this.#o.health({ state: 'holding', detail })
    this.#postpone(range, 'mending', backoffMs(hold, range.attempt, this.#o.random(), askedMs))
  }

  #postpone(range: Range, wait: Wait, ms: number): void {
    range.stale = false
    range.attempt++
    range.wait = wait
    range.dueMs = this.#o.clock.monotonicMs() + ms
  }

  /** The one document of a range will never be taken. */
  #giveUp({ body, accounts }: Batch, range: Range, { status, errorType }: Item): void {
    const account = accounts[range.left.findIndex((count) => count > 0)]!
    const letter = { status, errorType, reason: undefined, target: this.#o.target, ...documentAt(body, range.from) }
    if (this.#o.deadLetter(letter) === undefined) account.deadLettered++
    else account.lost++
    range.documents = 0
  }

  #gotThrough(range: Range, signal: AbortSignal): void {
    this.#passed++
    // While others are held, that one gets through says nothing of their target.
    const mended = range.wait === 'mending' && range.attempt > 0
    if (mended || !this.#waits.has('mending')) this.#o.health({ state: 'ok' })
    // Who was held tells the others that the target is mended.
    if (mended) this.#waits.wake('server', 'mending')
    else this.#waits.wake('server')
    this.#o.doubts?.refresh(signal)
  }

  #doubt(range: Range): void {
    if (this.#o.doubts === undefined) return
    range.doubt = 'attempt'
    range.doubtedAtMs = this.#o.clock.monotonicMs()
    range.looks = range.overtaken = 0
    range.passed = this.#passed
  }
}

/** A type that blames neither target nor document: alone it holds, beside others that passed it is refused. */
function isUnknown({ status, errorType }: Item): boolean {
  return verdictOf(status, errorType, false) === 'hold' && verdictOf(status, errorType, true) === 'refused'
}

function malformed(answer: { readonly kind: string; readonly why?: string }): Failed {
  return { kind: 'failed', message: answer.why ?? answer.kind, reached: true, stale: false }
}

/** The answer to a request of one document. */
function itemOf(sent: Sent | undefined): Item | undefined {
  return sent?.kind === 'answered' && sent.answer.kind === 'done' ? { status: 201, errorType: '' } : undefined
}
