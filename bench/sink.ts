import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createSecureServer } from 'node:tls'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/base/errors.ts'
import { certificates } from '../test/check/certificates.ts'
import { answerHead, bulkAnswer, infoBody } from '../src/bench/sink/answers.ts'
import { countNewlines } from '../src/bench/sink/count.ts'
import { type RequestHead, RequestReader } from '../src/bench/sink/request-reader.ts'
import { Inspection } from './strict.ts'

/** What the sink received since it was started or reset; the answer to `GET /_sink`. */
export interface SinkTotals {
  readonly requests: number
  readonly documents: number
  /** Bulk bodies only. */
  readonly bodyBytes: number
  /** Bodies only. */
  readonly answerBytes: number
  /** The sink's own. */
  readonly cpuUs: { readonly user: number; readonly system: number }
  /** Milliseconds since the epoch at the end of the first and the last bulk request; 0 before. */
  readonly firstAtMs: number
  readonly lastAtMs: number
  /** Requests that could not be counted, and the first reason. */
  readonly failures: number
  readonly failure: string
  readonly strict?: { readonly duplicates: number; readonly withoutId: number; readonly messages: string }
}

interface Waiter {
  readonly documents: number
  readonly tell: () => void
}

/**
 * A bulk endpoint that keeps nothing: counts documents (half the newlines) and answers as Elasticsearch 9 does under
 * `filter_path=errors,items.*.status,items.*.error.type`. Bare sockets: with `node:http` the sink took 654 ms of CPU for 782 MB
 * instead of 570, on the processors it shares with what is measured.
 *
 *   POST …/_bulk              an item per document
 *   GET, HEAD /               the version
 *   GET /_sink?wait=N         `SinkTotals`, as soon as N documents are there
 *   POST /_sink/reset         `SinkTotals` so far, then from zero
 */
export class Sink {
  private readonly strict: boolean
  private readonly seen: ((message: string) => void) | undefined
  private inspection: Inspection
  private requests = 0
  private documents = 0
  private bodyBytes = 0
  private answerBytes = 0
  private firstAtMs = 0
  private lastAtMs = 0
  private failures = 0
  private failure = ''
  private cpuFrom = process.cpuUsage()
  private waiters: Waiter[] = []
  readonly server: Server
  /** The same over TLS. */
  readonly secureServer: Server

  /** @param seen  is told each message as it arrives; strict only */
  constructor(strict: boolean, seen?: (message: string) => void) {
    this.strict = strict
    this.seen = seen
    this.inspection = new Inspection(seen)
    this.server = createServer({ noDelay: true }, (socket) => this.serve(socket))
    const { key, good: cert } = certificates
    this.secureServer = createSecureServer({ noDelay: true, key, cert }, (socket) => this.serve(socket))
  }

  totals(): SinkTotals {
    const { user, system } = process.cpuUsage(this.cpuFrom)
    const { requests, documents, bodyBytes, answerBytes, firstAtMs, lastAtMs, failures, failure, inspection } = this
    const base = { requests, documents, bodyBytes, answerBytes, firstAtMs, lastAtMs, failures, failure }
    const totals = { ...base, cpuUs: { user, system } }
    if (!this.strict) return totals
    const { duplicates, withoutId, messages } = inspection
    return { ...totals, strict: { duplicates, withoutId, messages: messages.digest() } }
  }

  reset(): void {
    this.inspection = new Inspection(this.seen)
    this.requests = this.documents = this.bodyBytes = this.answerBytes = 0
    this.firstAtMs = this.lastAtMs = this.failures = 0
    this.failure = ''
    this.cpuFrom = process.cpuUsage()
  }

  private serve(socket: Socket): void {
    let head: RequestHead = { method: '', target: '', contentLength: 0, isCompressed: false, isWaiting: false }
    let isBulk = false
    let newlines = 0
    let kept: Buffer[] = []
    const reader = new RequestReader({
      head: (next) => {
        head = next
        isBulk = /^[^?]*\/_bulk(\?|$)/.test(next.target)
        newlines = 0
        kept = []
      },
      body: (part) => {
        if (!isBulk) return
        newlines += countNewlines(part)
        if (this.strict) kept.push(part)
      },
      end: () => (isBulk ? this.bulk(socket, head, newlines >>> 1, kept) : this.other(socket, head)),
    })
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.feed(chunk)
      } catch (error) {
        this.fail(messageOf(error))
        socket.destroy()
      }
    })
    socket.on('error', () => socket.destroy())
  }

  private bulk(socket: Socket, head: RequestHead, documents: number, kept: Buffer[]): void {
    const complaint = this.complaint(head, kept)
    if (complaint !== '') {
      this.fail(complaint)
      return send(socket, head.method, '400 Bad Request', JSON.stringify({ error: { reason: complaint }, status: 400 }))
    }
    this.requests += 1
    this.documents += documents
    this.bodyBytes += head.contentLength
    this.lastAtMs = Date.now()
    if (this.requests === 1) this.firstAtMs = this.lastAtMs
    const { pieces, bytes } = bulkAnswer(documents)
    this.answerBytes += bytes
    socket.cork()
    socket.write(answerHead('200 OK', bytes))
    for (const piece of pieces) socket.write(piece)
    socket.uncork()
    if (this.waiters.length > 0) this.wake()
  }

  /** Why a bulk cannot be counted, or an empty string. */
  private complaint(head: RequestHead, kept: Buffer[]): string {
    if (head.isCompressed) return 'a compressed body cannot be counted'
    try {
      if (this.strict) this.inspection.inspect(Buffer.concat(kept))
      return ''
    } catch (error) {
      return messageOf(error)
    }
  }

  private fail(reason: string): void {
    this.failures += 1
    if (this.failure === '') this.failure = reason
  }

  private wake(): void {
    const ready = this.waiters.filter((waiter) => waiter.documents <= this.documents)
    this.waiters = this.waiters.filter((waiter) => waiter.documents > this.documents)
    for (const waiter of ready) waiter.tell()
  }

  private other(socket: Socket, { method, target }: RequestHead): void {
    const url = new URL(target, 'http://sink')
    const tell = () => send(socket, method, '200 OK', JSON.stringify(this.totals()))
    if (url.pathname === '/_sink/reset') {
      tell()
      this.reset()
    } else if (url.pathname === '/_sink') {
      this.waiters.push({ documents: Number(url.searchParams.get('wait') ?? 0), tell })
      this.wake()
    } else if (url.pathname === '/') {
      send(socket, method, '200 OK', infoBody)
    } else {
      send(socket, method, method === 'HEAD' ? '200 OK' : '404 Not Found', '{"status":404}')
    }
  }
}

/** HEAD is answered with the length of the body and without it. */
function send(socket: Socket, method: string, status: string, body: string): void {
  socket.write(answerHead(status, Buffer.byteLength(body)) + (method === 'HEAD' ? '' : body))
}

/** Where a sink listens; the first line that it prints. */
export interface SinkPorts {
  readonly port: number
  readonly securePort: number
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { strict: { type: 'boolean', default: false } } })
  const { server, secureServer } = new Sink(values.strict)
  const ports = await Promise.all([server, secureServer].map(listen))
  const told: SinkPorts = { port: ports[0]!, securePort: ports[1]! }
  process.stdout.write(`${JSON.stringify(told)}\n`)
  // The bench holds the other end of this pipe: when the bench is gone, however it went, so is the sink.
  process.stdin.on('close', () => process.exit(0)).resume()
}

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
