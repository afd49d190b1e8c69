import { createServer, type Server, type Socket } from 'node:net'
import { answerHead, bulkAnswer, infoBody } from '../../../src/bench/sink/answers.ts'
import { serveWhole, type RequestHead } from '../../../src/bench/sink/request-reader.ts'
import { BagHash, SeenSet } from '../../../bench/strict.ts'
import { messageOf } from '../../../src/base/errors.ts'
import { StormLines } from './lines.ts'
import { Tally } from './tally.ts'

export interface StrictSinkOptions {
  readonly seed: number
  readonly lineBytes: number
  /** Texts are summed up instead of looked up: for lines that carry no number. */
  readonly anyText: boolean
  /** Documents that are expected: room for their ids from the start, for making it takes seconds among many millions. */
  readonly documents?: number
}

export interface SinkTotals {
  /** Documents under an `_id` that was new. */
  readonly stored: number
  /** Of those the different lines. */
  readonly distinct: number
  /** Documents under an `_id` that was there. */
  readonly again: number
  /** Count and sums of the texts that are stored, see `BagHash`; empty unless asked for. */
  readonly digest: string
  /** Why a request was answered 400, the first time. */
  readonly failure: string
}

const idSlotsMin = 1 << 22
const quote = 0x22
const newline = 0x0a
const actionHead = Buffer.from('{"create":{"_id":"')
const actionTail = Buffer.from('"}}')
const sourceHead = Buffer.from('{"@timestamp":"')
const messageHead = Buffer.from('","message":"')
const timeBytes = '2026-11-23T00:00:00.000Z'.length
/** Of the documents that look as expected, one in so many is parsed all the same. */
const parsedEvery = 64
const createdItem = '{"create":{"status":201}}'
const conflictItem = '{"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}}'

/**
 * A bulk endpoint that keeps no document, but knows each `_id` and each line: 8 bytes for an id, one for a line. It
 * answers 409 for an id that is there, as Elasticsearch does, and 400 for a body that is not what it must be.
 */
export class StrictSink {
  readonly tally: Tally
  readonly server: Server
  readonly #anyText: boolean
  readonly #ids: SeenSet
  readonly #bag = new BagHash()
  #stored = 0
  #again = 0
  #failure = ''

  constructor({ seed, lineBytes, anyText, documents = 0 }: StrictSinkOptions) {
    this.#ids = new SeenSet(Math.max(idSlotsMin, 2 ** Math.ceil(Math.log2(documents * 2 + 1))))
    this.tally = new Tally(new StormLines(seed, lineBytes))
    this.#anyText = anyText
    this.server = createServer({ noDelay: true }, (socket) =>
      serveWhole(
        socket,
        (head, body) => this.#answer(socket, head, body),
        (error) => (this.#failure ||= messageOf(error)),
      ),
    )
  }

  totals(): SinkTotals {
    const digest = this.#anyText ? this.#bag.digest() : ''
    return { stored: this.#stored, distinct: this.tally.distinct, again: this.#again, digest, failure: this.#failure }
  }

  #answer(socket: Socket, { method, target, isCompressed }: RequestHead, body: Buffer): void {
    const send = (status: string, text: string) =>
      socket.write(answerHead(status, Buffer.byteLength(text)) + (method === 'HEAD' ? '' : text))
    const path = target.split('?', 1)[0]!
    if (path === '/_totals') return void send('200 OK', JSON.stringify(this.totals()))
    if (path === '/_outcome')
      return void send('200 OK', JSON.stringify(this.tally.outcome(JSON.parse(body.toString()))))
    if (path === '/_missing') {
      return void send('200 OK', String(this.tally.firstMissing(JSON.parse(body.toString()))))
    }
    if (path === '/') return void send('200 OK', infoBody)
    const index = /^\/_resolve\/index\/([^/]+)$/.exec(path)?.[1]
    if (index !== undefined) return void send('200 OK', resolved(decodeURIComponent(index)))
    if (!path.endsWith('/_bulk')) return void send(method === 'HEAD' ? '200 OK' : '404 Not Found', '{"status":404}')
    try {
      if (isCompressed) throw new Error('a compressed body')
      const conflicts: number[] = []
      const documents = this.#take(body, conflicts)
      if (conflicts.length > 0) return void send('200 OK', answerWith(documents, conflicts))
      const { pieces, bytes } = bulkAnswer(documents)
      socket.cork()
      socket.write(answerHead('200 OK', bytes))
      for (const piece of pieces) socket.write(piece)
      socket.uncork()
    } catch (error) {
      this.#failure ||= messageOf(error)
      send('400 Bad Request', JSON.stringify({ error: { reason: messageOf(error) }, status: 400 }))
    }
    return undefined
  }

  /** @returns how many documents there were; puts the places of those that were there already into `conflicts` */
  #take(body: Buffer, conflicts: number[]): number {
    let documents = 0
    for (let at = 0; at < body.length; documents++) {
      const actionEnd = lineEnd(body, at)
      const id = idOf(body, at, actionEnd)
      const end = lineEnd(body, actionEnd + 1)
      if (this.#ids.add(id)) {
        this.#stored++
        this.#keep(body, actionEnd + 1, end)
      } else {
        this.#again++
        conflicts.push(documents)
      }
      at = end + 1
    }
    return documents
  }

  #keep(body: Buffer, from: number, to: number): void {
    const messageAt = from + sourceHead.length + timeBytes + messageHead.length
    const messageEnd = body.indexOf(quote, messageAt)
    const plain =
      !this.#anyText &&
      this.#stored % parsedEvery !== 0 &&
      sourceHead.compare(body, from, from + sourceHead.length) === 0 &&
      messageHead.compare(body, messageAt - messageHead.length, messageAt) === 0 &&
      body.subarray(messageAt, messageEnd).indexOf(0x5c) === -1
    if (plain) return this.tally.add(body, messageAt, messageEnd)
    const source: { message?: unknown } = JSON.parse(body.toString('utf8', from, to))
    if (typeof source.message !== 'string') throw new Error('a document has no message')
    if (this.#anyText) return this.#bag.add(source.message)
    return this.tally.add(Buffer.from(source.message))
  }
}

function lineEnd(body: Buffer, at: number): number {
  const end = body.indexOf(newline, at)
  if (end === -1) throw new Error('the body ends within a line')
  return end
}

function idOf(body: Buffer, from: number, to: number): string {
  const idFrom = from + actionHead.length
  const idTo = to - actionTail.length
  const good = idTo > idFrom && actionHead.compare(body, from, idFrom) === 0 && actionTail.compare(body, idTo, to) === 0
  if (!good) throw new Error(`not an action with an id: ${body.toString('utf8', from, Math.min(to, from + 100))}`)
  return body.toString('latin1', idFrom, idTo)
}

function answerWith(documents: number, conflicts: readonly number[]): string {
  const items = Array.from({ length: documents }, () => createdItem)
  for (const at of conflicts) items[at] = conflictItem
  return `{"errors":true,"items":[${items.join(',')}]}`
}

/** What Elasticsearch answers of a plain index. Source: Elasticsearch reference, "Resolve index API". */
function resolved(name: string): string {
  return JSON.stringify({ indices: [{ name, attributes: ['open'] }], aliases: [], data_streams: [] })
}

if (import.meta.main) {
  const { server } = new StrictSink(JSON.parse(process.argv[2] ?? ''))
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify(server.address())}\n`))
  process.stdin.on('close', () => process.exit(0)).resume()
}
