/** Sends letters again, a batch at a time, through the same shipper as the lines of files; gives up after a number of tries. */
import type { Clock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import { hasDate } from '../../base/placeholders.ts'
import type { DeadLetter } from '../dead-letter.ts'
import { Doubts } from '../doubts.ts'
import type { Lookup } from '../lookup.ts'
import { Shipper, type Health } from '../shipper.ts'
import type { Send, Sent } from '../transport.ts'
import { verdictOf, isThere } from '../verdict.ts'

/** A letter as two lines of a bulk request, without line breaks, and where it goes. */
export interface Outbound {
  readonly target: string
  readonly action: string
  readonly source: string
  /** Without one it is stored once more with each sending. */
  readonly hasId: boolean
}

export type LetterVerdict =
  | { readonly kind: 'taken'; readonly duplicate: boolean; readonly possiblyDuplicated: boolean }
  | { readonly kind: 'refused'; readonly refused: DeadLetter }
  /** None, after some tries. */
  | { readonly kind: 'none' }

/** The wire to one target. */
export interface Wire {
  readonly send: Send
  readonly lookup: Lookup
}

export interface SendingOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Asked once for each target. */
  readonly wireTo: (target: string) => Wire
  readonly triesMax: number
  /** Ends everything. */
  readonly signal: AbortSignal
}

/** One target, as long as it gets anywhere. */
interface Lane {
  readonly shipper: Shipper
  readonly givenUp: AbortController
}

export class Sending {
  readonly #o: SendingOptions
  readonly #lanes = new Map<string, Lane>()
  readonly #givenUp = new AbortController()
  readonly #refused = new Map<string, DeadLetter>()
  readonly #abort = () => {
    this.#givenUp.abort()
    for (const { givenUp } of this.#lanes.values()) givenUp.abort()
  }
  health: Health = { state: 'unknown' }

  constructor(options: SendingOptions) {
    this.#o = options
    options.signal.addEventListener('abort', this.#abort)
    if (options.signal.aborted) this.#abort()
  }

  /** Lets go of the signal, which may live for long. */
  end(): void {
    this.#o.signal.removeEventListener('abort', this.#abort)
  }

  /** Nothing more is sent: it was stopped, or the server lets nothing through. One target that takes none ends only itself. */
  get isOver(): boolean {
    return this.#givenUp.signal.aborted
  }

  /**
   * @param letters  all of one target, and all of them with an id or none
   * @returns        a verdict for each
   */
  async send(letters: readonly Outbound[]): Promise<LetterVerdict[]> {
    const { target, hasId } = letters[0]!
    const body = Buffer.from(letters.map(({ action, source }) => `${action}\n${source}\n`).join(''))
    this.#refused.clear()
    const { shipper, givenUp } = this.#laneTo(target, hasId)
    // What a replay has sent before that was killed may lie in an index that was rolled over since.
    const accounts = await shipper.deliver(
      body,
      body.length,
      letters.map(() => 1),
      givenUp.signal,
      hasId,
    )
    return letters.map(({ action, source }, at) => {
      const { done, duplicates, possiblyDuplicated } = accounts[at]!
      if (done > 0) return { kind: 'taken', duplicate: duplicates > 0, possiblyDuplicated: possiblyDuplicated > 0 }
      const refused = this.#refused.get(`${action}\n${source}`)
      return refused === undefined ? { kind: 'none' } : { kind: 'refused', refused }
    })
  }

  #laneTo(target: string, hasId: boolean): Lane {
    const key = `${hasId} ${target}`
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      if (this.#lanes.size >= limits.replayTargetsMax) this.#lanes.clear()
      lane = this.#makeLane(target, hasId)
      if (this.isOver) lane.givenUp.abort()
      this.#lanes.set(key, lane)
    }
    return lane
  }

  #makeLane(target: string, hasId: boolean): Lane {
    const { clock, random, wireTo, triesMax } = this.#o
    const { send, lookup } = wireTo(target)
    const givenUp = new AbortController()
    let tries = 0
    const count = (what: Came) => {
      if (what === 'progress') tries = 0
      else if (++tries < triesMax) return
      else if (what === 'target') givenUp.abort()
      else this.#abort()
    }
    const shipper = new Shipper({
      clock,
      random,
      target,
      severalIndices: hasDate(target),
      batchBytes: limits.replayBatchBytes,
      concurrencyMax: 1,
      nodes: 1,
      send: async (body, documents, signal, asking) => {
        const sent = await send(body, documents, signal, asking)
        // Why one was refused is only asked of one that has its verdict.
        if (asking?.reasons !== true) count(cameOf(sent))
        return sent
      },
      health: (health) => (this.health = health),
      deadLetter: (letter) => {
        this.#refused.set(`${letter.action}\n${letter.source}`, letter)
        return undefined
      },
      // A dated name is that of a plain index, which answers 409 by itself.
      doubts: hasId && !hasDate(target) ? new Doubts(patient(lookup, count), clock, target) : undefined,
      blind: () => {},
      outcome: () => {},
    })
    return { shipper, givenUp }
  }
}

/** What an attempt has brought: a verdict on some document (or the request comes in halves), or nothing, for a reason of the target's or the server's. */
type Came = 'progress' | 'target' | 'server'

function cameOf(sent: Sent): Came {
  if (sent.kind === 'status') return sent.status === 413 ? 'progress' : sent.status === 404 ? 'target' : 'server'
  if (sent.kind !== 'answered' || sent.answer.kind === 'malformed') return 'server'
  if (sent.answer.kind === 'done') return 'progress'
  const { items } = sent.answer
  const othersPassed = items.some(({ status }) => isThere(status))
  const verdicts = items.map(({ status, errorType }) => verdictOf(status, errorType, othersPassed))
  if (verdicts.some((verdict) => verdict === 'done' || verdict === 'refused')) return 'progress'
  return verdicts.includes('hold') ? 'target' : 'server'
}

function patient(lookup: Lookup, count: (what: Came) => void): Lookup {
  const counted = async <T extends { kind: string }>(asking: Promise<T>): Promise<T> => {
    const asked = await asking
    // An answer is no progress: without it there would be no end to asking after each attempt that fails.
    if (asked.kind === 'failed') count('server')
    return asked
  }
  return {
    indices: (signal) => counted(lookup.indices(signal)),
    present: (index, ids, signal) => counted(lookup.present(index, ids, signal)),
  }
}
