import { addAbortSignal, type Readable } from 'node:stream'
import { NoLivingConnectionsError, TimeoutError } from '@elastic/transport/lib/errors.js'
import { messageOf } from '../base/errors.ts'
import { refusedCertificate } from '../connect/certificate.ts'
import { explainFailure, failureOf, isTlsFailure } from '../connect/trouble.ts'
import { redaction } from './client.ts'
import { isAway, type Connections, type Lease } from './connections.ts'
import type { NodeNews } from './nodes.ts'
import { Outgoing } from './outgoing.ts'

export interface Failed {
  readonly kind: 'failed'
  /** For a person: what happened, and the way out. Bounded; no secret, no text of a line. */
  readonly message: string
  /** A connection stood, so the documents may have arrived all the same. */
  readonly reached: boolean
  /** The connection was an old one, which the server may just have closed: to be tried again at once, and once. */
  readonly stale: boolean
}

export interface Question {
  readonly method: string
  readonly path: string
  readonly querystring: Readonly<Record<string, string>> | undefined
  readonly headers: Readonly<Record<string, string>>
}

export type Head = { readonly status: number; readonly headers: Readonly<Record<string, string | undefined>> }

/** A body for one attempt. */
export interface Payload {
  readonly content: Buffer | Readable
  /** How long a stream is, where that is known; else it is sent in chunks. */
  readonly contentBytes?: number
  /** Nothing reads what it was made of after this. */
  release(): void
}

export interface Replied<T> {
  readonly kind: 'replied'
  readonly status: number
  readonly value: T
  /** The credentials that were not accepted, if any were sent. */
  readonly lease: Lease
}

/** Longer than any sentence of ours; whatever others say is cut before. */
const messageMax = 900
const drainMs = 5_000

/** Of this process: whoever sends, each request has an id of its own. */
let requests = 0

/**
 * One request, from the choice of its node to the last byte of its answer and of its body: within the time, and when it
 * resolves nothing reads the body's memory any more.
 */
export class Exchanger {
  readonly #connections: Connections
  readonly #timeoutMs: number
  readonly #outgoing = new Outgoing()

  /** @param timeoutMs  of one attempt, from its start to the last byte of its answer */
  constructor(connections: Connections, timeoutMs: number) {
    this.#connections = connections
    this.#timeoutMs = timeoutMs
  }

  /**
   * Asks once, or twice when the first time was refused with credentials or certificates that have changed meanwhile: a
   * refusal has taken nothing.
   *
   * @param payload  makes the body of an attempt
   * @param read     reads the answer, to a bound of its own
   * @param isOurs   false: no such server answers so, and the node is one that is not there
   */
  async exchange<T>(
    question: Question,
    payload: (lease: Lease) => Payload | undefined,
    read: (head: Head, stream: Readable) => Promise<T>,
    signal: AbortSignal,
    isOurs: (value: T) => boolean = () => true,
  ): Promise<Replied<T> | Failed> {
    for (let last = false; ; last = true) {
      const { outcome, lease, refused } = await this.#attempt(question, payload, read, signal, isOurs)
      if (last || !refused || signal.aborted || !this.#connections.refused(lease)) return outcome
    }
  }

  async #attempt<T>(
    question: Question,
    payloadFor: (lease: Lease) => Payload | undefined,
    read: (head: Head, stream: Readable) => Promise<T>,
    signal: AbortSignal,
    isOurs: (value: T) => boolean,
  ): Promise<{ outcome: Replied<T> | Failed; lease: Lease; refused: boolean }> {
    const id = `remora-${++requests}`
    const outgoing = this.#outgoing
    const lease = this.#connections.take()
    const deadline = new Deadline(this.#timeoutMs, signal)
    const payload = payloadFor(lease)
    outgoing.expect(id)
    let outcome: Replied<T> | Failed
    let news: NodeNews
    let refused = false
    try {
      const { statusCode, headers, body } = await lease.client.transport.request<Readable>(
        { ...requestOf(question), ...(payload !== undefined && { bulkBody: payload.content }) },
        {
          meta: true,
          asStream: true,
          signal: deadline.signal,
          opaqueId: id,
          headers: headersOf(question, payload),
          context: { node: lease.node },
          redaction,
        },
      )
      // From here on the client looks neither at the signal nor at the time.
      addAbortSignal(deadline.signal, body)
      const status = statusCode ?? 0
      const value = await read({ status, headers: headers as Head['headers'] }, body)
      outcome = { kind: 'replied', status, value, lease }
      refused = status === 401 || status === 403
      news = isAway(status) || !isOurs(value) ? 'failed' : 'alive'
    } catch (error) {
      const cause = outgoing.errorOf(id)
      const stale = outgoing.wasReused(id) && !deadline.isLate && !signal.aborted
      const reached = outgoing.hasReached(id)
      const message = deadline.isLate ? this.#late(lease, reached) : this.#explain(lease, error, cause, reached)
      outcome = { kind: 'failed', message: message.slice(0, messageMax), reached, stale }
      refused = isTlsFailure(cause)
      // Of an old connection the server was free to let go.
      news = signal.aborted || stale ? 'unsaid' : 'failed'
      outgoing.abandon(id)
    }
    deadline.clear()
    await outgoing.drained(id, drainMs, signal)
    payload?.release()
    outgoing.forget(id)
    lease.done(news)
    return { outcome, lease, refused }
  }

  #late({ url, settings }: Lease, reached: boolean): string {
    const seconds = this.#timeoutMs / 1000
    if (reached) return `no answer within ${seconds} s`
    const proxy = settings.proxies?.get(url)?.shown
    return `${url}: no connection within ${seconds} s${proxy === undefined ? '' : ` (through the proxy ${proxy})`}`
  }

  #explain({ url, settings }: Lease, error: unknown, cause: Error | undefined, reached: boolean): string {
    // An answer, or our own end of it: the cause, if there is one, is what that did to the connection.
    if (cause === undefined) return explain(error)
    const [text, wayOut] = explainFailure(url, failureOf(cause, reached), {
      certificate: refusedCertificate(cause),
      authoritiesSet: settings.ca !== undefined,
      fingerprintSet: settings.caFingerprint !== undefined,
      clientCertSet: settings.clientCert !== undefined,
      deadlineMs: this.#timeoutMs,
      proxy: settings.proxies?.get(url)?.shown,
    })
    return `${url}: ${text}. ${wayOut}`
  }
}

function requestOf({ method, path, querystring }: Question) {
  return { method, path, ...(querystring !== undefined && { querystring: { ...querystring } }) }
}

function headersOf({ headers }: Question, payload: Payload | undefined): Question['headers'] {
  const bytes = payload?.contentBytes
  return bytes === undefined ? headers : { ...headers, 'content-length': String(bytes) }
}

/** Aborts when the time is over, or with the signal. */
class Deadline {
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal
  readonly #timer: NodeJS.Timeout
  readonly #abort = (): void => this.#controller.abort()
  isLate = false

  constructor(mostMs: number, outer: AbortSignal) {
    this.#outer = outer
    outer.addEventListener('abort', this.#abort)
    if (outer.aborted) this.#abort()
    this.#timer = setTimeout(() => {
      this.isLate = true
      this.#abort()
    }, mostMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#outer.removeEventListener('abort', this.#abort)
  }
}

/** An error of the client for a person. Never the request itself, which holds log lines and credentials. */
export function explain(error: unknown): string {
  if (error instanceof TimeoutError) return 'no answer in time'
  if (error instanceof NoLivingConnectionsError) return 'no node can be reached'
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return messageOf(cause, 300)
}
