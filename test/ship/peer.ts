import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { certificates } from '../check/certificates.ts'

/** One request on a connection, read only as far as the test asks: what is not read stays in the way of the client. */
export class Request {
  readonly number: number
  readonly head: string
  readonly socket: net.Socket
  readonly #connection: Connection
  #left: number

  constructor(number: number, head: string, connection: Connection) {
    this.number = number
    this.head = head
    this.socket = connection.socket
    this.#connection = connection
    this.#left = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
  }

  header(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)\\r$`, 'im').exec(this.head)?.[1]
  }

  /** So many bytes of the body, or all that is left of it; fewer when the client gives up. */
  async body(bytes = Infinity): Promise<Buffer> {
    const read = await this.#connection.read(Math.min(bytes, this.#left))
    this.#left -= read.length
    return read
  }

  reply(status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
    const all = { 'x-elastic-product': 'Elasticsearch', 'content-length': String(Buffer.byteLength(body)), ...headers }
    const lines = Object.entries(all).map(([name, value]) => (value === '' ? '' : `${name}: ${value}\r\n`))
    this.socket.write(`HTTP/1.1 ${status} Something\r\n${lines.join('')}\r\n${body}`)
  }

  reset(): void {
    this.#connection.reset()
  }
}

class Connection {
  /** What is said and heard, over TLS too. */
  readonly socket: net.Socket
  readonly #wire: net.Socket
  readonly #chunks: AsyncIterator<Buffer>
  #buffer = Buffer.alloc(0)

  constructor(wire: net.Socket, secure: boolean) {
    const { key, good: cert } = certificates
    const socket = secure ? new tls.TLSSocket(wire, { isServer: true, key, cert }) : wire
    socket.on('error', () => undefined)
    this.socket = socket
    this.#wire = wire
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  reset(): void {
    this.#wire.resetAndDestroy()
    this.socket.destroy()
  }

  async #more(): Promise<boolean> {
    try {
      const { value, done } = await this.#chunks.next()
      if (done === true) return false
      this.#buffer = Buffer.concat([this.#buffer, value])
      return true
    } catch {
      return false
    }
  }

  async head(): Promise<string | undefined> {
    while (!this.#buffer.includes('\r\n\r\n')) if (!(await this.#more())) return undefined
    const end = this.#buffer.indexOf('\r\n\r\n') + 4
    return this.#take(end).toString('latin1')
  }

  async read(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let got = 0; got < bytes; got += parts.at(-1)!.length) {
      if (this.#buffer.length === 0 && !(await this.#more())) break
      parts.push(this.#take(bytes - got))
    }
    return Buffer.concat(parts)
  }

  #take(bytes: number): Buffer {
    const taken = this.#buffer.subarray(0, bytes)
    this.#buffer = this.#buffer.subarray(bytes)
    return taken
  }
}

export interface Peer {
  readonly url: string
  readonly port: number
  readonly requests: Request[]
  connections: number
  close(): Promise<void>
}

/** A server of bare sockets: it says what the test says, whether that is HTTP or not. */
export async function startPeer(
  handle: (request: Request) => Promise<void> | void,
  port = 0,
  secure = false,
): Promise<Peer> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => undefined))
    peer.connections++
    const connection = new Connection(socket, secure)
    const serve = async () => {
      for (let head = await connection.head(); head !== undefined; head = await connection.head()) {
        const request = new Request(peer.requests.length, head, connection)
        peer.requests.push(request)
        await handle(request)
      }
    }
    void serve()
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as net.AddressInfo
  const peer: Peer = {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    port: address.port,
    requests: [],
    connections: 0,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
  return peer
}
