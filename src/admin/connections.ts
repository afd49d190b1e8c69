import type { Socket } from 'node:net'
import type { Clock, Timer } from '../base/clock.ts'
import { limits } from '../base/limits.ts'

interface Guest {
  readonly address: string
  readonly deadline: Timer
  hasAsked: boolean
}

/**
 * Who is connected to the admin port. It is open to whoever reaches the Pod, the application too, so each connection has a bounded
 * time and one request: thousands of requests that come in one piece would be thousands of answers in memory. When there are too
 * many, the oldest one of whoever has most of them goes: so a probe of the kubelet gets its answer while somebody else holds
 * connections open, and nobody has to know which is which.
 */
export class Connections {
  readonly #clock: Clock
  /** The oldest first. */
  readonly #guests = new Map<Socket, Guest>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get open(): number {
    return this.#guests.size
  }

  take(socket: Socket): void {
    const deadline = this.#clock.after(limits.adminConnectionMs, () => this.#end(socket))
    this.#guests.set(socket, { address: socket.remoteAddress ?? '', deadline, hasAsked: false })
    socket.once('close', () => this.#forget(socket))
    if (this.#guests.size > limits.adminConnectionsMax) this.#end(this.#oldestOfMost())
  }

  /** Whether this request is to be answered; a second one ends its connection. */
  mayAsk(socket: Socket): boolean {
    const guest = this.#guests.get(socket)
    if (guest === undefined) return false
    if (guest.hasAsked) {
      this.#end(socket)
      return false
    }
    guest.hasAsked = true
    return true
  }

  #oldestOfMost(): Socket | undefined {
    const counts = new Map<string, number>()
    for (const { address } of this.#guests.values()) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    for (const [socket, { address }] of this.#guests) if (counts.get(address) === most) return socket
    return undefined
  }

  #end(socket: Socket | undefined): void {
    if (socket === undefined) return
    this.#forget(socket)
    socket.destroy()
  }

  #forget(socket: Socket): void {
    this.#guests.get(socket)?.deadline.cancel()
    this.#guests.delete(socket)
  }
}
