import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '../base/clock.ts'
import { limits } from '../base/limits.ts'

interface Guest {
  readonly address: string
  readonly deadline: Timer
  /** Until then its request must be there. */
  readonly request: Timer
}

/**
 * Who is connected to the admin port. It is open to whoever reaches the Pod, the application too, so each connection has a bounded
 * time. When there are too many, the oldest one of whoever has most of them goes: so a probe of the kubelet gets its answer while
 * somebody else holds connections open, and nobody has to know which is which.
 */
export class Connections {
  readonly #clock: Clock
  /** The oldest first. */
  readonly #guests = new Map<Duplex, Guest>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get open(): number {
    return this.#guests.size
  }

  /** @returns false: it is the one that is too many */
  take(stream: Duplex, address = ''): boolean {
    const endIn = (ms: number) => this.#clock.after(ms, () => this.#end(stream))
    this.#guests.set(stream, {
      address,
      deadline: endIn(limits.adminConnectionMs),
      request: endIn(limits.adminRequestMs),
    })
    stream.once('close', () => this.#forget(stream))
    if (this.#guests.size > limits.adminConnectionsMax) this.#end(this.#oldestOfMost())
    return this.#guests.has(stream)
  }

  /** Its request is there. */
  asked(stream: Duplex): void {
    this.#guests.get(stream)?.request.cancel()
  }

  endAll(): void {
    for (const stream of this.#guests.keys()) this.#end(stream)
  }

  #oldestOfMost(): Duplex | undefined {
    const counts = new Map<string, number>()
    for (const { address } of this.#guests.values()) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    for (const [stream, { address }] of this.#guests) if (counts.get(address) === most) return stream
    return undefined
  }

  #end(stream: Duplex | undefined): void {
    if (stream === undefined) return
    this.#forget(stream)
    stream.destroy()
  }

  #forget(stream: Duplex): void {
    const guest = this.#guests.get(stream)
    guest?.deadline.cancel()
    guest?.request.cancel()
    this.#guests.delete(stream)
  }
}
