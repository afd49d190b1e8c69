import { limits } from '../base/limits.ts'

/** The answer to a bulk request, once all of it was seen. */
export type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'items'; readonly items: readonly Item[] }
  | { readonly kind: 'malformed'; readonly why: string }

export interface Item {
  readonly status: number
  /** `error.type`, or empty. */
  readonly errorType: string
  /** `error.reason`, where it was asked for. */
  readonly reason?: string | undefined
  /** The failure store of the data stream has it, for the stream itself could not take it. */
  readonly failureStored?: true
}

const head = Buffer.from('{"errors":false,"items":[')
const item = Buffer.from('{"create":{"status":201}},')
const tail = Buffer.from(']}')

/** `head` and as many items as were ever asked for. */
let good = head

function goodFor(documents: number): Buffer {
  if (good.length < head.length + documents * item.length) {
    good = Buffer.concat([head, Buffer.alloc(documents * item.length, item)])
  }
  return good
}

/**
 * Reads an answer as it comes. When every document was taken its bytes are known beforehand, so they are compared and
 * neither kept nor parsed: with parsed answers the collector has more to do than all the rest. A cut answer begins like
 * a good one; so it must be whole, with an item for each document.
 */
export class AnswerReader {
  readonly #documents: number
  readonly #good: Buffer
  /** Length of the expected answer without its end. */
  readonly #goodBytes: number
  /** Bytes seen so far, all as expected. */
  #position = 0
  /** Set from the first byte on that is not as expected. */
  #kept: Buffer[] | undefined
  #keptBytes = 0

  constructor(documents: number) {
    this.#documents = documents
    this.#good = goodFor(documents)
    this.#goodBytes = head.length + documents * item.length - 1
  }

  /** False: the answer is longer than any answer to this request can be; there is no use in reading on. */
  feed(chunk: Buffer): boolean {
    if (this.#kept !== undefined) return this.#keep(chunk)
    if (this.#isExpected(chunk)) {
      this.#position += chunk.length
      return true
    }
    const body = Math.min(this.#position, this.#goodBytes)
    this.#kept = []
    return (
      this.#keep(this.#good.subarray(0, body)) &&
      this.#keep(tail.subarray(0, this.#position - body)) &&
      this.#keep(chunk)
    )
  }

  #isExpected(chunk: Buffer): boolean {
    const from = this.#position
    const inGood = Math.min(Math.max(0, this.#goodBytes - from), chunk.length)
    if (inGood > 0 && chunk.compare(this.#good, from, from + inGood, 0, inGood) !== 0) return false
    const inTail = chunk.length - inGood
    const at = from + inGood - this.#goodBytes
    return inTail === 0 || (at + inTail <= tail.length && chunk.compare(tail, at, at + inTail, inGood) === 0)
  }

  #keep(chunk: Buffer): boolean {
    this.#keptBytes += chunk.length
    if (this.#keptBytes > limits.answerBytesBase + this.#documents * limits.answerBytesPerDocument) return false
    this.#kept!.push(chunk)
    return true
  }

  end(): Answer {
    if (this.#kept === undefined) {
      if (this.#position === this.#goodBytes + tail.length) return { kind: 'done' }
      return { kind: 'malformed', why: `the answer was cut after ${this.#position} bytes` }
    }
    return parseAnswer(Buffer.concat(this.#kept).toString('utf8'), this.#documents)
  }
}

/** An answer as text, whole, to so many documents. */
export function parseAnswer(text: string, documents: number): Answer {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return { kind: 'malformed', why: 'the answer is not JSON: is a proxy in the way?' }
  }
  const list = answer !== null && typeof answer === 'object' && 'items' in answer ? answer.items : undefined
  if (!Array.isArray(list)) return { kind: 'malformed', why: 'the answer has no items' }
  if (list.length !== documents) {
    return { kind: 'malformed', why: `the answer has ${list.length} items for ${documents} documents` }
  }
  const items: Item[] = []
  for (const entry of list as unknown[]) {
    const result = entry !== null && typeof entry === 'object' && 'create' in entry ? entry.create : undefined
    if (result === null || typeof result !== 'object' || !('status' in result) || typeof result.status !== 'number') {
      return { kind: 'malformed', why: 'an item of the answer has no status' }
    }
    const error = 'error' in result && result.error !== null && typeof result.error === 'object' ? result.error : {}
    const reason = 'reason' in error ? boundedReason(error.reason) : undefined
    items.push({
      status: result.status,
      errorType: 'type' in error ? errorTypeIn(error.type) : '',
      ...(reason !== undefined && { reason }),
      ...('failure_store' in result && result.failure_store === 'used' && { failureStored: true as const }),
    })
  }
  const plain = items.every(({ status, failureStored }) => status === 201 && failureStored === undefined)
  return plain ? { kind: 'done' } : { kind: 'items', items }
}

/** As Elasticsearch and OpenSearch name them: `document_parsing_exception`. */
const namedLikeType = /^[a-z][a-z0-9_]{0,99}$/

/**
 * The type of an error, which is said in messages: whoever answers in the place of Elasticsearch may write into it what it was
 * told. So it is a name, or it is not repeated.
 *
 * @returns empty when there is none
 */
export function errorTypeIn(type: unknown): string {
  if (typeof type !== 'string' || type === '') return ''
  return namedLikeType.test(type) ? type : 'error_without_a_name'
}

/** @returns undefined when it is no text */
export function boundedReason(reason: unknown): string | undefined {
  return typeof reason === 'string' ? reason.slice(0, limits.reasonCharactersMax).toWellFormed() : undefined
}
