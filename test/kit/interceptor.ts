import { once } from 'node:events'
import { createServer, request as ask, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * What becomes of a request to a server that stands behind.
 *
 * - `pass`: it is answered as the server answers
 * - `swallow`: the server gets it and answers, and nobody hears of that
 * - `cut`: the same, and then the connection breaks
 */
export type Fate = 'pass' | 'swallow' | 'cut'

export interface Passing {
  readonly method: string
  readonly path: string
  readonly isBulk: boolean
  /** The server's answer, before it is passed on. */
  readonly status: number
}

/** A proxy in front of 127.0.0.1:`to` that may keep the server's answers to itself. */
export class Interceptor {
  readonly #server: Server
  readonly #to: number
  /** Decides with the server's answer at hand. */
  decide: (passing: Passing) => Fate | Promise<Fate> = () => 'pass'
  readonly passed: Passing[] = []

  private constructor(to: number) {
    this.#to = to
    this.#server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy())
    })
  }

  static async before(to: number): Promise<Interceptor> {
    const interceptor = new Interceptor(to)
    await once(interceptor.#server.listen(0, '127.0.0.1'), 'listening')
    return interceptor
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = incoming
    const body = Buffer.concat(await incoming.toArray())
    const onward = ask({ host: '127.0.0.1', port: this.#to, method, path, headers, agent: false })
    onward.end(body)
    const [answer] = (await once(onward, 'response')) as [IncomingMessage]
    const text = Buffer.concat(await answer.toArray())
    const passing = { method, path, isBulk: path.includes('/_bulk'), status: answer.statusCode ?? 0 }
    this.passed.push(passing)
    const fate = await this.decide(passing)
    if (fate === 'cut') incoming.socket.resetAndDestroy()
    if (fate !== 'pass') return
    const { 'transfer-encoding': _chunked, connection: _connection, ...rest } = answer.headers
    outgoing.writeHead(passing.status, { ...rest, 'content-length': text.length })
    outgoing.end(text)
  }
}
