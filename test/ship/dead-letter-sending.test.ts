import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Sending, type LetterVerdict, type Outbound, type Wire } from '../../src/ship/letters/sending.ts'
import type { Sent } from '../../src/ship/transport.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { failed, itemsOf, malformed, ok, statusOf, unreached } from './harness.ts'

const letters = (count: number, hasId = true): Outbound[] =>
  Array.from({ length: count }, (_, at) => ({
    target: 'logs',
    action: hasId ? `{"create":{"_id":"${at}"}}` : '{"create":{}}',
    source: `{"message":"${at}"}`,
    hasId,
  }))

const nothingElse: Wire['lookup'] = {
  indices: () => Promise.resolve({ kind: 'answered', value: ['logs'] }),
  present: (_index, ids) => Promise.resolve({ kind: 'answered', value: ids.map(() => false) }),
}

function sendingTo(
  answer: (attempt: number, documents: number, target: string) => Sent,
  lookup = nothingElse,
  triesMax = 6,
) {
  const clock = new VirtualClock()
  const stop = new AbortController()
  let attempts = 0
  const sending = new Sending({
    clock: clock.view(() => true),
    random: () => 0.5,
    triesMax,
    signal: stop.signal,
    wireTo: (target) => ({
      lookup,
      send: (_body, documents, _signal, asking) =>
        Promise.resolve(asking?.reasons === true ? unreached : answer(attempts++, documents, target)),
    }),
  })
  return {
    sending,
    stop,
    clock,
    attempts: () => attempts,
    async send(outbound: readonly Outbound[]): Promise<LetterVerdict[]> {
      const state = { over: false }
      const sent = sending.send(outbound).finally(() => (state.over = true))
      for (let steps = 0; !state.over && steps < 10_000; steps++) {
        await setImmediate()
        if (!state.over && clock.nextMs < Infinity) await clock.advanceTo(clock.nextMs)
      }
      return sent
    },
  }
}

const kinds = (verdicts: readonly LetterVerdict[]) => verdicts.map(({ kind }) => kind)

test('a verdict for each, in their order, whatever was tried again meanwhile', async () => {
  const answers = [
    itemsOf(201, 409, [400, 'strict_dynamic_mapping_exception'], [429, 'busy'], [429, 'busy']),
    itemsOf([400, 'document_parsing_exception'], 201),
  ]
  const world = sendingTo((attempt) => answers[attempt]!)
  const verdicts = await world.send(letters(5))
  expect(verdicts).toMatchObject([
    { kind: 'taken', duplicate: false },
    { kind: 'taken', duplicate: true },
    { kind: 'refused', refused: { errorType: 'strict_dynamic_mapping_exception' } },
    { kind: 'refused', refused: { errorType: 'document_parsing_exception' } },
    { kind: 'taken' },
  ])
  expect(world.sending.isOver).toBe(false)
})

describe('gives up', () => {
  test.each<[string, Sent]>([
    ['nobody answers', unreached],
    ['the connection breaks', failed],
    ['it is not Elasticsearch', malformed],
    ['it has too much to do', statusOf(429)],
    ['it does not let us in', statusOf(403, 'security_exception')],
  ])('after some tries: %s', async (_what, answer) => {
    const world = sendingTo(() => answer)
    expect(kinds(await world.send(letters(2)))).toEqual(['none', 'none'])
    expect(world.attempts()).toBe(6)
    expect(world.sending.isOver).toBe(true)
    expect(world.sending.health.state).not.toBe('ok')
    expect(kinds(await world.send(letters(1))), 'and sends nothing more').toEqual(['none'])
    expect(world.attempts()).toBe(6)
  })

  test.each<[string, Sent]>([
    ['takes none', itemsOf([403, 'cluster_block_exception'], [403, 'cluster_block_exception'])],
    ['is not there', statusOf(404, 'index_not_found_exception')],
  ])('a target that %s, and goes on with the others', async (_what, answer) => {
    const world = sendingTo((_attempt, _documents, target) => (target === 'logs' ? answer : ok))
    expect(kinds(await world.send(letters(2)))).toEqual(['none', 'none'])
    expect(world.attempts()).toBe(6)
    expect(world.sending.isOver).toBe(false)
    expect(kinds(await world.send(letters(2)))).toEqual(['none', 'none'])
    expect(world.attempts(), 'it is not asked again').toBe(6)
    expect(kinds(await world.send(letters(2).map((letter) => ({ ...letter, target: 'other' }))))).toEqual([
      'taken',
      'taken',
    ])
  })

  test('not while some document gets its verdict each time', async () => {
    const world = sendingTo((_attempt, documents) =>
      documents === 1 ? ok : itemsOf(201, ...Array.from({ length: documents - 1 }, () => 429)),
    )
    expect(kinds(await world.send(letters(20)))).toEqual(Array(20).fill('taken'))
  })

  test('not while a request that is too large comes in halves', async () => {
    const world = sendingTo((_attempt, documents) => (documents > 1 ? statusOf(413) : ok), nothingElse, 2)
    expect(kinds(await world.send(letters(64)))).toEqual(Array(64).fill('taken'))
  })

  test('when questions for what is there are not answered', async () => {
    const deaf: Wire['lookup'] = {
      ...nothingElse,
      indices: () => Promise.resolve({ kind: 'failed', state: 'unreachable', message: 'connection reset' }),
    }
    const world = sendingTo(() => ok, deaf)
    expect(kinds(await world.send(letters(2)))).toEqual(['none', 'none'])
    expect(world.attempts()).toBe(0)
  })

  test('when it is told to', async () => {
    const world = sendingTo(() => (world.stop.abort(), failed))
    expect(kinds(await world.send(letters(2)))).toEqual(['none', 'none'])
    expect(world.attempts()).toBe(1)
  })
})

test('what an older index has already, from a replay that was killed, is not stored there twice', async () => {
  const asked: string[] = []
  const rolledOver: Wire['lookup'] = {
    indices: () => Promise.resolve({ kind: 'answered', value: ['logs-1', 'logs-2'] }),
    present: (index, ids) => {
      asked.push(index)
      return Promise.resolve({ kind: 'answered', value: ids.map((id) => index === 'logs-1' && id === '1') })
    },
  }
  const documents: number[] = []
  const world = sendingTo((_attempt, count) => (documents.push(count), ok), rolledOver)
  expect(await world.send(letters(3))).toMatchObject([
    { kind: 'taken', duplicate: false },
    { kind: 'taken', duplicate: true },
    { kind: 'taken', duplicate: false },
  ])
  expect(documents).toEqual([2])
  expect(asked).toContain('logs-1')
})

test('documents without an id are not looked for', async () => {
  const world = sendingTo(() => ok, {
    indices: () => Promise.reject(new Error('asked')),
    present: () => Promise.reject(new Error('asked')),
  })
  expect(kinds(await world.send(letters(2, false)))).toEqual(['taken', 'taken'])
})
