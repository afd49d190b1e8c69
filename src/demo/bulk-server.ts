import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { type Clock, sleep, systemClock } from '../base/clock.ts'
import { assert } from '../base/errors.ts'
import { type BulkCounts, BulkHandler, type ItemFault } from './bulk-server-bulk.ts'
import { DocumentsFile, readDocuments } from './bulk-server-documents.ts'
import { responseFilter } from './bulk-server-filter.ts'
import { BodyBudget, type Reply, failed, negotiate, readBody, refuseTooLarge, send } from './bulk-server-http.ts'
import { Indices } from './bulk-server-indices.ts'
import { operationDefaults } from './bulk-server-parameters.ts'
import { type Destination, route } from './bulk-server-routes.ts'

/**
 * An answer in place of the server's own; a header with an empty value is left out. What comes after `indexed-then-`
 * happens when the documents are kept.
 */
export type BulkFault =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly delayMs: number }
  | 'reset'
  | 'hang'
  | 'indexed-then-reset'
  | 'indexed-then-hang'

/** Lets tests make things go wrong on cue. Both are asked in the order in which requests and documents come. */
export interface Faults {
  /** `path` with its query, `body` unzipped, `number` counts bulk requests from 1. Undefined: no fault. */
  readonly onBulk?: (request: {
    readonly path: string
    readonly body: Buffer
    readonly number: number
  }) => BulkFault | undefined
  readonly perItem?: ItemFault
}

export interface BulkServerOptions {
  /** Default 0: any free port. */
  readonly port?: number
  readonly host?: '127.0.0.1'
  /**
   * NDJSON file that every accepted document is appended to as `{"_index":…,"_id":…,"_source":…}`, before it is
   * acknowledged. Documents that are in it already count as indexed: a server started again knows them. Undefined: the
   * documents are checked and forgotten, but for their ids.
   */
  readonly documentsPath: string | undefined
  readonly faults?: Faults
  /** Names that are data streams, with `*`. Default: those of Elasticsearch's own templates. */
  readonly dataStreams?: readonly string[]
  /** Largest body, unzipped; default 100 MiB, as `http.max_content_length`. */
  readonly contentBytesMax?: number
  /** Bodies held at once, beyond which bulk requests are answered 429; default 256 MiB. */
  readonly inFlightBytesMax?: number
  readonly clock?: Clock
}

export interface BulkAccount extends Readonly<BulkCounts> {
  /** Bulk requests whose body was read to its end. */
  readonly requests: number
  /** Bytes of those bodies, unzipped. */
  readonly bytes: number
  /** Distinct documents (index and `_id`) known, those found in the file at the start included. */
  readonly ids: number
}

export interface BulkServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  account(): BulkAccount
  /** Finishes the bulk requests it has read, closes all connections and the file. */
  close(): Promise<void>
}

const mebibyte = 1024 * 1024

/**
 * Starts a server that takes bulk requests as strictly as Elasticsearch 9 without security, on the loopback interface.
 * @throws when the port is taken, or the documents file cannot be read or written
 */
export async function startBulkServer(options: BulkServerOptions): Promise<BulkServer> {
  const clock = options.clock ?? systemClock
  const indices = new Indices(options.dataStreams ?? ['logs-*-*', 'metrics-*-*', 'traces-*-*', 'synthetics-*-*'], clock)
  const { documentsPath: path } = options
  const file = path === undefined ? undefined : await DocumentsFile.open(path)
  if (path !== undefined) {
    for await (const { _index, _id, _source } of readDocuments(path)) indices.restore(_index, _id, _source)
  }
  const bulk = new BulkHandler(indices, file, clock, options.faults?.perItem)
  const running = new RunningServer(options, clock, indices, bulk)
  try {
    const url = await running.listen()
    const close = async () => {
      await running.close()
      await file?.close()
    }
    let closed: Promise<void> | undefined
    return { url, account: () => running.account(), close: () => (closed ??= close()) }
  } catch (error) {
    await file?.close()
    throw error
  }
}

class RunningServer {
  readonly #options: BulkServerOptions
  readonly #clock: Clock
  readonly #indices: Indices
  readonly #bulk: BulkHandler
  readonly #budget: BodyBudget
  readonly #server: Server
  #requests = 0
  #bytes = 0

  constructor(options: BulkServerOptions, clock: Clock, indices: Indices, bulk: BulkHandler) {
    this.#options = options
    this.#clock = clock
    this.#indices = indices
    this.#bulk = bulk
    this.#budget = new BodyBudget(options.inFlightBytesMax ?? 256 * mebibyte)
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      )
    })
    // Elasticsearch never closes an idle connection; a client may find out only when its next request is reset.
    this.#server.keepAliveTimeout = 0
    this.#server.requestTimeout = 0
  }

  async listen(): Promise<string> {
    this.#server.listen(this.#options.port ?? 0, this.#options.host ?? '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    assert(typeof address === 'object' && address !== null, 'a TCP server has an address')
    return `http://${address.address}:${address.port}`
  }

  account(): BulkAccount {
    return { ...this.#bulk.counts, requests: this.#requests, bytes: this.#bytes, ids: this.#indices.distinctIds() }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    await this.#bulk.idle()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/' } = request
    const hasBody =
      request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
    const media = negotiate(request, hasBody)
    const reply = (answer: Reply, contentType = 'application/json', pretty = false) => {
      request.resume()
      send(request, response, answer, contentType, pretty)
    }
    if ('status' in media) return reply(media)
    const routed = route(method, url, this.#indices)
    if ('status' in routed) return reply(routed, media.contentType)
    const { destination, parameters } = routed
    const pretty = parameters.has('pretty') && parameters.get('pretty') !== 'false'
    const answer =
      'bulk' in destination ? await this.#bulkReply(request, response, destination, parameters) : destination.reply()
    if (answer === undefined) return undefined
    const filter = responseFilter(parameters.get('filter_path') ?? null)
    const body = typeof answer.body === 'string' ? answer.body : filter(answer.body)
    return reply({ ...answer, body }, media.contentType, pretty)
  }

  /** Undefined when there is nothing more to say. */
  async #bulkReply(
    request: IncomingMessage,
    response: ServerResponse,
    destination: Extract<Destination, { bulk: true }>,
    parameters: ReadonlyMap<string, string>,
  ): Promise<Reply | undefined> {
    const body = await readBody(request, this.#options.contentBytesMax ?? 100 * mebibyte, this.#budget)
    if (body === 'too-large') {
      refuseTooLarge(request, response, this.#clock)
      return undefined
    }
    if (body === 'broken') return reset(request)
    if (body === 'overloaded') {
      const reason = 'rejected execution of coordinating operation: too many bytes in flight'
      return failed({ status: 429, type: 'es_rejected_execution_exception', reason })
    }
    const { bytes } = body
    this.#requests++
    this.#bytes += bytes.length
    try {
      const path = request.url ?? '/'
      const fault = this.#options.faults?.onBulk?.({ path, body: bytes, number: this.#requests })
      if (fault === 'reset') return reset(request)
      if (fault === 'hang') return undefined
      if (typeof fault === 'object' && 'status' in fault) {
        return {
          status: fault.status,
          body: fault.body ?? '',
          ...(fault.headers === undefined ? {} : { headers: fault.headers }),
        }
      }
      if (typeof fault === 'object') await sleep(this.#clock, fault.delayMs)
      if (bytes.length === 0)
        return failed({ status: 400, type: 'parse_exception', reason: 'request body is required' })
      const answer = await this.#bulk.handle(bytes, operationDefaults(destination.index, parameters))
      if (fault === 'indexed-then-reset') return reset(request)
      if (fault === 'indexed-then-hang') return undefined
      return 'status' in answer ? failed(answer) : { status: 200, body: answer, chunked: true }
    } finally {
      this.#budget.give(bytes.length)
    }
  }
}

function reset(request: IncomingMessage): undefined {
  request.socket.resetAndDestroy()
}
