import { setImmediate } from 'node:timers/promises'
import { Doubts } from '../../src/ship/doubts.ts'
import type { Lookup } from '../../src/ship/lookup.ts'
import { Shipper, type Delivered, type Health } from '../../src/ship/shipper.ts'
import type { DeadLetter } from '../../src/ship/dead-letter.ts'
import type { Sent } from '../../src/ship/transport.ts'
import { VirtualClock } from '../kit/agent-clock.ts'

/** One request as the server would see it. */
export interface Attempt {
  readonly number: number
  readonly atMs: number
  readonly body: string
  readonly documents: number
}

export interface World {
  readonly shipper: Shipper
  readonly clock: VirtualClock
  readonly attempts: Attempt[]
  readonly letters: DeadLetter[]
  readonly healths: Health[]
  readonly outcomes: string[]
  readonly blind: string[]
  readonly stop: AbortController
  readonly doubts: Doubts | undefined
  /** Delivers as one span, with as much time as it takes. */
  readonly deliver: (documents: readonly string[], body?: Buffer) => Promise<Delivered>
  /** The same with so many documents in each span. */
  readonly deliverSpans: (
    documents: readonly string[],
    spans: readonly number[],
    doubtful?: boolean,
    body?: Buffer,
  ) => Promise<readonly Delivered[]>
}

export interface Script {
  /** What the server does with an attempt. */
  readonly answer: (attempt: Attempt, world: World) => Sent | Promise<Sent>
  readonly random?: () => number
  /** Why a dead letter cannot be kept. */
  readonly keep?: (letter: DeadLetter) => string | undefined
  /** What is there already; nobody can be asked unless told. */
  readonly lookup?: Lookup
  /** What a document is answered that is asked for its reason, alone; nobody knows unless told. */
  readonly reason?: (body: string) => Sent
  /** By default all requests fit. */
  readonly batchBytes?: number
  readonly concurrencyMax?: number
  readonly nodes?: number
  readonly severalIndices?: boolean
}

/** A shipper in a world of its own: no network, and time that passes at once. */
export function worldOf({
  answer,
  random = () => 0.5,
  keep,
  lookup,
  reason,
  batchBytes = 2 ** 24,
  concurrencyMax = 1,
  nodes = 1,
  severalIndices = false,
}: Script): World {
  const clock = new VirtualClock()
  const doubts =
    lookup &&
    new Doubts(
      lookup,
      clock.view(() => true),
      'logs',
    )
  const world: World = {
    clock,
    attempts: [],
    letters: [],
    healths: [],
    outcomes: [],
    blind: [],
    doubts,
    stop: new AbortController(),
    shipper: new Shipper({
      clock: clock.view(() => true),
      random,
      target: 'logs',
      severalIndices,
      batchBytes,
      concurrencyMax,
      nodes,
      send: async (body, documents, _signal, asking) => {
        if (asking?.reasons === true) return reason?.(body.toString()) ?? unreached
        const attempt = { number: world.attempts.length, atMs: clock.nowMs, body: body.toString(), documents }
        world.attempts.push(attempt)
        return answer(attempt, world)
      },
      health: (health) => world.healths.push(health),
      deadLetter: (letter) => {
        world.letters.push(letter)
        return keep?.(letter)
      },
      outcome: (outcome) => world.outcomes.push(outcome),
      doubts,
      blind: (why) => world.blind.push(why),
    }),
    deliver: async (documents, body) => (await world.deliverSpans(documents, [documents.length], false, body))[0]!,
    async deliverSpans(documents, spans, doubtful = false, body = Buffer.from(documents.join(''))) {
      const bytes = Buffer.byteLength(documents.join(''))
      const delivery = { over: false }
      const delivered = world.shipper
        .deliver(body, bytes, spans, world.stop.signal, doubtful)
        .finally(() => (delivery.over = true))
      // What the delivery waits for is either a timer of this clock or nothing but a turn of the loop.
      while (!delivery.over) {
        await setImmediate()
        if (!delivery.over && clock.nextMs < Infinity) await clock.advanceTo(clock.nextMs)
      }
      return delivered
    },
  }
  return world
}

export const ok: Sent = { kind: 'answered', answer: { kind: 'done' } }
export const failed: Sent = { kind: 'failed', message: 'read ECONNRESET', reached: true, stale: false }
export const unreached: Sent = { kind: 'failed', message: 'connect ECONNREFUSED', reached: false, stale: false }
export const stale: Sent = { kind: 'failed', message: 'socket hang up', reached: true, stale: true }
export const malformed: Sent = {
  kind: 'answered',
  answer: { kind: 'malformed', why: 'the answer was cut after 7 bytes' },
}
export const statusOf = (status: number, errorType = '', retryAfterMs = 0): Sent => ({
  kind: 'status',
  status,
  errorType,
  retryAfterMs,
})
export const itemsOf = (...items: readonly (number | readonly [number, string])[]): Sent => ({
  kind: 'answered',
  answer: {
    kind: 'items',
    items: items.map((item) =>
      typeof item === 'number' ? { status: item, errorType: '' } : { status: item[0], errorType: item[1] },
    ),
  },
})
