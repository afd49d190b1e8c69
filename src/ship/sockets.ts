import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/**
 * Which socket a request went out on: the client does not tell, undici's diagnostics channel does. Needed because a
 * server may answer before it has read the whole body (413, 429): the rest of the body then still waits to be
 * written, out of a slot that must not be filled again before.
 * Source: undici documentation, "Diagnostics Channel Support", `undici:client:sendHeaders`.
 */
export class RequestSockets {
  readonly #sockets = new Map<string, Socket>()

  constructor() {
    subscribe('undici:client:sendHeaders', (message) => {
      const { headers, socket } = message as { headers: string; socket: Socket }
      const id = /^x-opaque-id: (remora-\d+)\r$/m.exec(headers)?.[1]
      if (id !== undefined && this.#sockets.has(id)) this.#sockets.set(id, socket)
    })
  }

  expect(id: string): void {
    this.#sockets.set(id, nowhere)
  }

  forget(id: string): void {
    this.#sockets.delete(id)
  }

  /** Resolves when the request's last byte has left this process, or its socket is closed: at the latest after `mostMs`. */
  async drained(id: string, mostMs: number): Promise<void> {
    const socket = this.#sockets.get(id)
    if (socket === undefined || socket === nowhere) return
    const deadline = performance.now() + mostMs
    while (!socket.destroyed && socket.writableLength > 0) {
      if (performance.now() > deadline) socket.destroy()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    // One more turn of the loop: a destroyed socket gives up its pending write when its handle is closed.
    if (socket.destroyed) await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The request was made and no socket has taken it yet. */
const nowhere = {} as Socket
