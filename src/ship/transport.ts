import { readFileSync } from 'node:fs'
import { addAbortSignal, type Readable } from 'node:stream'
import { Client, errors, HttpConnection, type ClientOptions } from '@elastic/elasticsearch'
import { messageOf, RemoraError } from '../base/errors.ts'
import { AnswerReader, type Answer } from './answer.ts'
import type { BulkTarget } from './bulk-target.ts'
import { Outgoing } from './outgoing.ts'
import { retryAfterMs } from './retry.ts'

export interface ConnectionSettings {
  readonly urls: readonly string[]
  readonly apiKey: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly caFile: string | undefined
  readonly requestTimeoutMs: number
  /** Sockets to each node. */
  readonly connections: number
}

/** What came of one attempt at a bulk request. */
export type Sent =
  /** 200 with a whole, valid answer. */
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** Another status: the request as a whole. */
  | { readonly kind: 'status'; readonly status: number; readonly errorType: string; readonly retryAfterMs: number }
  /** No answer: the address, the connection, the time, or something that is not Elasticsearch. */
  | Failed

export interface Failed {
  readonly kind: 'failed'
  readonly message: string
  /** A connection stood, so the documents may have arrived all the same. */
  readonly reached: boolean
  /** The connection was an old one, which the server may just have closed: to be tried again at once, and once. */
  readonly stale: boolean
}

/** Sends one bulk body; when it resolves, nothing reads the body's memory any more. */
export type Send = (body: Buffer, documents: number, signal: AbortSignal) => Promise<Sent>

/**
 * The default copies the request into each error, byte by byte: 1.7 s and 200 MB for a body of 4 MiB. Nothing of an error
 * is shown but its message (`explain`). Set for the client and for each request: its check of the product looks at the latter.
 */
export const redaction = { type: 'off' } as const

/** @throws RemoraError when a file that the settings name cannot be read */
export function makeClient(settings: ConnectionSettings): Client {
  const options: ClientOptions = {
    nodes: [...settings.urls],
    requestTimeout: settings.requestTimeoutMs,
    // Remora decides when to try again: the client would do it at once and never on 429.
    maxRetries: 0,
    // Node's own client: as fast as undici here, and 7 MiB smaller, for its parser is not one more wasm to optimize.
    Connection: HttpConnection,
    agent: {
      keepAlive: true,
      maxSockets: settings.connections,
      maxFreeSockets: settings.connections,
      scheduling: 'lifo',
    },
    enableMetaHeader: false,
    redaction,
  }
  if (settings.apiKey !== undefined) options.auth = { apiKey: settings.apiKey }
  else if (settings.username !== undefined) {
    options.auth = { username: settings.username, password: settings.password ?? '' }
  }
  if (settings.caFile !== undefined) options.tls = { ca: readCa(settings.caFile), rejectUnauthorized: true }
  return new Client(options)
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new RemoraError(
      'CA_FILE_UNREADABLE',
      `REMORA_CA_FILE: ${messageOf(error)}`,
      'Mount the CA certificate where REMORA_CA_FILE says, readable by the user that Remora runs as.',
      { cause: error },
    )
  }
}

/** Every version takes these; the client's own `compatible-with=9` is refused by 8.x and by OpenSearch. */
export const bulkHeaders = { 'content-type': 'application/x-ndjson', accept: 'application/json' }
export const jsonHeaders = { 'content-type': 'application/json', accept: 'application/json' }

const filterPath = 'errors,items.*.status,items.*.error.type'
const errorBytesMax = 64 * 1024
const drainMs = 5_000

/** Of this process: whoever sends, each request has an id of its own. */
let requests = 0

/**
 * Makes a `Send` for one target.
 *
 * @param target     path and query parameters, as `bulkTargetOf` makes them
 * @param timeoutMs  deadline of one attempt, from its start to the last byte of its answer
 */
export function makeSend(client: Client, target: BulkTarget, timeoutMs: number): Send {
  const outgoing = new Outgoing()
  const { path } = target
  const querystring = { ...target.querystring, filter_path: filterPath }

  async function attempt(id: string, body: Buffer, documents: number, signal: AbortSignal): Promise<Sent> {
    const {
      statusCode,
      headers,
      body: stream,
    } = await client.transport.request<Readable>(
      { method: 'POST', path, bulkBody: body, querystring },
      { meta: true, asStream: true, signal, opaqueId: id, headers: bulkHeaders, redaction },
    )
    // From here on the client looks neither at the signal nor at the time.
    addAbortSignal(signal, stream)
    if (statusCode === 200) return { kind: 'answered', answer: await readAnswer(stream, documents) }
    const errorType = await readErrorType(stream)
    const retryAfter = retryAfterMs(headers['retry-after'], Date.now())
    return { kind: 'status', status: statusCode ?? 0, errorType, retryAfterMs: retryAfter }
  }

  return async function send(body, documents, signal) {
    const id = `remora-${++requests}`
    outgoing.expect(id)
    const deadline = new AbortController()
    const abort = () => deadline.abort()
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    let late = false
    const timer = setTimeout(() => {
      late = true
      abort()
    }, timeoutMs)
    let sent: Sent
    try {
      sent = await attempt(id, body, documents, deadline.signal)
    } catch (error) {
      const message = late ? `no answer within ${timeoutMs / 1000} s` : explain(error)
      const stale = outgoing.wasReused(id) && !late && !signal.aborted
      sent = { kind: 'failed', message, reached: outgoing.hasReached(id), stale }
      outgoing.abandon(id)
    }
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    await outgoing.drained(id, drainMs, signal)
    outgoing.forget(id)
    return sent
  }
}

async function readAnswer(stream: Readable, documents: number): Promise<Answer> {
  const reader = new AnswerReader(documents)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (!reader.feed(chunk))
      return { kind: 'malformed', why: 'the answer is far longer than one to this request can be' }
  }
  return reader.end()
}

/** `error.type` of an error answer; empty when the body is something else. Reads 64 KiB at most. */
async function readErrorType(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > errorBytesMax) return ''
    chunks.push(chunk)
  }
  try {
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { error?: { type?: unknown } }
    return typeof body.error?.type === 'string' ? body.error.type.slice(0, 200) : ''
  } catch {
    return ''
  }
}

/** An error of the client for a person. Never the request itself, which holds log lines and credentials. */
export function explain(error: unknown): string {
  if (error instanceof errors.ProductNotSupportedError) return 'the server that answered is not Elasticsearch'
  if (error instanceof errors.TimeoutError) return 'no answer in time'
  if (error instanceof errors.NoLivingConnectionsError) return 'no node can be reached'
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return messageOf(cause, 300)
}
