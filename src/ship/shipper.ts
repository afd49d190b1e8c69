import { sleep, type Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { documentAt, documentEnd, idsOf } from './body.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { Doubt, Doubts, Found, UnderWay } from './doubts.ts'
import { keep, noDelivery, splitOff, wholeOf, type Delivered, type Range } from './range.ts'
import { backoffMs } from './retry.ts'
import type { Send } from './transport.ts'
import { isThere, mayHaveTaken, requestVerdictOf, verdictOf } from './verdict.ts'
import type { Item } from './answer.ts'

export type { Delivered } from './range.ts'

/** How Elasticsearch is doing, as far as the last request tells. */
export type Health =
  | { readonly state: 'unknown' }
  | { readonly state: 'ok' }
  /** `unreachable`: no answer; `overloaded`: try later; `holding`: someone has to mend the target. */
  | { readonly state: 'unreachable' | 'overloaded' | 'holding'; readonly detail: string }

export interface ShipperOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly send: Send
  readonly target: string
  readonly health: (health: Health) => void
  /** Keeps a refused document; what it returns is why it could not. */
  readonly deadLetter: (letter: DeadLetter) => string | undefined
  /** Finds what is there already; undefined when documents have no ids. */
  readonly doubts: Doubts | undefined
  /** Documents are sent again although an older index may have them: why that could not be found out. */
  readonly blind: (why: string) => void
  readonly outcome: (outcome: 'ok' | 'partial' | 'status' | 'failed', durationMs: number, bytes: number) => void
}

/** A batch on its way. */
interface Batch {
  readonly body: Buffer
  /** By span. */
  readonly accounts: readonly Delivered[]
  readonly underWay: UnderWay | undefined
  readonly signal: AbortSignal
}

const overload = { baseMs: limits.retryBaseMs, capMs: limits.overloadCapMs }
const unreachable = { baseMs: limits.retryBaseMs, capMs: limits.retryCapMs }
const hold = { baseMs: limits.holdBaseMs, capMs: limits.holdCapMs }

/** Brings the documents of a batch to their final verdict, however long it takes. */
export class Shipper {
  readonly #o: ShipperOptions
  /** Batches that wait for the server or the target to come back: the first one that gets through wakes the others. */
  readonly #waiting = new Set<() => void>()
  /** Batches that wait although others get through. */
  readonly #holding = new Set<() => void>()
  /** Requests that got through. */
  #passed = 0

  constructor(options: ShipperOptions) {
    this.#o = options
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
    const { doubts } = this.#o
    const accounts = documents.map(noDelivery)
    const underWay = doubts?.begin(doubtful)
    const whole = wholeOf(to, documents, this.#o.clock.monotonicMs(), this.#passed)
    if (doubtful && doubts !== undefined) whole.doubt = 'crash'
    await this.#range({ body, accounts, underWay, signal }, whole)
    if (underWay !== undefined && accounts.every(({ held }) => held === 0)) doubts?.end(underWay)
    return accounts
  }

  async #range(batch: Batch, range: Range): Promise<void> {
    const { body, accounts, signal } = batch
    while (range.documents > 0) {
      if (signal.aborted) {
        for (const [span, count] of range.left.entries()) accounts[span]!.held += count
        return
      }
      if (range.doubt !== undefined) {
        const wait = await this.#look(batch, range, range.doubt)
        if (wait !== undefined) await this.#wait(wait.ms, signal, wait.wakeable)
        continue
      }
      const { from, to } = range
      const startedMs = this.#o.clock.monotonicMs()
      const sent = await this.#o.send(body.subarray(from, to), range.documents, signal)
      const tookMs = this.#o.clock.monotonicMs() - startedMs
      let waitMs: number

      if (sent.kind === 'answered' && sent.answer.kind === 'done') {
        this.#o.outcome('ok', tookMs, to - from)
        this.#o.health({ state: 'ok' })
        this.#gotThrough(signal)
        for (const [span, count] of range.left.entries()) {
          accounts[span]!.done += count
          if (range.blind > 0) accounts[span]!.possiblyDuplicated += count
        }
        return
      } else if (sent.kind === 'answered' && sent.answer.kind === 'items') {
        const { items } = sent.answer
        this.#o.outcome('partial', tookMs, to - from)
        const before = range.documents
        keep(body, range, this.#judge(batch, range, items))
        if (range.documents === 0) {
          this.#o.health({ state: 'ok' })
          this.#gotThrough(signal)
          return
        }
        if (range.documents < before) range.attempt = 0
        // A shard that failed may have taken what it did not answer for.
        if (items.some(({ status }) => status >= 500)) this.#doubt(range)
        waitMs = this.#afterItems(items, range.attempt)
      } else if (sent.kind === 'status') {
        this.#o.outcome('status', tookMs, to - from)
        const verdict = requestVerdictOf(sent.status)
        const hint = sent.hint === undefined ? '' : `: ${sent.hint}`
        const detail = `the server answers ${sent.status}${sent.errorType === '' ? '' : ` ${sent.errorType}`}${hint}`
        if (verdict === 'split') {
          if (range.documents === 1) {
            const span = range.left.findIndex((count) => count > 0)
            return this.#refuse(body, from, { status: 413, errorType: 'too large' }, accounts[span]!)
          }
          await this.#range(batch, splitOff(body, range))
          continue
        }
        if (mayHaveTaken(sent.status)) this.#doubt(range)
        this.#o.health({ state: verdict === 'hold' ? 'holding' : 'overloaded', detail })
        waitMs = backoffMs(verdict === 'hold' ? hold : overload, range.attempt, this.#o.random(), sent.retryAfterMs)
      } else {
        // Stopped by us: says nothing about the server.
        if (signal.aborted) continue
        if (sent.kind !== 'failed' || sent.reached) this.#doubt(range)
        if (sent.kind === 'failed' && sent.stale && !range.stale) {
          range.stale = true
          continue
        }
        this.#o.outcome('failed', tookMs, to - from)
        const detail = sent.kind === 'failed' ? sent.message : sent.answer.kind === 'malformed' ? sent.answer.why : ''
        this.#o.health({ state: 'unreachable', detail })
        waitMs = backoffMs(unreachable, range.attempt, this.#o.random())
      }
      range.stale = false
      range.attempt++
      await this.#wait(waitMs, signal, sent.kind === 'failed')
    }
  }

  /** Whatever has kept batches waiting may be over: each is tried at once. */
  wake(): void {
    for (const wake of [...this.#waiting, ...this.#holding]) wake()
  }

  #gotThrough(signal: AbortSignal): void {
    this.#passed++
    for (const wake of this.#waiting) wake()
    this.#o.doubts?.refresh(signal)
  }

  #doubt(range: Range): void {
    if (this.#o.doubts === undefined) return
    range.doubt = 'attempt'
    range.doubtedAtMs = this.#o.clock.monotonicMs()
    range.looks = range.overtaken = 0
    range.passed = this.#passed
  }

  /** Takes out what is there already. @returns how long to wait before looking again; undefined: the rest can be sent */
  async #look(batch: Batch, range: Range, doubt: Doubt): Promise<{ ms: number; wakeable: boolean } | undefined> {
    const { body, signal } = batch
    const overtaken = this.#passed > range.passed
    range.passed = this.#passed
    const ids = () => idsOf(body, range.from, range.to)
    const found: Found = await this.#o.doubts!.find(
      batch.underWay!,
      doubt,
      range.doubtedAtMs,
      range.documents,
      ids,
      signal,
    )
    if (signal.aborted) return undefined
    if (found.kind === 'early') return { ms: found.waitMs, wakeable: false }
    if (found.kind === 'failed') {
      if (overtaken) range.overtaken++
      const { message: detail, state } = found
      const looksMax = state === 'unready' ? limits.lookupTriesUnready : limits.lookupTriesLast
      const patientMs = this.#o.clock.monotonicMs() - range.doubtedAtMs
      const others = range.overtaken >= limits.lookupTriesMax && patientMs >= limits.lookupPatienceMs
      if (others || ++range.looks >= looksMax) {
        this.#sendBlind(range, detail)
        return undefined
      }
      this.#o.health({ state: state === 'unreachable' ? state : 'overloaded', detail })
      const ms = backoffMs(state === 'unreachable' ? unreachable : overload, range.looks - 1, this.#o.random())
      return { ms, wakeable: true }
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
    if (found.blind !== undefined && range.documents > 0) this.#sendBlind(range, found.blind)
    return undefined
  }

  #sendBlind(range: Range, why: string): void {
    range.doubt = undefined
    range.blind++
    this.#o.blind(why)
  }

  /** @param wakeable  another batch getting through ends the waiting: the server is there again */
  async #wait(waitMs: number, signal: AbortSignal, wakeable: boolean): Promise<void> {
    const woken = new AbortController()
    const wake = () => woken.abort()
    if (signal.aborted) return
    signal.addEventListener('abort', wake)
    const waiting = wakeable ? this.#waiting : this.#holding
    waiting.add(wake)
    await sleep(this.#o.clock, waitMs, woken.signal)
    waiting.delete(wake)
    signal.removeEventListener('abort', wake)
  }

  /** Settles what has a final verdict; true in the result: this document is to be sent again. */
  #judge({ body, accounts }: Batch, range: Range, items: readonly Item[]): boolean[] {
    const othersPassed = items.some(({ status }) => isThere(status))
    const again: boolean[] = []
    let next = range.from
    for (const [span, count] of range.left.entries()) {
      const account = accounts[span]!
      for (const item of items.slice(again.length, again.length + count)) {
        const at = next
        next = documentEnd(body, at)
        const verdict = verdictOf(item.status, item.errorType, othersPassed)
        again.push(verdict === 'again' || verdict === 'hold')
        if (verdict === 'refused') this.#refuse(body, at, item, account)
        else if (verdict === 'done') {
          account.done++
          if (item.status === 409) account.duplicates++
          // With the first answer 409 it is where the attempt in doubt has left it, and nowhere else.
          if (range.blind > (item.status === 409 ? 1 : 0)) account.possiblyDuplicated++
        }
      }
    }
    return again
  }

  #refuse(body: Buffer, at: number, item: Item, account: Delivered): void {
    const kept = this.#o.deadLetter({ ...item, target: this.#o.target, ...documentAt(body, at) })
    if (kept === undefined) account.deadLettered++
    else account.lost++
  }

  #afterItems(items: readonly Item[], attempt: number): number {
    const othersPassed = items.some(({ status }) => isThere(status))
    const held = items.find((item) => verdictOf(item.status, item.errorType, othersPassed) === 'hold')
    if (held !== undefined) {
      this.#o.health({ state: 'holding', detail: `the target refuses documents: ${held.status} ${held.errorType}` })
      return backoffMs(hold, attempt, this.#o.random())
    }
    const again = items.find((item) => verdictOf(item.status, item.errorType, othersPassed) === 'again')
    this.#o.health({ state: 'overloaded', detail: `documents are put off: ${again?.status} ${again?.errorType}` })
    return backoffMs(overload, attempt, this.#o.random())
  }
}
