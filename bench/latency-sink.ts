import { createServer, type Server, type Socket } from 'node:net'
import { messageOf } from '../src/base/errors.ts'
import { answerHead, bulkAnswer, infoBody } from '../src/bench/sink/answers.ts'
import { numberDigits, timeDigits } from './latency-writer.ts'
import { type RequestHead, serveWhole } from '../src/bench/sink/request-reader.ts'

const messageHead = Buffer.from('"message":"')

/** A bulk endpoint that notes for each line how long it took from being written to the end of the request that has it. */
export class LatencySink {
  readonly server: Server
  /** Of the lines since `begin`. */
  latenciesMs: number[] = []
  requests = 0
  /** Different lines since the start, and those that came again. */
  lines = 0
  again = 0
  failure = ''
  #seen = new Uint8Array(1 << 20)

  constructor() {
    this.server = createServer({ noDelay: true }, (socket) =>
      serveWhole(
        socket,
        (head, body) => this.#answer(socket, head, body),
        (error) => (this.failure ||= messageOf(error)),
      ),
    )
  }

  /** From now on it is measured. */
  begin(): void {
    this.latenciesMs = []
    this.requests = 0
  }

  #answer(socket: Socket, { method, target }: RequestHead, body: Buffer): void {
    if (!/\/_bulk(\?|$)/.test(target)) {
      const isInfo = target.split('?', 1)[0] === '/'
      const text = isInfo ? infoBody : '{"status":404}'
      const status = isInfo || method === 'HEAD' ? '200 OK' : '404 Not Found'
      socket.write(answerHead(status, Buffer.byteLength(text)) + (method === 'HEAD' ? '' : text))
      return
    }
    const { pieces, bytes } = bulkAnswer(this.#take(body, process.hrtime.bigint()))
    socket.cork()
    socket.write(answerHead('200 OK', bytes))
    for (const piece of pieces) socket.write(piece)
    socket.uncork()
  }

  #take(body: Buffer, nowNs: bigint): number {
    this.requests++
    let documents = 0
    for (let at = body.indexOf(messageHead); at !== -1; at = body.indexOf(messageHead, at + 1)) {
      documents++
      const from = at + messageHead.length
      const writtenNs = BigInt(body.toString('latin1', from, from + timeDigits))
      this.latenciesMs.push(Number(nowNs - writtenNs) / 1e6)
      const numberAt = from + timeDigits + 1
      this.#note(Number(body.toString('latin1', numberAt, numberAt + numberDigits)))
    }
    return documents
  }

  #note(number: number): void {
    while (number >= this.#seen.length) {
      const more = new Uint8Array(this.#seen.length * 2)
      more.set(this.#seen)
      this.#seen = more
    }
    if (this.#seen[number] === 0) this.lines++
    else this.again++
    this.#seen[number] = 1
  }
}
