import type { Clock } from '../base/clock.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { Doubts, UnderWay } from './doubts.ts'
import type { Delivered } from './range.ts'
import type { Send } from './transport.ts'

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
  /** Documents name their index themselves: that one takes some says nothing of another. */
  readonly severalIndices: boolean
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
