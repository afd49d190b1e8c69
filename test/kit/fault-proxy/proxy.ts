import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { findFreePort } from '../elasticsearch/ports.ts'
import { Lane, type Surroundings } from './lane.ts'
import { Plan, type Passing, type Strike } from './plan.ts'
import { Gone, Wire } from './wire.ts'

/** A proxy in front of 127.0.0.1:`to` that passes bytes on as they are, but for what its plan says goes wrong. */
export class FaultProxy implements Surroundings {
  readonly port: number
  readonly #to: number
  readonly #plan = new Plan()
  readonly #lanes = new Set<Lane>()
  #server: Server | undefined
  #closed = false
  /** Requests, in the order of their heads. */
  readonly passed: Passing[] = []
  /** Faults of the proxy itself: a test in which there are some has shown nothing. */
  readonly failures: unknown[] = []
  /** Keeps what arrives of the bodies of requests; and what is answered. */
  keepsBodies = false
  readsAnswers = false
  struck: (passing: Passing) => Promise<void> | void = () => {}

  private constructor(port: number, to: number) {
    this.port = port
    this.#to = to
  }

  static async before(to: number, strikes: readonly Strike[] = []): Promise<FaultProxy> {
    // A port below those of outgoing connections: it is given up for a time when nobody is to listen.
    const proxy = new FaultProxy(await findFreePort(), to)
    proxy.strike(strikes)
    await proxy.#listen()
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** From now on these go wrong, and no others. */
  strike(strikes: readonly Strike[]): void {
    this.#plan.set(strikes)
  }

  /** How often each strike has hit; and whether all have, as often as they should. */
  get hits(): number[] {
    return this.#plan.hits
  }

  get isOver(): boolean {
    return this.#plan.isOver
  }

  get bulks(): Passing[] {
    return this.passed.filter(({ kind }) => kind === 'bulk')
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#deafen()
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const lane = new Lane(this, new Wire(socket))
      this.#lanes.add(lane)
      lane
        .run()
        .catch((error: unknown) => this.failures.push(error))
        .finally(() => this.#lanes.delete(lane))
    })
    this.#server = server
    await once(server.listen(this.port, '127.0.0.1'), 'listening')
  }

  pick(fits: (strike: Strike) => boolean): { readonly strike: Strike; readonly at: number } | undefined {
    return this.#plan.pick(fits)
  }

  note(passing: Passing): void {
    this.passed.push(passing)
  }

  async connect(): Promise<Wire> {
    const socket = connect({ port: this.#to, host: '127.0.0.1', allowHalfOpen: true })
    try {
      await once(socket, 'connect')
    } catch {
      throw new Gone()
    }
    return new Wire(socket)
  }

  async #deafen(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    for (const lane of this.#lanes) lane.reset()
    server.close()
    await once(server, 'close')
  }

  refuse(ms: number): void {
    void this.#deafen()
    setTimeout(() => {
      if (!this.#closed) this.#listen().catch((error: unknown) => this.failures.push(error))
    }, ms)
  }
}
