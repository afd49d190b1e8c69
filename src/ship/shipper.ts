import { sleep, type Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { documentAt, documentEnd, halve, pack } from './body.ts'
import type { DeadLetter } from './dead-letter.ts'
import { backoffMs } from './retry.ts'
import type { Send } from './transport.ts'
import { isThere, requestVerdictOf, verdictOf } from './verdict.ts'
import type { Item } from './answer.ts'

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
  readonly outcome: (outcome: 'ok' | 'partial' | 'status' | 'failed', durationMs: number, bytes: number) => void
}

/** Documents by what became of them. `held`: the shipper was stopped before their verdict. */
export interface Delivered {
  done: number
  duplicates: number
  deadLettered: number
  lost: number
  held: number
}

const overload = { baseMs: limits.retryBaseMs, capMs: limits.overloadCapMs }
const unreachable = { baseMs: limits.retryBaseMs, capMs: limits.retryCapMs }
const hold = { baseMs: limits.holdBaseMs, capMs: limits.holdCapMs }

/** Brings the documents of a batch to their final verdict, however long it takes. */
export class Shipper {
  readonly #o: ShipperOptions
  /** Batches that wait for the server or the target to come back: the first one that gets through wakes the others. */
  readonly #waiting = new Set<() => void>()

  constructor(options: ShipperOptions) {
    this.#o = options
  }

  /**
   * @param body     a slot's output; documents that were taken are squeezed out of it
   * @param to       where the NDJSON ends
   * @param signal   stops the waiting and the attempt under way
   */
  async deliver(body: Buffer, to: number, documents: number, signal: AbortSignal): Promise<Delivered> {
    const delivered: Delivered = { done: 0, duplicates: 0, deadLettered: 0, lost: 0, held: 0 }
    await this.#range(body, 0, to, documents, delivered, signal)
    return delivered
  }

  async #range(
    body: Buffer,
    from: number,
    to: number,
    documents: number,
    delivered: Delivered,
    signal: AbortSignal,
  ): Promise<void> {
    let attempt = 0
    while (documents > 0) {
      if (signal.aborted) {
        delivered.held += documents
        return
      }
      const startedMs = this.#o.clock.monotonicMs()
      const sent = await this.#o.send(body.subarray(from, to), documents, signal)
      const tookMs = this.#o.clock.monotonicMs() - startedMs
      let waitMs: number

      if (sent.kind === 'answered' && sent.answer.kind === 'done') {
        this.#o.outcome('ok', tookMs, to - from)
        this.#o.health({ state: 'ok' })
        for (const wake of this.#waiting) wake()
        delivered.done += documents
        return
      } else if (sent.kind === 'answered' && sent.answer.kind === 'items') {
        this.#o.outcome('partial', tookMs, to - from)
        const again = this.#judge(body, from, sent.answer.items, delivered)
        const left = again.filter(Boolean).length
        if (left === 0) {
          this.#o.health({ state: 'ok' })
          return
        }
        if (left < documents) attempt = 0
        to = pack(body, from, to, again)
        documents = left
        waitMs = this.#afterItems(sent.answer.items, attempt)
      } else if (sent.kind === 'status') {
        this.#o.outcome('status', tookMs, to - from)
        const verdict = requestVerdictOf(sent.status)
        const detail = `the server answers ${sent.status}${sent.errorType === '' ? '' : ` ${sent.errorType}`}`
        if (verdict === 'split') {
          if (documents === 1) return this.#refuse(body, from, { status: 413, errorType: 'too large' }, delivered)
          const middle = halve(body, from, documents)
          await this.#range(body, from, middle, documents >> 1, delivered, signal)
          from = middle
          documents -= documents >> 1
          continue
        }
        this.#o.health({ state: verdict === 'hold' ? 'holding' : 'overloaded', detail })
        waitMs = backoffMs(verdict === 'hold' ? hold : overload, attempt, this.#o.random(), sent.retryAfterMs)
      } else {
        // Stopped by us: says nothing about the server.
        if (signal.aborted) continue
        this.#o.outcome('failed', tookMs, to - from)
        const detail = sent.kind === 'failed' ? sent.message : sent.answer.kind === 'malformed' ? sent.answer.why : ''
        this.#o.health({ state: 'unreachable', detail })
        waitMs = backoffMs(unreachable, attempt, this.#o.random())
      }
      attempt++
      await this.#wait(waitMs, signal, sent.kind === 'failed')
    }
  }

  /** @param wakeable  another batch getting through ends the waiting: the server is there again */
  async #wait(waitMs: number, signal: AbortSignal, wakeable: boolean): Promise<void> {
    const woken = new AbortController()
    const wake = () => woken.abort()
    if (signal.aborted) return
    signal.addEventListener('abort', wake)
    if (wakeable) this.#waiting.add(wake)
    await sleep(this.#o.clock, waitMs, woken.signal)
    this.#waiting.delete(wake)
    signal.removeEventListener('abort', wake)
  }

  /** Settles what has a final verdict; true in the result: this document is to be sent again. */
  #judge(body: Buffer, from: number, items: readonly Item[], delivered: Delivered): boolean[] {
    const othersPassed = items.some(({ status }) => isThere(status))
    let next = from
    return items.map((item) => {
      const at = next
      next = documentEnd(body, at)
      const verdict = verdictOf(item.status, item.errorType, othersPassed)
      if (verdict === 'again' || verdict === 'hold') return true
      if (verdict === 'refused') this.#refuse(body, at, item, delivered)
      else {
        delivered.done++
        if (item.status === 409) delivered.duplicates++
      }
      return false
    })
  }

  #refuse(body: Buffer, at: number, item: Item, delivered: Delivered): void {
    const kept = this.#o.deadLetter({ ...item, target: this.#o.target, ...documentAt(body, at) })
    if (kept === undefined) delivered.deadLettered++
    else delivered.lost++
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
