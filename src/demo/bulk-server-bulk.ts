import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { type Operation, type OperationDefaults, parseBulk } from './bulk-server-actions.ts'
import { documentLine } from './bulk-server-documents.ts'
import { type Failure, itemError } from './bulk-server-errors.ts'
import type { Indices, Outcome } from './bulk-server-indices.ts'

/** Lets a test refuse one document on cue, before the server looks at it. `number` counts all documents from 1. */
export type ItemFault = (
  document: { readonly index: string; readonly id: string; readonly source: Buffer },
  number: number,
) => { readonly status: number; readonly type: string; readonly reason: string } | undefined

/** Where accepted documents are kept: all of the bytes or, with an error, none of them. */
export interface DocumentSink {
  append(bytes: Buffer): Promise<void>
}

/** What bulk requests came to so far. */
export interface BulkCounts {
  /** Accepted and kept. */
  documents: number
  /** Answered 409. */
  duplicates: number
  /** Answered with any other error, those of the fault hook included. */
  refused: number
}

/** The answer to a bulk request, in Elasticsearch's order of keys. */
export interface BulkAnswer {
  readonly errors: boolean
  readonly took: number
  readonly items: readonly object[]
}

/** Takes bulk bodies one after the other: indexes, hands over what is accepted, answers when that is kept. */
export class BulkHandler {
  readonly counts: BulkCounts = { documents: 0, duplicates: 0, refused: 0 }
  readonly #indices: Indices
  readonly #sink: DocumentSink | undefined
  readonly #clock: Clock
  readonly #fault: ItemFault | undefined
  #last: Promise<unknown> = Promise.resolve()
  #items = 0

  constructor(indices: Indices, sink: DocumentSink | undefined, clock: Clock, fault: ItemFault | undefined) {
    this.#indices = indices
    this.#sink = sink
    this.#clock = clock
    this.#fault = fault
  }

  /** Requests are taken in the order of the calls: a document is a duplicate only of one that is kept. */
  handle(body: Buffer, defaults: OperationDefaults): Promise<BulkAnswer | Failure> {
    const answer = this.#last.then(() => this.#handleNow(body, defaults))
    this.#last = answer.catch(() => undefined)
    return answer
  }

  /** Resolves when all that was given to `handle` is answered. */
  async idle(): Promise<void> {
    await this.#last
  }

  async #handleNow(body: Buffer, defaults: OperationDefaults): Promise<BulkAnswer | Failure> {
    const startMs = this.#clock.monotonicMs()
    const operations = parseBulk(body, defaults)
    if ('status' in operations) return operations
    const outcomes = operations.map((operation) => this.#faultOf(operation) ?? this.#indices.apply(operation))
    const lines = outcomes
      .filter(isAccepted)
      .map(({ index, id, operation }) => documentLine(index, id, operation.source))
    try {
      await this.#sink?.append(Buffer.concat(lines))
    } catch (error) {
      for (const outcome of outcomes.toReversed()) this.#indices.forget(outcome)
      return { status: 503, type: 'io_exception', reason: `documents file: ${messageOf(error)}` }
    }
    this.#count(outcomes)
    const took = Math.round(this.#clock.monotonicMs() - startMs)
    return { errors: outcomes.some((outcome) => outcome.failure !== undefined), took, items: outcomes.map(itemOf) }
  }

  #faultOf(operation: Operation): Outcome | undefined {
    const { index, id = '', source } = operation
    const failure = this.#fault?.({ index, id, source }, ++this.#items)
    return failure === undefined ? undefined : { operation, index, id: operation.id ?? null, failure }
  }

  #count(outcomes: readonly Outcome[]): void {
    for (const { failure } of outcomes) {
      if (failure === undefined) this.counts.documents++
      else if (failure.status === 409) this.counts.duplicates++
      else this.counts.refused++
    }
  }
}

function isAccepted(outcome: Outcome): outcome is Outcome & { id: string } {
  return outcome.failure === undefined && outcome.id !== null
}

function itemOf({ operation, index, id, failure, version, sequence }: Outcome): object {
  if (failure !== undefined) {
    return { [operation.action]: { _index: index, _id: id, status: failure.status, error: itemError(failure) } }
  }
  return {
    [operation.action]: {
      _index: index,
      _id: id,
      _version: version,
      result: version === 1 ? 'created' : 'updated',
      _shards: { total: 1, successful: 1, failed: 0 },
      _seq_no: sequence,
      _primary_term: 1,
      status: version === 1 ? 201 : 200,
    },
  }
}
