import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A door in front of a server: while it is shut, connections are refused and those that stood are reset. */
export class Gate {
  readonly port: number
  readonly #to: number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

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
      for (const [from, to] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        this.#sockets.add(from)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          this.#sockets.delete(from)
          to.destroy()
        })
        from.pipe(to)
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
}
