import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Item } from './answer.ts'
import { documentAt, documentEnd } from './body.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { Doubts, UnderWay } from './doubts.ts'
import { bury, judge, type Ask } from './judging.ts'
import { look } from './looking.ts'
import { Pace } from './pace.ts'
import { keep, noDelivery, splitOff, wholeOf, type Delivered, type Range, type Stuck, type Wait } from './range.ts'
import { backoffMs, type Backoff } from './retry.ts'
import type { Failed, Send, Sent } from './transport.ts'
import { blamesDocument, isThere, mayHaveTaken, requestVerdictOf, verdictOf } from './verdict.ts'
import { Waits } from './waits.ts'

export type { Delivered } from './range.ts'

/** How Elasticsearch is doing, as far as the last request tells. */
export type Health =
  | { readonly state: 'unknown' }
  | { readonly state: 'ok' }
  /** `unreachable`: no answer; `overloaded`: try later; `holding`: someone has to mend the target. */
  | { readonly state: 'unreachable' | 'overloaded' | 'holding'; readonly detail: string }

/** What came of a request: all taken; some put off, held or refused; too much to do; another status; no answer. */
export type Outcome = 'ok' | 'partial' | 'overloaded' | 'status' | 'failed'

export interface ShipperOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly send: Send
  readonly target: string
  /** Of the memory plan: largest body, and most requests at once. */
  readonly batchBytes: number
  readonly concurrencyMax: number
  /** How many nodes `send` takes in turn: one that is away is no reason to wait before the next one is tried. */
  readonly nodes: number
  readonly health: (health: Health) => void
  /** Keeps a refused document; what it returns is why it could not. */
  readonly deadLetter: (letter: DeadLetter) => string | undefined
  /** Finds what is there already; undefined when documents have no ids. */
  readonly doubts: Doubts | undefined
  /** Documents are sent again although an older index may have them: why that could not be found out. */
  readonly blind: (why: string) => void
  readonly outcome: (outcome: Outcome, durationMs: number, bytes: number) => void
}

/** A batch on its way. */
export interface Batch {
  readonly body: Buffer
  /** By span. */
  readonly accounts: readonly Delivered[]
  readonly underWay: UnderWay | undefined
  readonly signal: AbortSignal
}

const overload: Backoff = { baseMs: limits.retryBaseMs, capMs: limits.overloadCapMs }
const unreachable: Backoff = { baseMs: limits.retryBaseMs, capMs: limits.retryCapMs }
const hold: Backoff = { baseMs: limits.holdBaseMs, capMs: limits.holdCapMs }

/** An attempt under way, for what is said and noted of it. */
interface Attempt {
  readonly startedMs: number
  readonly bytes: number
  readonly outcome: (outcome: Outcome) => void
}

/** Brings the documents of a batch to their final verdict, however long it takes. */
export class Shipper {
  readonly #o: ShipperOptions
  readonly #pace: Pace
  readonly #waits: Waits
  /** Requests that got through. */
  #passed = 0

  constructor(options: ShipperOptions) {
    this.#o = options
    this.#pace = new Pace(options.clock, options)
    this.#waits = new Waits(options.clock)
  }

  /** What may be sent at once, as of now: requests, and bytes in each. */
  get pace(): { readonly concurrency: number; readonly requestBytesMax: number } {
    return this.#pace
  }

  /** Something has changed that may have been in the way, such as the credentials: whoever waits tries again at once. */
  wake(): void {
    this.#pace.resume()
    this.#waits.wake('server', 'mending')
  }

  /**
   * @param body       a slot's output; documents that were taken are squeezed out of it
   * @param to         where the NDJSON ends
   * @param documents  of each span of the batch, in the order of the body
   * @param signal     stops the waiting and the attempt under way
   * @param doubtful   an earlier process may have sent some of them
   * @returns          an account for each span
   */
  async deliver(
    body: Buffer,
    to: number,
    documents: readonly number[],
    signal: AbortSignal,
    doubtful: boolean,
  ): Promise<readonly Delivered[]> {
    const { clock, doubts } = this.#o
    const accounts = documents.map(noDelivery)
    const underWay = doubts?.begin(doubtful)
    const whole = wholeOf(to, documents, clock.monotonicMs(), this.#passed)
    if (doubtful && doubts !== undefined) whole.doubt = 'crash'
    await this.#work({ body, accounts, underWay, signal }, whole)
    if (underWay !== undefined && accounts.every(({ held }) => held === 0)) doubts?.end(underWay)
    return accounts
  }

  async #work(batch: Batch, whole: Range): Promise<void> {
    const { body, accounts, signal } = batch
    const parts = [whole]
    for (let range = parts.shift(); range !== undefined; range = parts.shift()) {
      if (range.documents === 0) continue
      await this.#waits.until(range.dueMs, range.wait, signal)
      range.dueMs = -Infinity
      if (signal.aborted) {
        this.#pace.resume()
        for (const [span, count] of range.left.entries()) accounts[span]!.held += count
        continue
      }
      if (range.doubt !== undefined) {
        await this.#look(batch, range, range.doubt)
        parts.unshift(range)
        continue
      }
      const rest = range
      const part = await this.#pace.turn(signal, async () => {
        const first = splitOff(body, rest, this.#pace.requestBytesMax)
        await this.#attempt(batch, first)
        return first
      })
      if (part !== rest) parts.unshift(rest)
      if (part === undefined) continue
      // One document that is put off by itself does not keep the others waiting.
      if (part.stuck !== undefined && part.documents === 1) parts.push(part)
      else parts.unshift(part)
    }
  }

  /** Sends once, and notes what came of it; documents without a verdict are left in the range. */
  async #attempt(batch: Batch, range: Range): Promise<void> {
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
    const blamed =
      this.#isStuck(range, 'unknown', limits.overtakenMin) ||
      (!passed && (await this.#isBlamed(body, range, items, ask)))
    const { again, refused } = judge(body, range, items, accounts, passed || blamed)
    await bury(body, refused, { deadLetter, target, ask })
    keep(body, range, again)

    const verdicts = items.map(({ status, errorType }) => verdictOf(status, errorType, passed))
    const putOff = verdicts.includes('again')
    attempt.outcome(putOff ? 'overloaded' : 'partial')
    if (range.documents < before) this.#pace.answered()
    if (putOff)
      this.#pace.refused(
        attempt.startedMs,
        items.some(({ status }) => status === 429),
      )
    else if (passed || range.documents === 0) this.#pace.taken(attempt.bytes, attempt.startedMs)
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
      return this.#hold(range, detail, 0, unknown ? 'unknown' : undefined)
    }
    const first = items[verdicts.indexOf('again')]!
    const detail = `documents are put off: ${first.status} ${first.errorType}`
    if (range.documents < before) this.#overloaded(range, detail, 0)
    else await this.#refusedAgain(batch, range, attempt, detail, first, 0)
  }

  /** No type says whether it is the documents or the target: the words of the first one do. */
  async #isBlamed(body: Buffer, range: Range, items: readonly Item[], ask: Ask): Promise<boolean> {
    const [first] = items
    if (first === undefined || !isUnknown(first)) return false
    const told = await ask(body.subarray(range.from, documentEnd(body, range.from)))
    return told !== undefined && isUnknown(told) && blamesDocument(told.reason)
  }

  async #onStatus(
    batch: Batch,
    range: Range,
    attempt: Attempt,
    sent: Extract<Sent, { kind: 'status' }>,
  ): Promise<void> {
    const { status, errorType, retryAfterMs, hint } = sent
    const verdict = requestVerdictOf(status, errorType)
    attempt.outcome(verdict === 'again' ? 'overloaded' : 'status')
    if (verdict === 'split') {
      this.#pace.tooLarge(attempt.bytes)
      if (range.documents === 1) this.#giveUp(batch, range, { status, errorType: 'too large' })
      return
    }
    if (mayHaveTaken(status)) this.#doubt(range)
    const detail = `the server answers ${status}${errorType === '' ? '' : ` ${errorType}`}${hint === undefined ? '' : `: ${hint}`}`
    if (verdict === 'hold') return this.#hold(range, detail, retryAfterMs)
    this.#pace.refused(attempt.startedMs, status === 429)
    await this.#refusedAgain(batch, range, attempt, detail, { status, errorType }, retryAfterMs)
  }

  #onFailure(range: Range, { startedMs, outcome }: Attempt, { message, reached, stale }: Failed): void {
    if (reached) this.#doubt(range)
    if (stale && !range.stale) {
      range.stale = true
      return
    }
    outcome('failed')
    if (reached) this.#pace.refused(startedMs, false)
    else this.#pace.away()
    this.#o.health({ state: 'unreachable', detail: message })
    const others = this.#o.nodes - 1
    const random = this.#o.random()
    const waitMs = (attempt: number) => (attempt < others ? 0 : backoffMs(unreachable, attempt - others, random))
    this.#pace.failed(startedMs, waitMs)
    this.#postpone(range, 'server', waitMs(range.attempt))
    range.stuck = undefined
  }

  /** Nothing of it was taken, for there is too much to do. @param askedMs  by the server, to wait at least */
  async #refusedAgain(
    batch: Batch,
    range: Range,
    { startedMs }: Attempt,
    detail: string,
    item: Item,
    askedMs: number,
  ): Promise<void> {
    if (range.documents === 1 && item.status === 429) {
      this.#stick(range, 'overload')
      // Others pass, again and again: this one is too large for this server, for ever.
      if (this.#isStuck(range, 'overload', limits.overtakenMin)) return this.#giveUp(batch, range, item)
    } else range.stuck = undefined
    const random = this.#o.random()
    this.#pace.failed(startedMs, (failures) => backoffMs(overload, failures, random, askedMs))
    this.#overloaded(range, detail, askedMs, random)
  }

  #overloaded(range: Range, detail: string, askedMs: number, random = this.#o.random()): void {
    this.#o.health({ state: 'overloaded', detail })
    this.#postpone(range, 'time', backoffMs(overload, range.attempt, random, askedMs))
  }

  /** @param why  it may be the documents after all: no type says so, and all of them are held */
  #hold(range: Range, detail: string, askedMs: number, why?: 'unknown'): void {
    this.#pace.away()
    if (why === undefined) range.stuck = undefined
    else this.#stick(range, why)
    this.#o.health({ state: 'holding', detail })
    this.#postpone(range, 'mending', backoffMs(hold, range.attempt, this.#o.random(), askedMs))
  }

  #postpone(range: Range, wait: Wait, ms: number): void {
    range.stale = false
    range.attempt++
    range.wait = wait
    range.dueMs = this.#o.clock.monotonicMs() + ms
  }

  #stick(range: Range, why: Stuck['why']): void {
    if (range.stuck?.why !== why) {
      range.stuck = { why, sinceMs: this.#o.clock.monotonicMs(), passed: this.#passed, times: 0 }
    }
    range.stuck.times++
  }

  /** The same answer for long, while others got through. */
  #isStuck({ stuck }: Range, why: Stuck['why'], least: number): boolean {
    if (stuck?.why !== why) return false
    const patient = this.#o.clock.monotonicMs() - stuck.sinceMs >= limits.overtakenPatienceMs
    return patient && stuck.times >= least && this.#passed - stuck.passed >= least
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
    this.#o.health({ state: 'ok' })
    // Who was held tells the others that the target is mended.
    if (range.attempt > 0 && range.wait === 'mending') this.#waits.wake('server', 'mending')
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

  /** Takes out what is there already, or notes when to look again. */
  async #look(batch: Batch, range: Range, doubt: NonNullable<Range['doubt']>): Promise<void> {
    const { clock, blind, random } = this.#o
    const looked = await look(this.#o.doubts!, batch, range, doubt, this.#passed, clock)
    if (looked.kind === 'blind') blind(looked.why)
    if (looked.kind === 'early') this.#wait(range, 'time', looked.waitMs)
    if (looked.kind !== 'failed') return
    const { state, message: detail } = looked
    this.#o.health({ state: state === 'unreachable' ? state : 'overloaded', detail })
    this.#wait(range, 'server', backoffMs(state === 'unreachable' ? unreachable : overload, range.looks - 1, random()))
  }

  #wait(range: Range, wait: Wait, ms: number): void {
    range.wait = wait
    range.dueMs = this.#o.clock.monotonicMs() + ms
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
