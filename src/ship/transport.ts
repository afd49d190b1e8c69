import type { Readable } from 'node:stream'
import { credentialNames, isEncrypted } from '../connect/access.ts'
import { AnswerReader, errorTypeIn, type Answer } from './answer.ts'
import type { BulkTarget } from './bulk-target.ts'
import { compress } from './compress.ts'
import type { Connections, Lease } from './connections.ts'
import { Exchanger, type Failed, type Head, type Payload } from './exchange.ts'
import { collect, parseJson } from './json.ts'
import { readReason, reasonFilterPath } from './reason.ts'
import { retryAfterMs } from './retry.ts'
import { inSlices } from './slices.ts'

export { makeClient, redaction, type Client, type ConnectionSettings } from './client.ts'
export { explain, type Failed } from './exchange.ts'

/** What came of one attempt at a bulk request. */
export type Sent =
  /** 200 with a whole, valid answer. */
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** Another status: the request as a whole. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly errorType: string
      readonly retryAfterMs: number
      /** What it may be about, for a person. */
      readonly hint?: string | undefined
    }
  /** No answer: the address, the connection, the time, or something that is not Elasticsearch. */
  | Failed

/**
 * Sends one bulk body; when it resolves, nothing reads the body's memory any more. `reasons`: the answer to one document
 * tells why it was refused.
 */
export type Send = (
  body: Buffer,
  documents: number,
  signal: AbortSignal,
  asking?: { readonly reasons: boolean },
) => Promise<Sent>

/** Every version takes these; the client's own `compatible-with=9` is refused by 8.x and by OpenSearch. */
export const bulkHeaders = { 'content-type': 'application/x-ndjson', accept: 'application/json' }
export const jsonHeaders = { 'content-type': 'application/json', accept: 'application/json' }

const filterPath = 'errors,items.*.status,items.*.failure_store,items.*.error.type'
const errorBytesMax = 64 * 1024

/**
 * Makes a `Send` for one target.
 *
 * @param target     path and query parameters, as `bulkTargetOf` makes them
 * @param timeoutMs  deadline of one attempt, from its start to the last byte of its answer
 */
export function makeSend(connections: Connections, target: BulkTarget, timeoutMs: number): Send {
  const exchanger = new Exchanger(connections, timeoutMs)
  const { path } = target
  const { gzipLevel } = connections.settings
  const headers = gzipLevel === undefined ? bulkHeaders : { ...bulkHeaders, 'content-encoding': 'gzip' }

  return async function send(body, documents, signal, asking) {
    const reasons = asking?.reasons === true
    const querystring = { ...target.querystring, filter_path: reasons ? reasonFilterPath : filterPath }
    const question = { method: 'POST', path, querystring, headers }
    const replied = await exchanger.exchange(
      question,
      (lease) => payloadOf(body, gzipLevel, lease),
      (head, stream) => readReply(head, stream, documents, reasons),
      signal,
      (reply) => reply.kind !== 'answered' || reply.answer.kind !== 'malformed',
    )
    if (replied.kind === 'failed') return replied
    const { value: sent, lease } = replied
    return sent.kind === 'status' ? { ...sent, hint: hintOf(sent.status, lease, gzipLevel !== undefined) } : sent
  }
}

function payloadOf(body: Buffer, gzipLevel: number | undefined, { url, settings }: Lease): Payload {
  if (gzipLevel === undefined) {
    return isEncrypted(url, settings.proxies) ? inSlices(body) : { content: body, release: () => undefined }
  }
  const compressed = compress(body, gzipLevel)
  return { content: compressed.stream, release: () => compressed.release() }
}

type Reply = Exclude<Sent, Failed>

async function readReply(
  { status, headers }: Head,
  stream: Readable,
  documents: number,
  reasons: boolean,
): Promise<Reply> {
  if (status === 200) {
    return { kind: 'answered', answer: reasons ? await readReason(stream) : await readAnswer(stream, documents) }
  }
  const errorType = await readErrorType(stream)
  return { kind: 'status', status, errorType, retryAfterMs: retryAfterMs(headers['retry-after'], Date.now()) }
}

function hintOf(status: number, { settings }: Lease, compressed: boolean): string | undefined {
  if (status === 401) {
    const names = credentialNames(settings)
    return names === '' ? 'it asks for credentials, and none are given' : `it does not accept ${names}`
  }
  if (status === 407) return 'the proxy asks for credentials'
  if (compressed && (status === 400 || status === 415 || status === 501)) {
    return 'the body is compressed; set REMORA_COMPRESSION=none if the server, or a proxy before it, does not take gzip'
  }
  return undefined
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
  const text = await collect(stream, errorBytesMax)
  const body = text === undefined ? undefined : (parseJson(text) as { error?: { type?: unknown } } | null | undefined)
  return errorTypeIn(body?.error?.type)
}
