import type { Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { messageOf } from '../../base/errors.ts'
import type { Shape } from '../types.ts'
import { answerHead, bulkAnswer, indexAnswer, infoBody, partialAnswer, refusalBody } from './answers.ts'
import type { Arrivals, Commit } from './arrivals.ts'
import { DocumentReader } from './document-reader.ts'
import { Documents } from './documents.ts'
import type { ExpectedLines } from './expected.ts'
import { type RequestHead, RequestReader } from './request-reader.ts'

/** What connections share. */
export interface Sink {
  readonly arrivals: Arrivals
  readonly expected: ExpectedLines
  readonly shape: Shape
  /** The one that documents are for. */
  readonly index: string
  refuses(): boolean
  /** For one request, what is asked of each of its documents; undefined: all are taken. */
  refusesItems(): (() => boolean) | undefined
  nowUs(): number
  /** An answer to a bulk request was written. */
  acknowledged(bodyBytes: number): void
  fail(reason: string): void
}

/** Of a body that is unpacked, and of one that was packed. */
const bodyBytesMax = 512 * 1024 * 1024
const documentsMax = 4_000_000

const bulkTarget = /^\/(?:([^/?]+)\/)?_bulk(?:\?|$)/

/**
 * One connection: a request after the other. What a request brings counts when its end is here, as a whole; one that is
 * cut off or refused brings nothing.
 */
export class Connection {
  readonly #socket: Socket
  readonly #sink: Sink
  readonly #requests: RequestReader
  readonly #documents = new Documents()
  readonly #reader: DocumentReader
  #head: RequestHead = { method: '', target: '', contentLength: 0, isCompressed: false, isWaiting: false }
  #does: 'take' | 'refuse' | 'other' = 'other'
  #packed: Buffer[] = []
  #complaint = ''
  #isClosed = false

  constructor(socket: Socket, sink: Sink) {
    this.#socket = socket
    this.#sink = sink
    this.#reader = new DocumentReader(sink.expected, sink.index)
    this.#requests = new RequestReader({
      head: (head) => this.#begin(head),
      body: (part) => this.#take(part),
      end: () => this.#end(),
    })
  }

  feed(chunk: Buffer): void {
    if (this.#isClosed) return
    try {
      this.#requests.feed(chunk)
    } catch (error) {
      this.#sink.fail(messageOf(error))
      this.#socket.destroy()
    }
  }

  closed(): void {
    this.#isClosed = true
  }

  #begin(head: RequestHead): void {
    this.#head = head
    const bulk = bulkTarget.exec(head.target)
    this.#does = bulk === null ? 'other' : this.#sink.refuses() ? 'refuse' : 'take'
    this.#packed = []
    this.#complaint = ''
    this.#documents.clear()
    this.#reader.reset()
    const index = bulk?.[1]
    this.#reader.needsIndex = index === undefined
    if (index !== undefined && decodeURIComponent(index) !== this.#sink.index) {
      this.#complaint = `it is for the index ${index}, not for ${this.#sink.index}`
    }
    if (head.contentLength > bodyBytesMax) throw new Error(`a body of ${head.contentLength} bytes`)
    if (head.isWaiting) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n')
  }

  #take(part: Buffer): void {
    if (this.#does !== 'take' || this.#complaint !== '') return
    // The chunk is this request's own: nobody writes into it again.
    if (this.#head.isCompressed) this.#packed.push(part)
    else this.#read(part)
  }

  #read(part: Buffer): void {
    try {
      this.#reader.feed(part, this.#documents)
      if (this.#documents.count > documentsMax) throw new Error(`more than ${documentsMax} documents in a request`)
    } catch (error) {
      this.#complaint = messageOf(error)
    }
  }

  #end(): void {
    if (this.#does === 'other') return this.#answerOther()
    if (this.#does === 'refuse') return this.#later(() => this.#send('429 Too Many Requests', refusalBody))
    if (this.#head.isCompressed && this.#complaint === '') this.#unpack()
    if (this.#complaint === '') {
      try {
        this.#reader.end()
      } catch (error) {
        this.#complaint = messageOf(error)
      }
    }
    if (this.#complaint !== '') return this.#refuseBadBody(this.#complaint)
    const commit = this.#sink.arrivals.commit(this.#documents, this.#sink.refusesItems())
    const { isIndex } = this.#documents
    return this.#later(() => this.#answer(commit, isIndex))
  }

  #unpack(): void {
    try {
      this.#read(gunzipSync(Buffer.concat(this.#packed), { maxOutputLength: bodyBytesMax }))
    } catch (error) {
      this.#complaint = `a compressed body: ${messageOf(error)}`
    }
    this.#packed = []
  }

  #refuseBadBody(complaint: string): void {
    this.#sink.fail(complaint)
    const error = { type: 'illegal_argument_exception', reason: complaint }
    this.#send('400 Bad Request', JSON.stringify({ error, status: 400 }))
  }

  #later(answer: () => void): void {
    const { latencyMs } = this.#sink.shape
    if (latencyMs > 0) setTimeout(answer, latencyMs)
    else answer()
  }

  #answer(commit: Commit, isIndex: boolean): void {
    const { arrivals } = this.#sink
    if (this.#isClosed) return arrivals.unacknowledged(commit)
    const { documents, conflicts, refused } = commit
    const { pieces, bytes } =
      conflicts.length + refused.length > 0
        ? partialAnswer(documents, isIndex ? 'index' : 'create', commit)
        : isIndex
          ? indexAnswer(documents)
          : bulkAnswer(documents)
    const socket = this.#socket
    const { contentLength } = this.#head
    socket.cork()
    socket.write(answerHead('200 OK', bytes))
    for (const piece of pieces.slice(0, -1)) socket.write(piece)
    socket.write(pieces.at(-1)!, (error) => {
      if (error !== undefined && error !== null) return arrivals.unacknowledged(commit)
      this.#sink.acknowledged(contentLength)
      return arrivals.acknowledged(commit, this.#sink.nowUs())
    })
    socket.uncork()
  }

  /** All that agents ask of a server before they send. */
  #answerOther(): void {
    const { method, target } = this.#head
    const path = target.split('?', 1)[0]!
    const index = /^\/_resolve\/index\/([^/]+)$/.exec(path)?.[1]
    if (path === '/') this.#send('200 OK', infoBody)
    else if (index !== undefined) this.#send('200 OK', resolved(decodeURIComponent(index)))
    else if (/^\/_(cluster|cat)\/health/.test(path)) this.#send('200 OK', '{"status":"green"}')
    else this.#send(method === 'HEAD' ? '200 OK' : '404 Not Found', '{"status":404}')
  }

  /** HEAD is answered with the length of the body and without it. */
  #send(status: string, body: string): void {
    if (this.#isClosed) return
    this.#socket.write(answerHead(status, Buffer.byteLength(body)) + (this.#head.method === 'HEAD' ? '' : body))
  }
}

/** What Elasticsearch answers of a plain index. Source: Elasticsearch reference, "Resolve index API". */
function resolved(name: string): string {
  return JSON.stringify({ indices: [{ name, attributes: ['open'] }], aliases: [], data_streams: [] })
}
