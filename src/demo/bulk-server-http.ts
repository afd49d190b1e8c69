import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Clock } from '../base/clock.ts'
import { type Failure, wholeError } from './bulk-server-errors.ts'

/** What to answer: an object is sent as JSON, a string as it is. */
export interface Reply {
  readonly status: number
  readonly body: object | string
  readonly headers?: Readonly<Record<string, string>>
  /** Elasticsearch sends what it streams in chunks, small answers with a length. */
  readonly chunked?: boolean
}

export type BodyResult = { readonly bytes: Buffer } | 'too-large' | 'overloaded' | 'broken'

/** Bytes of bodies that the server holds at once, so that no number of clients can fill its memory. */
export class BodyBudget {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false
    this.#bytes += bytes
    return true
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

/**
 * The request's body, unzipped when it says that it is gzip; any other coding is ignored, as Elasticsearch does. The
 * limit counts unzipped bytes. The caller gives the bytes back to the budget; nothing is held unless `bytes` came.
 */
export async function readBody(request: IncomingMessage, bytesMax: number, budget: BodyBudget): Promise<BodyResult> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return 'too-large'
  const stream = request.headers['content-encoding']?.toLowerCase() === 'gzip' ? unzipped(request) : request
  const chunks: Buffer[] = []
  let bytes = 0
  const giveUp = <T extends BodyResult>(result: T): T => {
    budget.give(bytes)
    if (stream !== request) {
      request.unpipe()
      stream.destroy()
    }
    return result
  }
  try {
    // Leaving the loop must not destroy the request: its socket still has to carry the answer.
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (bytes + chunk.length > bytesMax) return giveUp('too-large')
      if (!budget.take(chunk.length)) return giveUp('overloaded')
      bytes += chunk.length
      chunks.push(chunk)
    }
  } catch {
    return giveUp('broken')
  }
  return { bytes: Buffer.concat(chunks) }
}

function unzipped(request: IncomingMessage): Readable {
  const gunzip = createGunzip()
  request.once('close', () => request.complete || gunzip.destroy(new Error('the request was cut')))
  return request.pipe(gunzip)
}

const bulkTypes = [
  'application/json',
  'application/x-ndjson',
  'application/vnd.elasticsearch+json',
  'application/vnd.elasticsearch+x-ndjson',
]

/**
 * Refuses media types as Elasticsearch 9 does, or says which type the answer has. A version in `compatible-with` must
 * be 9, and be there on both sides. Source: the answers of 9.5 that the tests replay.
 */
export function negotiate(request: IncomingMessage, hasBody: boolean): Reply | { readonly contentType: string } {
  const sent = hasBody ? request.headers['content-type'] : undefined
  const { accept } = request.headers
  const invalid = [...(isMediaType(accept) ? [] : ['Accept']), ...(isMediaType(sent) ? [] : ['Content-Type'])]
  if (invalid.length > 0) return badMediaType(invalid.join(', '))
  const versions = [accept, sent].map((type) => /;\s*compatible-with=(\d+)/i.exec(type ?? '')?.[1])
  const agree = !hasBody || versions[0] === versions[1]
  if (!agree || versions.some((version) => version !== undefined && version !== '9'))
    return badMediaType('Accept, Content-Type')
  if (hasBody && !bulkTypes.includes(essence(sent ?? ''))) {
    return {
      status: 406,
      body: JSON.stringify({ error: `Content-Type header [${sent ?? ''}] is not supported`, status: 406 }),
    }
  }
  const ownType = [accept, sent].some((type) => essence(type ?? '').startsWith('application/vnd.elasticsearch+'))
  if (!ownType) return { contentType: 'application/json' }
  const version = versions.some((each) => each !== undefined) ? ';compatible-with=9' : ''
  return { contentType: `application/vnd.elasticsearch+json${version}` }
}

function badMediaType(headers: string): Reply {
  const type = 'media_type_header_exception'
  return failed({ status: 400, type, reason: `Invalid media-type value on headers [${headers}]` })
}

function isMediaType(header: string | undefined): boolean {
  return header === undefined || /^[^\s/;]+\/[^\s/;]+/.test(header)
}

function essence(header: string): string {
  return (header.split(';')[0] ?? '').trim().toLowerCase()
}

export function failed(failure: Failure): Reply {
  return { status: failure.status, body: wholeError(failure) }
}

/** Sends what Elasticsearch sends when the body is over its limit: nothing, not even its name, and goodbye. */
export function refuseTooLarge(request: IncomingMessage, response: ServerResponse, clock: Clock): void {
  response.writeHead(413, { 'content-length': '0', connection: 'close' }).flushHeaders()
  // Closing at once would reset the connection under a client that is still writing, and lose it the answer.
  const timer = clock.after(1000, () => response.end())
  request.once('end', () => {
    timer.cancel()
    response.end()
  })
  request.resume()
}

export function send(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  contentType: string,
  pretty: boolean,
): void {
  if (response.destroyed || response.headersSent) return
  const text =
    typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body, undefined, pretty ? 2 : undefined)
  const opaqueId = request.headers['x-opaque-id']
  const headers = {
    ...(typeof opaqueId === 'string' ? { 'X-Opaque-Id': opaqueId } : {}),
    'X-elastic-product': 'Elasticsearch',
    'content-type': contentType,
    ...(reply.chunked === true ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
    ...reply.headers,
  }
  response.writeHead(reply.status, Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== '')))
  response.end(text)
}
