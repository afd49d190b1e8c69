import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delivered } from '../../src/ship/shipper.ts'
import type { Sent } from '../../src/ship/transport.ts'
import { runs } from '../base/runs.ts'
import { documentsOf, idsOf } from './documents.ts'
import { failed, itemsOf, malformed, ok, statusOf, worldOf } from './harness.ts'

/** What one document can be answered, and what that means: alone, and beside others that are there. */
const fates = [
  [[201, ''], 'there', 'there'],
  [[200, ''], 'there', 'there'],
  [[409, 'version_conflict_engine_exception'], 'again already there', 'again already there'],
  [[429, 'es_rejected_execution_exception'], 'again', 'again'],
  [[503, 'unavailable_shards_exception'], 'again', 'again'],
  [[400, 'document_parsing_exception'], 'refused', 'refused'],
  [[400, 'unheard_of_exception'], 'again', 'refused'],
  [[400, 'index_closed_exception'], 'again', 'again'],
  [[403, 'security_exception'], 'again', 'again'],
  [[404, 'index_not_found_exception'], 'again', 'again'],
] as const

type Outcome =
  | { readonly kind: 'ok' | 'failed' | 'malformed' | 'too large' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs: number }
  /** By position; from the start again when there are more documents. */
  | { readonly kind: 'items'; readonly fates: readonly number[] }

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constantFrom<Outcome>({ kind: 'ok' }, { kind: 'failed' }, { kind: 'malformed' }, { kind: 'too large' }),
  fc.record({
    kind: fc.constant('status' as const),
    status: fc.constantFrom(400, 401, 403, 404, 406, 408, 429, 500, 502, 503, 504, 202),
    retryAfterMs: fc.constantFrom(0, 0, 5000),
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('items' as const),
      fates: fc.array(fc.nat(fates.length - 1), { minLength: 1, maxLength: 12 }),
    }),
  },
)

/** What must be true of a delivery, kept beside it. */
class Model {
  readonly accounts = { done: new Set<number>(), duplicates: new Set<number>(), refused: new Set<number>() }
  /** Documents without a verdict, in the order in which they are sent. */
  readonly pending: number[]
  /** How often each was too large by itself. */
  readonly tooLarge: number[]

  constructor(documents: number) {
    this.pending = Array.from({ length: documents }, (_, index) => index)
    this.tooLarge = this.pending.map(() => 0)
  }

  /** Of a request of the first so many documents. */
  answer(given: Outcome, count: number): Sent {
    const ids = this.pending.splice(0, count)
    if (given.kind === 'ok') {
      for (const id of ids) this.accounts.done.add(id)
      return ok
    }
    if (given.kind === 'too large') {
      if (ids.length === 1 && ++this.tooLarge[ids[0]!]! === 3) this.accounts.refused.add(ids[0]!)
      else this.pending.unshift(...ids)
      return statusOf(413)
    }
    if (given.kind !== 'items') {
      // One that is put off by itself lets the others go first.
      const aside = ids.length === 1 && given.kind === 'status' && given.status === 429
      if (aside) this.pending.push(...ids)
      else this.pending.unshift(...ids)
      if (given.kind === 'status') return statusOf(given.status, '', given.retryAfterMs)
      return given.kind === 'failed' ? failed : malformed
    }
    const each = ids.map((_, index) => fates[given.fates[index % given.fates.length]!]!)
    const somePassed = each.some(([, alone]) => alone.endsWith('there'))
    const left: number[] = []
    for (const [index, [[status], alone, beside]] of each.entries()) {
      const fate = somePassed ? beside : alone
      if (fate === 'again') left.push(ids[index]!)
      else if (fate === 'refused') this.accounts.refused.add(ids[index]!)
      else this.accounts.done.add(ids[index]!)
      if (status === 409) this.accounts.duplicates.add(ids[index]!)
    }
    const [[status, type]] = each[ids.indexOf(left[0] ?? ids[0]!)]!
    const alone = left.length === 1 && !somePassed
    const aside = alone && (type === 'unheard_of_exception' || (ids.length === 1 && status === 429))
    if (aside) this.pending.push(...left)
    else this.pending.unshift(...left)
    return itemsOf(...each.map(([item]) => item))
  }
}

const cases = fc.record({
  documents: fc.integer({ min: 1, max: 24 }),
  /** Where one span ends and the next begins; two at one place are a span without a document. */
  cuts: fc.array(fc.nat(24), { maxLength: 5 }),
  outcomes: fc.array(outcome, { maxLength: 14 }),
  /** The attempt during which the agent is told to stop; mostly none. */
  stopAt: fc.oneof({ weight: 3, arbitrary: fc.constant(Infinity) }, fc.nat(8)),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  unkeepable: fc.constantFrom(1, 2, 3, 100),
})

/** How many documents are in each span. */
function spansOf(count: number, cuts: readonly number[]): number[] {
  const edges = [0, ...cuts.map((cut) => Math.min(cut, count)).toSorted((a, b) => a - b), count]
  return edges.slice(1).map((edge, at) => edge - edges[at]!)
}

function among(ids: readonly number[], these: Iterable<number>): number {
  return new Set(ids).intersection(new Set(these)).size
}

/** The same by span. */
function accountsOf(spans: readonly number[], accountOf: (ids: readonly number[]) => Delivered): Delivered[] {
  let next = 0
  return spans.map((count) => accountOf(Array.from({ length: count }, () => next++)))
}

test('every document ends in exactly one account of its span, whatever the server answers and whenever the agent stops', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ documents: count, cuts, outcomes, stopAt, random, unkeepable }) => {
      const documents = documentsOf(count)
      const model = new Model(count)
      const world = worldOf({
        random: () => random,
        keep: ({ source }) => (Number(/id-(\d+)/.exec(source)![1]) % unkeepable === 1 ? 'no room' : undefined),
        answer: ({ number, body, documents: told }, { stop }) => {
          expect(stop.signal.aborted, 'nothing is sent after the stop').toBe(false)
          const next = model.pending.slice(0, told)
          expect(told).toBeGreaterThan(0)
          expect(body, 'what has no verdict, in order').toBe(next.map((id) => documents[id]).join(''))
          if (number >= stopAt) stop.abort()
          return model.answer(outcomes[number] ?? { kind: 'ok' }, told)
        },
      })
      const spans = spansOf(count, cuts)
      const delivered = await world.deliverSpans(documents, spans)

      const { done, refused, duplicates } = model.accounts
      const held = model.pending.length
      expect(delivered).toEqual(
        accountsOf(spans, (ids) => {
          const lost = [...refused].filter((id) => ids.includes(id) && id % unkeepable === 1).length
          return {
            done: among(ids, done),
            duplicates: among(ids, duplicates),
            deadLettered: among(ids, refused) - lost,
            lost,
            failureStored: 0,
            held: among(ids, model.pending),
            possiblyDuplicated: 0,
          }
        }),
      )
      for (const [span, { done: taken, deadLettered, lost, held: left }] of delivered.entries()) {
        expect(taken + deadLettered + lost + left).toBe(spans[span])
      }
      expect(held > 0, 'only a stop leaves something held').toBe(held > 0 && world.stop.signal.aborted)
      expect(
        world.letters.map(({ action, source }) => `${action}\n${source}\n`),
        'only what was refused is dead-lettered, once and as it was sent',
      ).toEqual([...refused].map((id) => documents[id]))
    }),
    runs(2000),
  )
})

test('it waits as long as it must, and not longer', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ documents: count, outcomes, random }) => {
      const model = new Model(count)
      const given = (number: number) => outcomes[number] ?? { kind: 'ok' as const }
      const world = worldOf({
        random: () => random,
        answer: ({ number, documents }) => model.answer(given(number), documents),
      })
      await world.deliver(documentsOf(count))
      for (const [number, { atMs, documents }] of world.attempts.entries()) {
        const next = world.attempts[number + 1]
        if (next === undefined) break
        const before = given(number)
        const askedMs = before.kind === 'status' ? before.retryAfterMs : 0
        const waitedMs = next.atMs - atMs
        expect(waitedMs).toBeGreaterThanOrEqual(askedMs)
        expect(waitedMs).toBeLessThanOrEqual(30_000)
        expect(before.kind === 'too large' && documents > 1 ? waitedMs : 0, 'halves need no wait').toBe(0)
      }
    }),
    runs(500),
  )
})

test('the rest of the slot is left alone', async () => {
  const documents = documentsOf(6)
  const text = documents.join('')
  const body = Buffer.alloc(text.length + 100, 0xa5)
  body.write(text)
  const world = worldOf({ answer: ({ number }) => (number === 0 ? itemsOf(201, 429, 201, 429, 201, 429) : ok) })
  await world.deliver(documents, body)
  expect(world.attempts.map((attempt) => idsOf(Buffer.from(attempt.body)))).toEqual([
    [0, 1, 2, 3, 4, 5],
    [1, 3, 5],
  ])
  expect(body.subarray(text.length).every((byte) => byte === 0xa5)).toBe(true)
})
