import type { Sent } from '../../src/ship/transport.ts'
import { plainShipper } from './plain-shipper.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { statusOf, unreached } from './harness.ts'

/**
 * A cluster in virtual time: it works off what it has accepted at `capacity` bytes a second, one after the other, and
 * answers 429 at once to what does not fit into its queue, as Elasticsearch's indexing pressure does. Real servers say
 * 429 when they have the request in memory: so a refused one costs its way, too.
 */
export class Cluster {
  up = false
  accepted = 0
  refused = 0
  /** Request bytes by second since it was back, refused ones too. */
  readonly offered: number[] = []
  readonly #clock: VirtualClock
  readonly #capacity: number
  readonly #queueBytes: number
  #backAtMs = 0
  /** Until when it is busy with what it has accepted. */
  #busyUntilMs = 0

  /** @param capacity  bytes a second  @param queueBytes  what it holds at once; Infinity: it never refuses */
  constructor(clock: VirtualClock, capacity: number, queueBytes: number) {
    this.#clock = clock
    this.#capacity = capacity
    this.#queueBytes = queueBytes
  }

  comeBack(): void {
    this.up = true
    this.#backAtMs = this.#busyUntilMs = this.#clock.nowMs
  }

  get waitingBytes(): number {
    return (Math.max(0, this.#busyUntilMs - this.#clock.nowMs) / 1000) * this.#capacity
  }

  /** @param timeoutMs  the sender gives up then; the cluster does the work all the same */
  async take(bytes: number, timeoutMs: number): Promise<Sent> {
    // The way there and back.
    await this.#after(1)
    if (!this.up) return unreached
    const second = Math.floor((this.#clock.nowMs - this.#backAtMs) / 1000)
    this.offered[second] = (this.offered[second] ?? 0) + bytes
    if (this.waitingBytes + bytes > this.#queueBytes) {
      this.refused++
      return statusOf(429, 'es_rejected_execution_exception')
    }
    this.accepted++
    this.#busyUntilMs = Math.max(this.#busyUntilMs, this.#clock.nowMs) + (bytes / this.#capacity) * 1000
    const waitMs = this.#busyUntilMs - this.#clock.nowMs
    if (waitMs > timeoutMs) {
      await this.#after(timeoutMs)
      return { kind: 'failed', message: 'no answer in time', reached: true, stale: false }
    }
    await this.#after(waitMs)
    return { kind: 'answered', answer: { kind: 'done' } }
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve))
  }
}

export const documentBytes = 64

/** NDJSON of so many documents of 64 bytes; one for all agents, for nothing is ever packed. */
export function bodyOf(documents: number): Buffer {
  const source = `${JSON.stringify({ m: 'x'.repeat(documentBytes - 23) })}\n`
  return Buffer.from(`{"create":{}}\n${source}`.repeat(documents))
}

export interface HerdOptions {
  readonly agents: number
  /** Bytes a second of each writer; a byte here stands for a kilobyte. */
  readonly rate: number
  readonly batchBytes: number
  readonly concurrencyMax: number
  readonly outageMs: number
  readonly capacity: number
  readonly queueBytes: number
  readonly timeoutMs: number
  readonly random: () => number
}

/**
 * Agents that ship what their writers have written, with the real retry and concurrency code: each fills batches from
 * its backlog and has as many on their way as the memory plan would let it.
 *
 * @returns when, after the cluster was back, all backlogs were empty; Infinity: not within `limitMs`
 */
export async function runHerd(options: HerdOptions, limitMs: number) {
  const { agents, rate, batchBytes, concurrencyMax, outageMs, timeoutMs, random } = options
  const clock = new VirtualClock()
  const cluster = new Cluster(clock, options.capacity, options.queueBytes)
  const view = clock.view(() => true)
  const stop = new AbortController()
  const startMs = clock.nowMs
  const body = bodyOf(Math.floor(batchBytes / documentBytes))
  const herd = Array.from({ length: agents }, () => ({ shipped: 0, underWay: 0, emptyAtMs: Infinity, busy: 0 }))
  const written = () => ((clock.nowMs - startMs) / 1000) * rate
  let backAtMs = Infinity

  function agentOf(state: (typeof herd)[number]): () => void {
    const shipper = plainShipper({
      clock: view,
      random,
      batchBytes: body.length,
      concurrencyMax,
      send: (sent) => cluster.take(sent.length, timeoutMs),
    })
    async function ship(bytes: number): Promise<void> {
      const documents = Math.floor(bytes / documentBytes)
      const size = documents * documentBytes
      state.busy++
      state.underWay += size
      const [delivered] = await shipper.deliver(body, size, [documents], stop.signal, false)
      state.busy--
      state.underWay -= size
      if (delivered!.done !== documents) return
      state.shipped += size
      fill()
    }
    function fill(): void {
      while (state.busy < concurrencyMax) {
        const backlog = written() - state.shipped - state.underWay
        // What has gathered within a second of writing is no backlog.
        if (clock.nowMs > backAtMs && backlog + state.underWay <= rate * 1.5) {
          state.emptyAtMs = Math.min(state.emptyAtMs, clock.nowMs)
        }
        if (backlog < documentBytes || stop.signal.aborted) return
        void ship(Math.min(backlog, body.length))
      }
    }
    return fill
  }

  const fills = herd.map(agentOf)
  // Writers at their own moments; a batch leaves when it is full, or after a while.
  for (const fill of fills) {
    const again = () => {
      fill()
      clock.after(1000, again)
    }
    clock.after(random() * 1000, again)
  }
  await clock.advanceTo(startMs + outageMs)
  cluster.comeBack()
  backAtMs = clock.nowMs
  while (clock.nowMs < backAtMs + limitMs && herd.some(({ emptyAtMs }) => emptyAtMs === Infinity)) {
    await clock.advanceTo(clock.nowMs + 1000)
  }
  const emptyMs = Math.max(...herd.map(({ emptyAtMs }) => emptyAtMs)) - backAtMs
  stop.abort()
  await clock.advanceTo(clock.nowMs + 120_000)
  return { emptyMs, cluster, writtenAtReturn: (outageMs / 1000) * rate * agents }
}

/** A generator with a seed: [0, 1). Mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
