import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { neighbourhoodOf } from './neighbourhood.ts'

interface Guest {
  /** See `neighbourhoodOf`. */
  readonly from: string
  readonly deadline: Timer
  /** Until then its request must be there. */
  readonly request: Timer
  hasAsked: boolean
}

/**
 * Who is connected to the admin port. It is open to whoever reaches the Pod, the application too, so each connection has a bounded
 * time. When there are too many, one of whoever has most of them goes, the oldest that has not asked yet: so a probe of the kubelet
 * gets its answer while somebody else holds connections open, and nobody has to know which is which.
 */
export class Connections {
  readonly #clock: Clock
  /** The oldest first. */
  readonly #guests = new Map<Duplex, Guest>()

  readonly #neighbourhoodOf: (address: string) => string

  constructor(clock: Clock, neighbourhood = neighbourhoodOf) {
    this.#clock = clock
    this.#neighbourhoodOf = neighbourhood
  }

  get open(): number {
    return this.#guests.size
  }

  /** @returns false: it is the one that is too many */
  take(stream: Duplex, address = ''): boolean {
    const endIn = (ms: number) => this.#clock.after(ms, () => this.#end(stream))
    this.#guests.set(stream, {
      from: this.#neighbourhoodOf(address),
      hasAsked: false,
      deadline: endIn(limits.adminConnectionMs),
      request: endIn(limits.adminRequestMs),
    })
    stream.once('close', () => this.#forget(stream))
    if (this.#guests.size > limits.adminConnectionsMax) this.#end(this.#oldestOfMost())
    return this.#guests.has(stream)
  }

  /** Its request is there. */
  asked(stream: Duplex): void {
    const guest = this.#guests.get(stream)
    if (guest === undefined) return
    guest.request.cancel()
    guest.hasAsked = true
  }

  endAll(): void {
    for (const stream of this.#guests.keys()) this.#end(stream)
  }

  #oldestOfMost(): Duplex | undefined {
    const counts = new Map<string, number>()
    for (const { from } of this.#guests.values()) counts.set(from, (counts.get(from) ?? 0) + 1)
    const most = Math.max(...counts.values())
    const theirs = [...this.#guests].filter(([, { from }]) => counts.get(from) === most)
    return (theirs.find(([, { hasAsked }]) => !hasAsked) ?? theirs[0])?.[0]
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
