import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { Doubts } from '../../src/ship/doubts.ts'
import type { Asked, Lookup } from '../../src/ship/lookup.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { documentsOf } from './documents.ts'
import { failed, itemsOf, ok, stale, statusOf, unreached, worldOf } from './harness.ts'

/** Indices with what they have, newest last; `answer` may say something else. */
function lookupOf(
  indices: Record<string, readonly string[]>,
  answer: (question: string) => Asked<never> | undefined = () => undefined,
) {
  const questions: string[] = []
  const ask = async <T>(question: string, value: () => T): Promise<Asked<T>> => {
    questions.push(question)
    return answer(question) ?? { kind: 'answered', value: value() }
  }
  const lookup: Lookup = {
    indices: () => ask('indices', () => Object.keys(indices)),
    present: (index, ids) => ask(index, () => ids.map((id) => indices[index]!.includes(id))),
  }
  return { lookup, questions }
}

const refused: Asked<never> = { kind: 'refused', why: 'GET /_resolve/index/logs is answered 403 security_exception' }
const unheard: Asked<never> = { kind: 'failed', state: 'unreachable', message: 'read ECONNRESET' }
const busy: Asked<never> = { kind: 'failed', state: 'overloaded', message: '503' }

describe('documents in doubt', () => {
  test('that an older index has are not sent again, and are in the account of their span', async () => {
    const { lookup, questions } = lookupOf({ a: ['id-0', 'id-3'], b: ['id-1'] })
    const world = worldOf({ lookup, answer: ({ number }) => (number === 0 ? failed : ok) })
    world.doubts!.resume(['a'])
    const accounts = await world.deliverSpans(documentsOf(5), [2, 1, 0, 2])
    expect(world.attempts.map(({ documents }) => documents)).toEqual([5, 2])
    expect(accounts.map(({ done, duplicates, held }) => [done, duplicates, held])).toEqual([
      [2, 2, 0],
      [1, 0, 0],
      [0, 0, 0],
      [2, 1, 0],
    ])
    expect(questions.slice(0, 3), 'the newest first').toEqual(['indices', 'b', 'a'])
  })

  test('that arrive late in the index before are waited for', async () => {
    const indices: Record<string, string[]> = { a: [], b: [] }
    const { lookup } = lookupOf(indices)
    const world = worldOf({ lookup, answer: ({ number }) => (number === 0 ? failed : ok) })
    world.doubts!.resume(['a'])
    world.clock.after(limits.lookupArrivalMs - 1, () => indices['a']!.push('id-1'))
    expect(await world.deliver(documentsOf(3))).toMatchObject({ done: 3, duplicates: 1 })
    expect(world.attempts.map(({ documents }) => documents)).toEqual([3, 2])
  })

  test('are not waited for when nothing was rolled over, or all are found', async () => {
    for (const [before, has] of [
      [['a'], []],
      [['x'], ['id-0']],
    ] as const) {
      const { lookup } = lookupOf(before[0] === 'a' ? { a: [] } : { x: [...has], a: [] })
      const world = worldOf({ lookup, random: () => 0, answer: ({ number }) => (number === 0 ? failed : ok) })
      world.doubts!.resume(before)
      const beganMs = world.clock.nowMs
      await world.deliver(documentsOf(1))
      expect(world.clock.nowMs).toBe(beganMs)
    }
  })

  test('that are all there are not sent at all', async () => {
    const { lookup } = lookupOf({ a: ['id-0', 'id-1'], b: [] })
    const world = worldOf({ lookup, answer: () => failed })
    world.doubts!.resume(['a'])
    expect(await world.deliver(documentsOf(2))).toMatchObject({ done: 2, duplicates: 2, possiblyDuplicated: 0 })
    expect(world.attempts).toHaveLength(1)
  })

  test.each([
    ['taken', ok, false],
    ['refused by a server that let nobody in', statusOf(401), false],
    ['too large', statusOf(413), false],
    ['never sent', unreached, false],
    ['put off one by one', itemsOf(429, 429), false],
    ['not answered', failed, true],
    ['answered by a proxy', statusOf(502), true],
    ['lost with a shard', itemsOf(503, 503), true],
  ] as const)('%s: %j is a doubt: %s', async (_name, sent, doubtful) => {
    const { lookup, questions } = lookupOf({ a: [] })
    const world = worldOf({ lookup, answer: ({ number }) => (number === 0 ? sent : ok) })
    world.doubts!.resume(['a'])
    await world.deliver(documentsOf(2))
    expect(questions.includes('a')).toBe(doubtful)
  })

  test('of an old connection are looked for at once', async () => {
    const { lookup, questions } = lookupOf({ a: [] })
    const world = worldOf({ lookup, answer: ({ number }) => (number < 2 ? stale : ok) })
    world.doubts!.resume(['a'])
    await world.deliver(documentsOf(2))
    expect(questions.filter((question) => question === 'a')).toHaveLength(2)
    const [first, second, third] = world.attempts.map(({ atMs }) => atMs)
    expect(second, 'tried again at once').toBe(first)
    expect(third, 'once').toBeGreaterThan(second!)
    expect(world.outcomes).toEqual(['failed', 'ok'])
  })

  test('without the privilege to ask are sent again, counted, and it is said why', async () => {
    const { lookup } = lookupOf({ a: [] }, () => refused)
    const world = worldOf({ lookup, answer: ({ number }) => (number === 0 ? failed : itemsOf(201, 409, 201)) })
    expect(await world.deliver(documentsOf(3))).toMatchObject({ done: 3, duplicates: 1, possiblyDuplicated: 2 })
    expect(world.blind).toEqual([expect.stringContaining('403 security_exception')])
  })

  test('that one of two indices does not tell of are sent again and counted; the other one is believed', async () => {
    const { lookup } = lookupOf({ a: ['id-0'], b: [], c: ['id-1'] }, (question) =>
      question === 'b' ? refused : undefined,
    )
    const world = worldOf({ lookup, answer: ({ number }) => (number === 0 ? failed : ok) })
    world.doubts!.resume(['a'])
    expect(await world.deliver(documentsOf(3))).toMatchObject({ done: 3, duplicates: 2, possiblyDuplicated: 1 })
  })

  test('wait while nobody answers, and nothing is sent meanwhile', async () => {
    let asked = 0
    const { lookup } = lookupOf({ a: ['id-0'], b: [] }, () =>
      asked++ < 50 ? (asked % 2 === 0 ? unheard : busy) : undefined,
    )
    const world = worldOf({ lookup, random: () => 0.9, answer: () => failed })
    world.doubts!.resume(['a'])
    expect(await world.deliver(documentsOf(1))).toMatchObject({ done: 1, duplicates: 1, possiblyDuplicated: 0 })
    expect(world.attempts).toHaveLength(1)
    expect(world.healths.at(-1)).toMatchObject({ state: expect.stringMatching(/unreachable|overloaded/) })
  })

  test('do not wait for ever when others get through', async () => {
    const { lookup } = lookupOf({ a: [] }, () => unheard)
    const world = worldOf({
      lookup,
      answer: ({ body }) => (body.includes('id-0') && world.attempts.length === 1 ? failed : ok),
    })
    const [first, ...others] = documentsOf(200).map((document) => Buffer.from(document))
    const beganMs = world.clock.nowMs
    const doubtful = world.shipper.deliver(first!, first!.length, [1], world.stop.signal, false)
    for (const body of others) {
      if (world.blind.length > 0) break
      await world.clock.advanceTo(world.clock.nowMs + 1_000)
      await world.shipper.deliver(body, body.length, [1], world.stop.signal, false)
    }
    expect(world.clock.nowMs - beganMs).toBeGreaterThanOrEqual(limits.lookupPatienceMs)
    expect(await doubtful).toMatchObject([{ done: 1, possiblyDuplicated: 1 }])
    expect(world.blind).toEqual(['read ECONNRESET'])
  })

  test('wait for a shard to start, but not for ever', async () => {
    const unready: Asked<never> = { kind: 'failed', state: 'unready', message: 'no_shard_available_action_exception' }
    for (const [tries, twice] of [
      [limits.lookupTriesUnready - 1, 0],
      [limits.lookupTriesUnready, 1],
    ] as const) {
      let asked = 0
      const { lookup } = lookupOf({ a: [], b: [] }, (question) =>
        question !== 'indices' && asked++ < tries ? unready : undefined,
      )
      const world = worldOf({ lookup, answer: ({ number }) => (number === 0 ? failed : ok) })
      world.doubts!.resume(['a'])
      expect(await world.deliver(documentsOf(1))).toMatchObject({ done: 1, possiblyDuplicated: twice })
    }
  })

  test('are held when the agent stops while it asks', async () => {
    const { lookup } = lookupOf({ a: [] }, () => (world.stop.abort(), unheard))
    const world = worldOf({ lookup, answer: () => failed })
    expect(await world.deliver(documentsOf(2))).toMatchObject({ done: 0, held: 2 })
    expect(world.attempts).toHaveLength(1)
  })

  test('are asked for in pieces', async () => {
    const count = limits.lookupIdsMax + 1
    const documents = documentsOf(count, () => 1)
    const pieces: number[] = []
    const lookup: Lookup = {
      indices: () => Promise.resolve({ kind: 'answered', value: ['a'] }),
      present: (_index, ids) => {
        pieces.push(ids.length)
        return Promise.resolve({ kind: 'answered', value: ids.map((id) => id === `id-${count - 1}`) })
      },
    }
    const world = worldOf({ lookup, answer: ({ number }) => (number === 0 ? failed : ok) })
    expect(await world.deliver(documents)).toMatchObject({ done: count, duplicates: 1 })
    expect(pieces).toEqual([limits.lookupIdsMax, 1])
  })
})

describe('documents that an earlier process may have sent', () => {
  test('are looked for before they are sent, when an index was rolled over', async () => {
    const { lookup } = lookupOf({ a: ['id-1'], b: [] })
    const world = worldOf({ lookup, answer: () => ok })
    world.doubts!.resume(['a'])
    const [account] = await world.deliverSpans(documentsOf(3), [3], true)
    expect(account).toMatchObject({ done: 3, duplicates: 1 })
    expect(world.attempts.map(({ documents }) => documents)).toEqual([2])
  })

  test('cost no look at each of them when none was, beyond the first', async () => {
    const { lookup, questions } = lookupOf({ a: [] })
    const world = worldOf({ lookup, answer: () => ok })
    world.doubts!.resume(['a'])
    const documents = documentsOf(limits.lookupThoroughDocuments, () => 1)
    await world.deliverSpans(documents, [documents.length], true)
    const before = questions.filter((question) => question === 'a').length
    expect(before).toBeGreaterThan(0)
    await world.deliverSpans(documentsOf(9), [9], true)
    expect(questions.filter((question) => question === 'a')).toHaveLength(before)
  })

  test('wait for the answer while the server is down, and nothing is sent', async () => {
    let asked = 0
    const { lookup } = lookupOf({ a: ['id-0'], b: [] }, () => (asked++ < 20 ? unheard : undefined))
    const world = worldOf({ lookup, answer: () => ok })
    world.doubts!.resume(['a'])
    const [account] = await world.deliverSpans(documentsOf(2), [2], true)
    expect(account).toMatchObject({ done: 2, duplicates: 1, possiblyDuplicated: 0 })
    expect(world.attempts).toHaveLength(1)
  })
})

function doubtsOf(indices: Record<string, readonly string[]>) {
  const { lookup, questions } = lookupOf(indices)
  const clock = new VirtualClock()
  return {
    doubts: new Doubts(
      lookup,
      clock.view(() => true),
      'logs',
    ),
    questions,
    clock,
  }
}
describe('what the next process must know', () => {
  const { signal } = new AbortController()

  test('are the indices as of before the oldest batch under way', async () => {
    const { doubts } = doubtsOf({ a: [], b: [] })
    expect(doubts.toSave(false)).toBeNull()
    doubts.resume(['a'])
    const [first, second] = [doubts.begin(false), doubts.begin(false)]
    doubts.refresh(signal)
    await setImmediate()
    const third = doubts.begin(false)
    expect(doubts.toSave(false)).toEqual(['a'])
    doubts.end(first)
    expect(doubts.toSave(false)).toEqual(['a'])
    doubts.end(second)
    expect(doubts.toSave(false)).toEqual(['a', 'b'])
    doubts.end(third)
    expect(doubts.toSave(false)).toEqual(['a', 'b'])
  })

  test('are those of the process before, until all that it may have sent has its verdict', async () => {
    const { doubts } = doubtsOf({ a: [], b: [] })
    doubts.resume(['a'])
    doubts.refresh(signal)
    await setImmediate()
    expect(doubts.toSave(true)).toEqual(['a'])
    expect(doubts.toSave(false)).toEqual(['a', 'b'])
    expect(doubts.begin(true).before).toEqual(['a'])
    expect(doubts.begin(false).before).toEqual(['a', 'b'])
  })

  test('are asked for now and then, not with each batch', async () => {
    const { doubts, questions, clock } = doubtsOf({ a: [] })
    for (let batch = 0; batch < 100; batch++) {
      doubts.refresh(signal)
      await setImmediate()
    }
    expect(questions).toHaveLength(1)
    await clock.advanceTo(clock.nowMs + limits.indicesIntervalMs)
    doubts.refresh(signal)
    expect(questions).toHaveLength(2)
  })

  test('are asked for again soon while there is no target', async () => {
    const indices: Record<string, readonly string[]> = {}
    const { doubts, clock } = doubtsOf(indices)
    doubts.refresh(signal)
    await setImmediate()
    expect(doubts.toSave(false)).toEqual([])
    indices['a'] = []
    await clock.advanceTo(clock.nowMs + limits.indicesWantedMs)
    doubts.refresh(signal)
    await setImmediate()
    expect(doubts.toSave(false)).toEqual(['a'])
  })
})
