import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Transform } from 'node:stream'

/** A server that is too slow: it reads so many bytes a second, or reads at once and answers only when their time is over. */
export interface Slowness {
  readonly kind: 'reads' | 'answers'
  readonly bytesPerSecond: number
}

/** A door in front of a server: while it is shut, connections are refused and those that stood are reset. */
export class Gate {
  readonly port: number
  /** Through all connections together; undefined: as fast as it goes. */
  slowness: Slowness | undefined
  /** Towards the server, so far. */
  bytes = 0
  readonly #to: number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #busyUntilMs = 0

  private constructor(port: number, to: number) {
    this.port = port
    this.#to = to
  }

  /** A shut gate in front of 127.0.0.1:`to`, on a port of its own. */
  static async before(to: number): Promise<Gate> {
    const finder = createServer()
    await once(finder.listen(0, '127.0.0.1'), 'listening')
    const { port } = finder.address() as AddressInfo
    finder.close()
    await once(finder, 'close')
    return new Gate(port, to)
  }

  async open(): Promise<void> {
    if (this.#server !== undefined) return
    this.#server = createServer((socket) => {
      const onward = connect(this.#to, '127.0.0.1')
      for (const [from, to, wait] of [
        [socket, onward, (bytes: number) => this.#toServer(bytes)],
        [onward, socket, () => this.#fromServer()],
      ] as const) {
        this.#sockets.add(from)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          this.#sockets.delete(from)
          to.destroy()
        })
        from.pipe(held(wait)).pipe(to)
      }
    })
    await once(this.#server.listen(this.port, '127.0.0.1'), 'listening')
  }

  async shut(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    for (const socket of this.#sockets) socket.resetAndDestroy()
    server.close()
    await once(server, 'close')
  }

  /** How long these bytes are kept back. */
  #toServer(bytes: number): number {
    this.bytes += bytes
    if (this.slowness === undefined) return 0
    const nowMs = performance.now()
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + (bytes * 1_000) / this.slowness.bytesPerSecond
    return this.slowness.kind === 'reads' ? this.#busyUntilMs - nowMs : 0
  }

  #fromServer(): number {
    return this.slowness?.kind === 'answers' ? this.#busyUntilMs - performance.now() : 0
  }
}

/** Passes what it gets, each piece after its time; what comes meanwhile waits in the kernel. */
function held(wait: (bytes: number) => number): Transform {
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const waitMs = wait(chunk.length)
      if (waitMs < 1) done(null, chunk)
      else setTimeout(done, waitMs, null, chunk)
    },
  })
}
