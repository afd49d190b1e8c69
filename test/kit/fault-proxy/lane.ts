import { setTimeout as delay } from 'node:timers/promises'
import { statusOf } from './framing.ts'
import { answerBytes, Message, readAnswer, type WholeAnswer } from './message.ts'
import type { Fault, Passing, Phase, Strike } from './plan.ts'
import { Gone, type Wire } from './wire.ts'

/** What a lane needs of the proxy. */
export interface Surroundings {
  /** A new connection to the server. @throws Gone */
  connect(): Promise<Wire>
  pick(fits: (strike: Strike) => boolean): { readonly strike: Strike; readonly at: number } | undefined
  note(passing: Passing): void
  /** Awaited before a request that is hit feels it: the world may change. */
  struck(passing: Passing): Promise<void> | void
  /** Nobody listens for a time, and all connections are reset. */
  refuse(ms: number): void
  readonly keepsBodies: boolean
  readonly readsAnswers: boolean
}

/** A kept connection is quiet when nothing has come for so long. */
const quietMs = 25
const dripMs = 2

const jsonHeaders = { 'x-elastic-product': 'Elasticsearch', 'content-type': 'application/json' }

const inAnswer: ReadonlySet<Phase> = new Set(['answer head', 'answer begun', 'answer body'])

/** One connection of a client, and its own one to the server: a request, its answer, and the next one. */
export class Lane {
  readonly #around: Surroundings
  readonly #client: Wire
  #server: Wire | undefined

  constructor(around: Surroundings, client: Wire) {
    this.#around = around
    this.#client = client
    void client.ended.then(() => this.#server?.close())
  }

  reset(): void {
    this.#client.reset()
    this.#server?.close()
  }

  /** Serves until either side ends. */
  async run(): Promise<void> {
    try {
      await this.#serve()
      this.#client.finish()
    } catch (error) {
      this.#client.close()
      if (!(error instanceof Gone)) throw error
    } finally {
      this.#server?.close()
    }
  }

  async #serve(): Promise<void> {
    const connecting = this.#around.pick(({ phase }) => phase === 'connect')
    if (connecting !== undefined && !(await this.#act(connecting.strike.fault))) return
    for (let served = 0; ; served++) {
      if (served > 0 && !(await this.#between())) return
      const request = await Message.on(this.#client)
      if (request === undefined || !(await this.#exchange(request, served > 0))) return
    }
  }

  /** While the connection waits for its next request. @returns whether it goes on */
  async #between(): Promise<boolean> {
    if (!(await this.#client.comes(quietMs))) {
      const picked = this.#client.isOpen ? this.#around.pick(({ phase }) => phase === 'idle') : undefined
      if (picked !== undefined && !(await this.#act(picked.strike.fault))) return false
    }
    return true
  }

  /** @returns whether the connection can be used for another one */
  async #exchange(request: Message, reused: boolean): Promise<boolean> {
    const [method = '', path = ''] = request.head.start.split(' ')
    const kind = path.includes('/_bulk') ? 'bulk' : 'question'
    const picked = this.#around.pick(
      ({ phase, of = 'bulk' }) =>
        phase !== 'connect' && phase !== 'idle' && of === kind && (phase !== 'reused' || reused),
    )
    const passing: Passing = {
      kind,
      method,
      path,
      reused,
      atMs: performance.now(),
      strike: picked?.strike,
      status: undefined,
      content: undefined,
      body: [],
    }
    this.#around.note(passing)
    const keep = this.#keeper(request, passing)
    if (picked === undefined) return this.#passOn(request, passing, keep)
    return this.#struck(request, passing, keep, picked.strike, picked.at)
  }

  /** Keeps the body's bytes, when that is asked for. */
  #keeper(request: Message, passing: Passing): (bytes: Buffer) => void {
    if (!this.#around.keepsBodies) return () => {}
    let head = request.head.bytes
    return (bytes) => {
      const skipped = Math.min(head, bytes.length)
      head -= skipped
      if (bytes.length > skipped) passing.body.push(Buffer.from(bytes.subarray(skipped)))
    }
  }

  async #toServer(): Promise<Wire> {
    if (this.#server?.isOpen !== true) this.#server = await this.#around.connect()
    return this.#server
  }

  /** Nothing goes wrong: both directions at once, for a server may answer before it has read everything. */
  async #passOn(request: Message, passing: Passing, keep: (bytes: Buffer) => void): Promise<boolean> {
    const server = await this.#toServer()
    const sending = request
      .take((bytes) => {
        keep(bytes)
        return server.write(bytes)
      })
      .catch((error: unknown) => {
        if (!(error instanceof Gone)) throw error
        return false
      })
    const answered = await this.#answerThrough(server, passing)
    const sent = await sending
    return answered && sent && server.isOpen
  }

  async #answerThrough(server: Wire, passing: Passing): Promise<boolean> {
    for (;;) {
      const answer = await Message.on(server, passing.method)
      if (answer === undefined) throw new Gone()
      const status = statusOf(answer.head)
      const content: Buffer[] = []
      await answer.take((bytes) => {
        if (this.#around.readsAnswers) content.push(Buffer.from(bytes))
        return this.#client.write(bytes)
      })
      if (status < 200) continue
      passing.status = status
      if (this.#around.readsAnswers) passing.content = Buffer.concat(content).subarray(answer.head.bytes)
      return answer.body !== 'close'
    }
  }

  async #struck(
    request: Message,
    passing: Passing,
    keep: (bytes: Buffer) => void,
    strike: Strike,
    at: number,
  ): Promise<boolean> {
    const { fault, phase } = strike
    if (phase === 'reused') return this.#act(fault)
    const pieces: Buffer[] = []
    const toServer = fault.kind !== 'answer' || fault.passedOn
    const server = toServer ? await this.#toServer() : undefined
    const unreadMs = 'unreadMs' in fault ? fault.unreadMs : undefined
    const take = async (bytes: Buffer) => {
      keep(bytes)
      if (fault.kind === 'duplicate') pieces.push(Buffer.from(bytes))
      await server?.write(bytes)
      // Read fast, the kernel would take in all the rest of the body unasked.
      if (unreadMs !== undefined) await delay(dripMs)
    }
    if (phase === 'request head' || phase === 'request body') {
      await request.take(take, placeIn(request, phase, at))
      await this.#around.struck(passing)
      if (fault.kind === 'answer') return this.#answerEarly(request, keep, fault)
      if (unreadMs !== undefined) await delay(unreadMs)
      if (fault.kind === 'drip') await this.#drip(async (bytes) => void (await request.take(take, bytes)), request, at)
      else if (!(await this.#act(fault))) return false
      await request.take(take)
      return this.#answerThrough(server!, passing)
    }
    await request.take(take)
    const answer = server === undefined ? undefined : await readAnswer(server, passing.method)
    passing.status = answer?.status
    passing.content = answer?.content
    await this.#around.struck(passing)
    if (phase === 'request complete' || fault.kind === 'length' || fault.kind === 'other answer')
      return this.#instead(answer, passing, fault, pieces)
    if (!inAnswer.has(phase) || answer === undefined) throw new Error(`nothing can go wrong like this: ${phase}`)
    return this.#inAnswer(answer, phase, at, fault)
  }

  /** The rest of a request in small pieces. */
  async #drip(take: (upTo: number) => Promise<void>, request: Message, at: number): Promise<void> {
    const from = placeIn(request, 'request body', at)
    const whole = request.head.bytes + request.bodyBytes
    for (let piece = 1; piece <= 40; piece++) {
      await take(from + Math.floor(((whole - from) * piece) / 40))
      await delay(dripMs)
    }
  }

  /** An answer although the body is not read; the rest of it is read later, and thrown away. */
  async #answerEarly(
    request: Message,
    keep: (bytes: Buffer) => void,
    { status, content = Buffer.alloc(0), headers, unreadMs = 0 }: Extract<Fault, { kind: 'answer' }>,
  ): Promise<boolean> {
    await this.#client.write(answerBytes(status, content, headers))
    await delay(unreadMs)
    await request.take(keep)
    return true
  }

  /** The server has answered (if it was asked); what the client gets of it. */
  async #instead(
    answer: WholeAnswer | undefined,
    passing: Passing,
    fault: Fault,
    request: readonly Buffer[],
  ): Promise<boolean> {
    if (fault.kind === 'answer') {
      await this.#client.write(answerBytes(fault.status, fault.content ?? Buffer.alloc(0), fault.headers))
      return true
    }
    if (answer === undefined) throw new Error(`the server was not asked: ${fault.kind}`)
    if (fault.kind === 'duplicate') {
      const server = await this.#toServer()
      await server.write(Buffer.concat(request))
      const second = await readAnswer(server, passing.method)
      await this.#client.write((fault.answer === 'first' ? answer : second).bytes)
      return true
    }
    if (fault.kind === 'other answer') {
      await this.#client.write(answerOfOthers(answer, fault.items))
      return true
    }
    if (fault.kind === 'length') {
      const { status, content } = answer
      await this.#client.write(answerBytes(status, content, jsonHeaders, content.length + fault.by))
      if (fault.after === 'stall') await this.#client.ended
      return fault.after === 'keep'
    }
    if (!(await this.#act(fault))) return false
    await this.#client.write(answer.bytes)
    return true
  }

  async #inAnswer({ bytes, head }: WholeAnswer, phase: Phase, at: number, fault: Fault): Promise<boolean> {
    const body = bytes.length - head.bytes
    // At least a byte is missing, or nothing would be wrong.
    const place =
      phase === 'answer head'
        ? Math.floor(head.bytes * at)
        : phase === 'answer begun'
          ? head.bytes
          : Math.min(bytes.length - 1, head.bytes + Math.floor(body * at))
    if (place > 0) await this.#client.write(bytes.subarray(0, place))
    const rest = bytes.subarray(place)
    if (fault.kind === 'drip') {
      const piece = Math.ceil(rest.length / fault.pieces)
      for (let from = 0; from < rest.length; from += piece) {
        await this.#client.write(rest.subarray(from, from + piece))
        await delay(dripMs)
      }
      return true
    }
    if (!(await this.#act(fault))) return false
    await this.#client.write(rest)
    return true
  }

  /** What goes wrong without a look at the messages. @returns whether the connection goes on */
  async #act(fault: Fault): Promise<boolean> {
    switch (fault.kind) {
      case 'delay':
        await delay(fault.ms)
        return true
      case 'close':
        this.#client.finish()
        this.#server?.close()
        await this.#client.ended
        return false
      case 'reset':
        this.reset()
        return false
      case 'stall':
        await this.#client.ended
        return false
      case 'refuse':
        this.#around.refuse(fault.ms)
        this.reset()
        return false
      case 'stray':
        await this.#client.write(answerBytes(408, Buffer.from('late'), { connection: 'close' }))
        this.#client.finish()
        return false
      case 'drip':
      case 'answer':
      case 'length':
      case 'duplicate':
      case 'other answer':
        break
    }
    throw new Error(`nothing can go wrong like this: ${fault.kind}`)
  }
}

function placeIn(request: Message, phase: 'request head' | 'request body', at: number): number {
  const { bytes } = request.head
  if (phase === 'request head') return Math.floor(bytes * at)
  // The last byte stays away: with it the request would be complete.
  return bytes + Math.min(Math.max(0, request.bodyBytes - 1), Math.floor(request.bodyBytes * at))
}

/** The answer with items left out at its start, or said twice. */
function answerOfOthers({ status, content }: WholeAnswer, items: number): Buffer {
  const answer = JSON.parse(content.toString('utf8')) as { items: unknown[] }
  const other = items < 0 ? answer.items.slice(-items) : [...answer.items.slice(0, items), ...answer.items]
  return answerBytes(status, Buffer.from(JSON.stringify({ ...answer, items: other })), jsonHeaders)
}
