import { createServer, type Server, type Socket } from 'node:net'
import type { Arrived } from '../target.ts'
import type { Shape } from '../types.ts'
import { monotonicUs } from '../workload/clock.ts'
import { Arrivals } from './arrivals.ts'
import { Connection, type Sink } from './connection.ts'
import type { ExpectedLines } from './expected.ts'
import { Bandwidth, refusing } from './shaping.ts'

/** Shorter waits than a timer's are none. */
const pauseMsMin = 1
/** An index of three shards, of which one takes nothing. */
const fullShardShare = 1 / 3

/**
 * A bulk endpoint that keeps no document, and knows each line. It answers as Elasticsearch 9 does under
 * `filter_path=errors,items.*.status,items.*.error.type`.
 *
 *   POST, PUT …/_bulk        an item per document; 409 for a line that is there under the same `_id`
 *   GET, HEAD /              the version
 *   GET /_resolve/index/X    a plain index
 */
export class BulkSink implements Sink {
  readonly arrivals: Arrivals
  readonly expected: ExpectedLines
  readonly shape: Shape
  readonly index: string
  readonly refuses: () => boolean
  readonly #refusesSome: () => boolean
  readonly #isOfFullShard: () => boolean
  readonly #wallFromMonotonicUs: number
  readonly #bandwidth: Bandwidth | undefined
  readonly #sockets = new Set<Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #server: Server | undefined
  /** Outages that are now. */
  #away = 0
  #requests = 0
  #bodyBytes = 0
  #firstAtMs = 0
  #lastAtMs = 0
  #failure = ''
  #cpuFrom = process.cpuUsage()

  constructor(expected: ExpectedLines, shape: Shape, seed: number, wallFromMonotonicUs: number, index: string) {
    this.index = index
    this.expected = expected
    this.arrivals = new Arrivals(expected)
    this.shape = shape
    this.refuses = refusing(shape.refusedShare, seed)
    this.#refusesSome = refusing(shape.itemRefusedShare, seed + 1)
    this.#isOfFullShard = refusing(fullShardShare, seed + 2)
    this.#wallFromMonotonicUs = wallFromMonotonicUs
    this.#bandwidth = shape.bytesPerSecond === undefined ? undefined : new Bandwidth(shape.bytesPerSecond)
  }

  /** @returns the port */
  listen(): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        this.#cpuFrom = process.cpuUsage()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  }

  /** The times of outages count from now. */
  begin(): void {
    for (const { fromMs, toMs } of this.shape.outages) {
      // Its port stays its own: anybody may have one that is given up, an agent that calls it even by calling itself.
      this.#after(fromMs, () => {
        this.#away += 1
        this.#reset()
      })
      this.#after(toMs, () => (this.#away -= 1))
    }
  }

  measureFrom(): void {
    this.arrivals.measureFrom(this.nowUs())
  }

  arrived(): Arrived {
    const { user, system } = process.cpuUsage(this.#cpuFrom)
    return {
      storedLines: this.arrivals.tally.lines,
      storedBytes: this.arrivals.storedBytes,
      requests: this.#requests,
      bodyBytes: this.#bodyBytes,
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
      cpuUs: user + system,
      failure: this.#failure,
    }
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#shut()
  }

  refusesItems(): (() => boolean) | undefined {
    return this.#refusesSome() ? this.#isOfFullShard : undefined
  }

  nowUs(): number {
    return monotonicUs() + this.#wallFromMonotonicUs
  }

  acknowledged(bodyBytes: number): void {
    this.#requests++
    this.#bodyBytes += bodyBytes
    this.#lastAtMs = monotonicUs() / 1e3
    if (this.#firstAtMs === 0) this.#firstAtMs = this.#lastAtMs
  }

  fail(reason: string): void {
    this.#failure ||= reason
  }

  #serve(socket: Socket): void {
    if (this.#away > 0) return void socket.resetAndDestroy()
    this.#sockets.add(socket)
    const connection = new Connection(socket, this)
    socket.on('data', (chunk: Buffer) => {
      if (this.#bandwidth !== undefined) this.#slow(socket, this.#bandwidth.takeMs(chunk.length, performance.now()))
      connection.feed(chunk)
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      connection.closed()
    })
  }

  /** Not read: what the kernel has room for still comes, then the other end has to wait. */
  #slow(socket: Socket, waitMs: number): void {
    if (waitMs < pauseMsMin) return
    socket.pause()
    this.#after(waitMs, () => socket.resume())
  }

  #after(delayMs: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, delayMs)
    this.#timers.add(timer)
  }

  #shut(): void {
    this.#server?.close()
    this.#reset()
  }

  #reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }
}
