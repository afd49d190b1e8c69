import type { Item } from '../../src/ship/answer.ts'
import type { Sent } from '../../src/ship/transport.ts'
import type { Shipper } from '../../src/ship/shipper.ts'
import { plainShipper } from './plain-shipper.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { statusOf } from './harness.ts'
import { bodyOf, documentBytes } from './herd.ts'

/** What a server does with a request that has arrived. */
export interface Taking {
  /** By position; undefined: the request is refused as a whole. */
  readonly takes: readonly boolean[] | undefined
  /** Until it is worked off. */
  readonly ms: number
  /** Its answer is on its way. */
  readonly done?: () => void
}

/** @param nowMs  since the start */
export type SteadyServer = (documents: number, nowMs: number) => Taking

const whole = (documents: number): readonly boolean[] => Array.from({ length: documents }, () => true)
const refusal: Taking = { takes: undefined, ms: 0 }

/** Plenty of room, and dice: so many requests are refused, and of so many some of the documents. */
export function dice(
  random: () => number,
  shares: { requests?: number; partly?: number; documents?: number },
): SteadyServer {
  const { requests = 0, partly = 0, documents: share = 0 } = shares
  return (documents) => {
    if (random() < requests) return refusal
    const hit = random() < partly
    return { takes: Array.from({ length: documents }, () => !hit || random() >= share), ms: 0 }
  }
}

/**
 * So many documents may be under way at once. What does not fit is refused: all of the request, or with `partly` only the
 * documents that are too many.
 */
export function roomFor(documentsMax: (nowMs: number) => number, serviceMs: number, partly = false): SteadyServer {
  let underWay = 0
  return (documents, nowMs) => {
    const fits = Math.min(documents, Math.max(0, Math.floor(documentsMax(nowMs) - underWay)))
    if (fits < documents && !partly) return refusal
    underWay += fits
    return { takes: whole(documents).map((_, at) => at < fits), ms: serviceMs, done: () => void (underWay -= fits) }
  }
}

export interface ShardsOptions {
  /** Documents a second, of each. */
  readonly capacities: readonly number[]
  /** Pieces of requests that wait or are worked at, of each: one more is refused, as by a full write queue. */
  readonly queue: number
}

/** An index with several shards: a request is parted among them, and each takes its piece or refuses all of it. */
export function shards({ capacities, queue }: ShardsOptions): SteadyServer {
  const all = capacities.map((capacity) => ({ capacity, pieces: 0, busyUntilMs: 0 }))
  return (documents, nowMs) => {
    const counts = all.map((_, shard) => Math.ceil((documents - shard) / all.length))
    const takes = all.map(({ pieces }, shard) => counts[shard]! > 0 && pieces < queue)
    let ms = 0
    for (const [at, shard] of all.entries()) {
      if (!takes[at]!) continue
      shard.pieces++
      shard.busyUntilMs = Math.max(shard.busyUntilMs, nowMs) + (counts[at]! / shard.capacity) * 1000
      ms = Math.max(ms, shard.busyUntilMs - nowMs)
    }
    const done = () => {
      for (const [at, shard] of all.entries()) if (takes[at]!) shard.pieces--
    }
    return { takes: Array.from({ length: documents }, (_, at) => takes[at % all.length]!), ms, done }
  }
}

/** One of so many shards is full so often, and takes up to `waitMs` otherwise; the others are quick. */
export function otherwiseBusy(random: () => number, count: number, fullShare: number, waitMs: number): SteadyServer {
  return (documents) => {
    const full = random() < fullShare
    return {
      takes: Array.from({ length: documents }, (_, at) => !full || at % count !== 0),
      ms: full ? 0 : waitMs * (0.25 + 0.75 * random()),
    }
  }
}

/** Works off one request after the other, `capacity` documents a second; what does not fit into its queue is refused. */
export function queued(capacity: number, queueDocuments: number, queueRequests = Infinity): SteadyServer {
  let busyUntilMs = 0
  let requests = 0
  return (documents, nowMs) => {
    const waiting = (Math.max(0, busyUntilMs - nowMs) / 1000) * capacity
    if (waiting + documents > queueDocuments || requests >= queueRequests) return refusal
    requests++
    busyUntilMs = Math.max(busyUntilMs, nowMs) + (documents / capacity) * 1000
    return { takes: whole(documents), ms: busyUntilMs - nowMs, done: () => void requests-- }
  }
}

export interface SteadyOptions {
  readonly agents: number
  /** Documents a second of each writer. Infinity: there is always more. */
  readonly rate: number
  readonly batchDocuments: number
  readonly concurrencyMax: number
  /** The way there and back. */
  readonly latencyMs: number
  readonly server: SteadyServer
  readonly random: () => number
  readonly learningMs: number
  readonly measuredMs: number
}

/**
 * Agents with the real retry and concurrency code, and a server that is there all the time.
 *
 * @returns what comes of it after `learningMs`, in requests and documents; and the window ten times a second
 */
export async function runSteady(options: SteadyOptions) {
  const { agents, rate, batchDocuments, concurrencyMax, latencyMs, server, random, learningMs, measuredMs } = options
  const clock = new VirtualClock()
  const view = clock.view(() => true)
  const stop = new AbortController()
  const startMs = clock.nowMs
  const body = bodyOf(batchDocuments)
  const seen = { requests: 0, refusedRequests: 0, offered: 0, refused: 0, taken: 0 }
  const takenBy = Array.from({ length: agents }, () => 0)
  const after = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve))

  async function send(agent: number, documents: number): Promise<Sent> {
    const counts = clock.nowMs >= startMs + learningMs ? 1 : 0
    await after(latencyMs / 2)
    const { takes, ms, done } = server(documents, clock.nowMs - startMs)
    const taken = takes === undefined ? 0 : takes.filter(Boolean).length
    await after(ms)
    done?.()
    await after(latencyMs / 2)
    seen.requests += counts
    seen.refusedRequests += taken < documents ? counts : 0
    seen.offered += counts * documents
    seen.refused += counts * (documents - taken)
    seen.taken += counts * taken
    takenBy[agent]! += counts * taken
    if (takes === undefined) return statusOf(429, 'es_rejected_execution_exception')
    if (taken === documents) return { kind: 'answered', answer: { kind: 'done' } }
    const items = takes.map((one) => (one ? created : rejected))
    return { kind: 'answered', answer: { kind: 'items', items } }
  }

  const shippers: Shipper[] = []
  function startAgent(agent: number): () => void {
    let gone = 0
    let busy = 0
    const shipper = plainShipper({
      clock: view,
      random,
      batchBytes: body.length,
      concurrencyMax,
      send: (_sent, documents) => send(agent, documents),
    })
    shippers.push(shipper)
    async function ship(documents: number): Promise<void> {
      busy++
      await shipper.deliver(body, documents * documentBytes, [documents], stop.signal, false)
      busy--
      fill()
    }
    function fill(): void {
      while (busy < concurrencyMax && !stop.signal.aborted) {
        const backlog = rate === Infinity ? Infinity : ((clock.nowMs - startMs) / 1000) * rate - gone
        const documents = Math.floor(Math.min(backlog, batchDocuments))
        if (documents === 0) return
        gone += documents
        void ship(documents)
      }
    }
    return fill
  }

  for (let count = 0; count < agents; count++) {
    const fill = startAgent(count)
    const again = () => {
      fill()
      if (!stop.signal.aborted) clock.after(100, again)
    }
    clock.after(random() * 1000, again)
  }
  const windows: number[] = []
  const endMs = startMs + learningMs + measuredMs
  while (clock.nowMs < endMs) {
    await clock.advanceTo(clock.nowMs + 100)
    if (clock.nowMs < startMs + learningMs) continue
    for (const { pace } of shippers) windows.push((pace.concurrency * pace.requestBytesMax) / body.length)
  }
  stop.abort()
  const seconds = measuredMs / 1000
  const total = takenBy.reduce((sum, one) => sum + one, 0)
  const result = {
    requests: seen.requests,
    /** Documents a second. */
    goodput: seen.taken / seconds,
    offered: seen.offered / seconds,
    /** Shares: of the requests, those that were not taken as a whole; and of the documents. */
    refusedRequests: seen.refusedRequests / Math.max(1, seen.requests),
    refusedDocuments: seen.refused / Math.max(1, seen.offered),
    /** The agent with the least, to the mean. */
    least: Math.min(...takenBy) / (total / agents),
    /** In batches. */
    windowMean: windows.reduce((sum, one) => sum + one, 0) / windows.length,
  }
  await clock.advanceTo(clock.nowMs + 120_000)
  return result
}

const created: Item = { status: 201, errorType: '' }
const rejected: Item = { status: 429, errorType: 'es_rejected_execution_exception' }
