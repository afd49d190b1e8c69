import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Where Pods reach a server of this machine; it may be slow, or not there for a time. */
export class Gateway {
  /** How late each piece of an answer comes. */
  answerDelayMs = 0
  readonly #host: string
  readonly #to: number
  readonly #sockets = new Set<Socket>()
  #port = 0
  #server: Server | undefined

  private constructor(host: string, to: number) {
    this.#host = host
    this.#to = to
  }

  static async before(to: number, host: string): Promise<Gateway> {
    const gateway = new Gateway(host, to)
    await gateway.comeBack()
    return gateway
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`
  }

  async comeBack(): Promise<void> {
    const server = createServer((socket) => this.#pass(socket))
    server.listen(this.#port, this.#host)
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Nobody listens any more, and what stood is reset. */
  async goAway(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    for (const socket of this.#sockets) socket.resetAndDestroy()
    server.close()
    await once(server, 'close')
  }

  #pass(client: Socket): void {
    const server = connect({ port: this.#to, host: '127.0.0.1' })
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      // It closes, too.
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    }
    client.pipe(server)
    client.on('close', () => server.destroy())
    // Timers of one length fire in their order.
    server.on('data', (piece: Buffer) => setTimeout(() => client.write(piece), this.answerDelayMs))
    server.on('close', () => setTimeout(() => client.end(), this.answerDelayMs))
  }
}
