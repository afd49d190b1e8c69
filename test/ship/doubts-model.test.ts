import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import type { Asked, Lookup } from '../../src/ship/lookup.ts'
import type { Sent } from '../../src/ship/transport.ts'
import type { Indices } from '../../src/ship/write-index.ts'
import { runs } from '../base/runs.ts'
import { documentsOf, idsOf } from './documents.ts'
import { failed, itemsOf, malformed, ok, stale, statusOf, unreached, worldOf, type World } from './harness.ts'

/** What happens at one request: rollovers before and after it is taken, how much of it is, and what is answered. */
interface Step {
  readonly rollBefore: boolean
  readonly rollAfter: boolean
  readonly answer: 'true' | 'failed' | 'malformed' | 'stale' | 'unreached' | 502 | 429 | 413 | 'item 503'
  /** Of so many documents the first is taken, when the answer is none. */
  readonly taken: number
}

const step: fc.Arbitrary<Step> = fc.record({
  rollBefore: fc.boolean(),
  rollAfter: fc.boolean(),
  answer: fc.constantFrom<Step['answer']>(
    'true',
    'failed',
    'malformed',
    'stale',
    'unreached',
    502,
    429,
    413,
    'item 503',
  ),
  taken: fc.integer({ min: 0, max: 3 }),
})

/** A data stream: an id is known to its newest index only. */
class Stream {
  readonly indices: Set<number>[] = [new Set()]
  readonly #steps: Iterator<Step>
  readonly #lookups: Iterator<'ok' | 'failed' | 'refused'>

  constructor(steps: readonly Step[], lookups: readonly ('ok' | 'failed' | 'refused')[]) {
    this.#steps = steps.values()
    this.#lookups = lookups.values()
  }

  /** Beyond the bound nobody looks, and it is counted instead. */
  roll(): void {
    if (this.indices.length < limits.lookupIndicesMax) this.indices.push(new Set())
  }

  take(ids: readonly number[]): Sent {
    const newest = this.indices.at(-1)!
    const statuses = ids.map((id) => (newest.has(id) ? 409 : 201))
    for (const id of ids) newest.add(id)
    return statuses.includes(409) ? itemsOf(...statuses) : ok
  }

  request(body: string): Sent {
    const ids = idsOf(Buffer.from(body))
    const { value, done } = this.#steps.next()
    if (done === true) return this.take(ids)
    if (value.rollBefore) this.roll()
    const some = value.taken === 0 ? [] : ids.filter((id) => id % value.taken === 0)
    const sent = this.#answer(value, ids, some)
    if (value.rollAfter) this.roll()
    return sent
  }

  #answer({ answer }: Step, ids: readonly number[], some: readonly number[]): Sent {
    if (answer === 'true') return this.take(ids)
    if (answer === 'unreached') return unreached
    if (answer === 413) return statusOf(413)
    this.take(some)
    if (typeof answer === 'number') return statusOf(answer)
    if (answer === 'item 503') return itemsOf(...ids.map(() => [503, 'node_closed_exception'] as const))
    return { failed, malformed, stale }[answer]
  }

  lookup(): Lookup {
    const ask = async <T>(value: () => T): Promise<Asked<T>> => {
      const next = this.#lookups.next()
      if (next.done === true || next.value === 'ok') return { kind: 'answered', value: value() }
      if (next.value === 'refused') return { kind: 'refused', why: '403' }
      return { kind: 'failed', state: 'unreachable', message: 'read ECONNRESET' }
    }
    return {
      indices: () => ask(() => this.indices.map((_, at) => `index-${at}`)),
      present: (index, ids) =>
        ask(() => ids.map((id) => this.indices[Number(index.slice(6))]!.has(Number(id.slice(3))))),
    }
  }

  /** In how many indices a document is. */
  copies(id: number): number {
    return this.indices.filter((index) => index.has(id)).length
  }
}

const cases = fc.record({
  documents: fc.integer({ min: 1, max: 12 }),
  cut: fc.nat(12),
  steps: fc.array(step, { maxLength: 12 }),
  lookups: fc.array(fc.constantFrom('ok' as const, 'ok' as const, 'failed' as const), { maxLength: 8 }),
  refused: fc.boolean(),
  /** The attempts at which a checkpoint is written, and at which the process dies. */
  savedAt: fc.nat(6),
  deadAt: fc.nat(6),
  rollsWhileDead: fc.integer({ min: 0, max: 2 }),
})

interface Life {
  readonly count: number
  readonly spans: readonly number[]
  /** In the checkpoint that it begins with. */
  readonly saved: Indices
  /** A process before may have sent the documents. */
  readonly resumed: boolean
  /** The attempts at which a checkpoint is written, and at which the process dies. */
  readonly savedAt: number
  readonly deadAt: number
}

/** Delivers in one process. @returns the indices in its last checkpoint too */
async function live(stream: Stream, { count, spans, saved, resumed, savedAt, deadAt }: Life) {
  let kept = saved
  const world: World = worldOf({
    lookup: stream.lookup(),
    answer: ({ number, body }, { stop, doubts }) => {
      const sent = stream.request(body)
      if (number === savedAt) kept = doubts!.toSave(resumed)
      if (number >= deadAt) stop.abort()
      return sent
    },
  })
  world.doubts!.resume(saved)
  world.doubts!.refresh(world.stop.signal)
  const accounts = await world.deliverSpans(documentsOf(count), spans, resumed)
  return { accounts, saved: kept, blind: world.blind }
}

test('no document is in two indices, whatever is rolled over between an attempt and the next; or it is counted', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ documents, cut, steps, lookups, refused }) => {
      const stream = new Stream(steps, refused ? Array.from({ length: 99 }, () => 'refused' as const) : lookups)
      const spans = [Math.min(cut, documents), documents - Math.min(cut, documents)]
      const life = { count: documents, spans, saved: null, resumed: false, savedAt: Infinity, deadAt: Infinity }
      const { accounts, blind } = await live(stream, life)
      let id = 0
      for (const [span, { done, deadLettered, held, possiblyDuplicated }] of accounts.entries()) {
        const copies = Array.from({ length: spans[span]! }, () => stream.copies(id++))
        expect(held).toBe(0)
        expect(done + deadLettered).toBe(spans[span])
        expect(copies.filter((each) => each > 0).length, 'nothing is lost').toBeGreaterThanOrEqual(done)
        const twice = copies.filter((each) => each > 1).length
        expect(twice, 'twice, and not counted').toBeLessThanOrEqual(possiblyDuplicated + deadLettered)
        expect(refused ? 0 : possiblyDuplicated, 'counted without need').toBe(0)
      }
      expect(refused ? [] : blind).toEqual([])
    }),
    runs(3000),
  )
})

test('nor when the process dies and the next one sends all of it again', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ documents, cut, steps, lookups, savedAt, deadAt, rollsWhileDead }) => {
      const stream = new Stream(steps, lookups)
      const spans = [Math.min(cut, documents), documents - Math.min(cut, documents)]
      // The list that the checkpoint before the first batch had.
      let saved: Indices = ['index-0']
      for (const life of [1, 2, 3]) {
        const times = { savedAt, deadAt: life === 3 ? Infinity : deadAt }
        const lived = await live(stream, { count: documents, spans, saved, resumed: life > 1, ...times })
        saved = lived.saved
        if (life < 3) for (let roll = 0; roll < rollsWhileDead; roll++) stream.roll()
      }
      const copies = Array.from({ length: documents }, (_, id) => stream.copies(id))
      expect(Math.max(...copies)).toBeLessThanOrEqual(1)
    }),
    runs(2000),
  )
})
