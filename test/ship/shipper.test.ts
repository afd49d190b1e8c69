import { setImmediate } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import type { Delivered } from '../../src/ship/shipper.ts'
import type { Sent } from '../../src/ship/transport.ts'
import { documentsOf, idsOf } from './documents.ts'
import { failed, itemsOf, malformed, ok, statusOf, unreached, worldOf, type World } from './harness.ts'

describe('what is said of the server', () => {
  test.each([
    [ok, []],
    [failed, [{ state: 'unreachable', detail: 'read ECONNRESET' }]],
    [malformed, [{ state: 'unreachable', detail: 'the answer was cut after 7 bytes' }]],
    [statusOf(503), [{ state: 'overloaded', detail: 'the server answers 503' }]],
    [
      statusOf(429, 'circuit_breaking_exception'),
      [{ state: 'overloaded', detail: 'the server answers 429 circuit_breaking_exception' }],
    ],
    [statusOf(401, 'security_exception'), [{ state: 'holding', detail: 'the server answers 401 security_exception' }]],
    [statusOf(413), []],
    [
      itemsOf(201, [429, 'es_rejected_execution_exception']),
      [{ state: 'overloaded', detail: 'documents are put off: 429 es_rejected_execution_exception' }],
    ],
    [
      itemsOf(201, [403, 'security_exception']),
      [{ state: 'holding', detail: 'the target refuses documents: 403 security_exception' }],
    ],
    // What someone has to mend is said before what mends itself.
    [
      itemsOf(429, [403, 'security_exception']),
      [{ state: 'holding', detail: 'the target refuses documents: 403 security_exception' }],
    ],
    [itemsOf(201, [400, 'document_parsing_exception']), []],
    [itemsOf(409, 409), []],
  ] as const)('%j', async (sent, healths) => {
    const world = worldOf({ answer: ({ number }) => (number === 0 ? sent : ok) })
    await world.deliver(documentsOf(2))
    expect(world.healths.slice(0, healths.length)).toEqual(healths)
    expect(world.healths.at(-1)).toEqual({ state: 'ok' })
  })

  test('nothing, when the attempt ended because the agent stops', async () => {
    const world = worldOf({
      answer: (_attempt, { stop }) => {
        stop.abort()
        return failed
      },
    })
    expect(await world.deliver(documentsOf(3))).toMatchObject({ done: 0, held: 3 })
    expect([world.healths, world.outcomes]).toEqual([[], []])
  })
})

test('new credentials end every waiting, and a hint of what it is about is told', async () => {
  let changed = false
  const refused: Sent = { ...statusOf(401, 'security_exception'), hint: 'it does not accept REMORA_API_KEY' } as Sent
  const world = worldOf({
    random: () => 1,
    answer: ({ number }, { shipper }) => {
      if (number < 4) return refused
      if (!changed) void Promise.resolve().then(() => setImmediate().then(() => shipper.wake()))
      if (changed) return ok
      changed = true
      return refused
    },
  })
  expect(await world.deliver(documentsOf(2))).toMatchObject({ done: 2 })
  const [beforeMs, atMs] = [world.attempts[4]!.atMs, world.attempts[5]!.atMs]
  expect(atMs, 'at once').toBe(beforeMs)
  const detail = 'the server answers 401 security_exception: it does not accept REMORA_API_KEY'
  expect(world.healths[0]).toEqual({ state: 'holding', detail })
})

test('each request is counted by its outcome', async () => {
  const script = [failed, malformed, statusOf(503), itemsOf(201, 429, 201, 409), ok]
  const world = worldOf({ answer: ({ number }) => script[number]! })
  expect(await world.deliver(documentsOf(4))).toEqual({
    done: 4,
    duplicates: 1,
    failureStored: 0,
    deadLettered: 0,
    lost: 0,
    held: 0,
    possiblyDuplicated: 0,
  })
  expect(world.outcomes).toEqual(['failed', 'failed', 'overloaded', 'overloaded', 'ok'])
})

describe('how long it waits', () => {
  const most = 1 - 2 ** -53
  async function waitsFor(sent: Sent, times: number): Promise<number[]> {
    const world = worldOf({ random: () => most, answer: ({ number }) => (number < times ? sent : ok) })
    await world.deliver(documentsOf(2))
    return world.attempts.slice(1).map(({ atMs }, index) => atMs - world.attempts[index]!.atMs)
  }

  test.each([
    ['no answer', failed, [250, 500, 1000, 2000, 4000, 8000, limits.retryCapMs, limits.retryCapMs]],
    ['an overload', statusOf(429), [250, 500, 1000, 2000, 4000, 8000, 16_000, limits.overloadCapMs]],
    ['an overload in items', itemsOf(429, 503), [250, 500, 1000, 2000, 4000, 8000, 16_000, limits.overloadCapMs]],
    ['a target to be mended', statusOf(403), [1000, 2000, 4000, 8000, limits.holdCapMs]],
    ['a target to be mended, in items', itemsOf(404, 404), [1000, 2000, 4000, 8000, limits.holdCapMs]],
    ['what the server asks for', statusOf(429, '', 45_000), [45_000, 45_000]],
    ['what it asks for, within reason', statusOf(503, '', 1e9), [10 * limits.overloadCapMs]],
  ] as const)('%s', async (_name, sent, waits) => {
    expect(await waitsFor(sent, waits.length)).toEqual(waits)
  })

  test('some progress begins the waiting anew', async () => {
    const script = [failed, failed, failed, itemsOf(201, 429), itemsOf(429)]
    const world = worldOf({ random: () => most, answer: ({ number }) => script[number] ?? ok })
    await world.deliver(documentsOf(2))
    const waits = world.attempts.slice(1).map(({ atMs }, index) => atMs - world.attempts[index]!.atMs)
    expect(waits).toEqual([250, 500, 1000, limits.progressBaseMs, 500])
  })

  test('a stop ends it', async () => {
    const world = worldOf({ answer: () => statusOf(403) })
    const delivery = world.shipper.deliver(Buffer.from(documentsOf(2).join('')), 100, [2], world.stop.signal, false)
    await setImmediate()
    expect(world.attempts).toHaveLength(1)
    world.stop.abort()
    expect(await delivery).toMatchObject([{ held: 2 }])
    expect(world.clock.nextMs, 'no timer is left').toBe(Infinity)
    expect(world.attempts).toHaveLength(1)
  })

  test('a stop before the first attempt sends nothing', async () => {
    const world = worldOf({ answer: () => ok })
    world.stop.abort()
    expect(await world.deliver(documentsOf(5))).toMatchObject({ done: 0, held: 5 })
    expect(world.attempts).toEqual([])
  })
})

const sentBy = (world: World) => world.attempts.map(({ body }) => idsOf(Buffer.from(body))[0])

/** Lets time pass until all are delivered. */
async function finish(world: World, deliveries: readonly Promise<readonly Delivered[]>[]) {
  const over = { all: false }
  const all = Promise.all(deliveries).finally(() => (over.all = true))
  while (!over.all) {
    await setImmediate()
    if (!over.all && world.clock.nextMs < Infinity) await world.clock.advanceTo(world.clock.nextMs)
  }
  return all
}

const isPoison = (body: string) => body.includes('id-1"')

describe('several batches', () => {
  const bodies = documentsOf(4).map((document) => Buffer.from(document))
  const start = (world: World, at: number) =>
    world.shipper.deliver(bodies[at]!, bodies[at]!.length, [1], world.stop.signal, false)
  test.each([
    ['there is no server', unreached, limits.retryCapMs],
    ['the server has too much to do', statusOf(429), limits.overloadCapMs],
  ] as const)('%s: together they ask no oftener than one', async (_name, answer, capMs) => {
    const most = 1 - 2 ** -53
    const world = worldOf({
      random: () => most,
      concurrencyMax: 4,
      answer: ({ number }) => (number < 20 ? answer : ok),
    })
    await finish(
      world,
      [0, 1, 2, 3].map((at) => start(world, at)),
    )
    const waits = world.attempts.slice(1, 21).map(({ atMs }, index) => atMs - world.attempts[index]!.atMs)
    expect(waits.slice(0, 5)).toEqual([250, 500, 1000, 2000, 4000])
    expect(waits.slice(8).every((ms) => ms === capMs)).toBe(true)
  })

  test('what one of them finds to be mended the others try at once', async () => {
    let broken = true
    const world = worldOf({ random: () => 0.9, answer: () => (broken ? itemsOf([403, 'security_exception']) : ok) })
    const deliveries = [0, 1, 2].map((at) => start(world, at))
    await world.clock.advanceTo(60_000)
    broken = false
    const before = world.attempts.length
    await world.clock.advanceTo(world.clock.nextMs)
    await setImmediate()
    expect(world.attempts.length - before).toBe(3)
    await finish(world, deliveries)
  })

  test.each([
    ['a large one is too large for this server, and given up', 100_000, 1],
    ['a small one had no luck, and is never given up', 100, 0],
  ])('others pass, and one is put off again and again: %s', async (_, bytes, letters) => {
    const poison = documentsOf(2, () => bytes)[1]!
    const world = worldOf({ answer: ({ body }) => (isPoison(body) ? statusOf(429) : ok), concurrencyMax: 2 })
    const delivery = world.shipper.deliver(Buffer.from(poison), poison.length, [1], world.stop.signal, false)
    for (let n = 0; n < 200 && world.letters.length === 0; n++) {
      await world.clock.advanceTo(world.clock.nowMs + 5_000)
      await finish(world, [start(world, 3)])
    }
    expect(world.letters).toHaveLength(letters)
    world.stop.abort()
    await finish(world, [delivery])
  })

  test('one that is refused for itself does not hold up the others', async () => {
    const world = worldOf({
      answer: ({ body }) => (isPoison(body) ? itemsOf([400, 'illegal_argument_exception']) : ok),
    })
    const deliveries = [0, 1, 2].map((at) => start(world, at))
    await setImmediate()
    expect(sentBy(world)).toEqual([0, 1, 2])
    // Others pass, again and again: so it is the document.
    while (world.letters.length === 0 && world.clock.nowMs < 600_000) {
      await world.clock.advanceTo(world.clock.nowMs + 5_000)
      await start(world, 3)
    }
    expect(world.letters).toMatchObject([{ status: 400, errorType: 'illegal_argument_exception' }])
    expect(await finish(world, deliveries)).toMatchObject([[{ done: 1 }], [{ deadLettered: 1 }], [{ done: 1 }]])
  })

  test('while nothing else passes no document is given up', async () => {
    const world = worldOf({ answer: () => itemsOf([400, 'illegal_argument_exception']) })
    const delivery = start(world, 0)
    await world.clock.advanceTo(86_400_000)
    world.stop.abort()
    expect(await delivery).toMatchObject([{ held: 1 }])
    expect(world.letters).toEqual([])
  })
})

test.each([
  ['Document contains at least one immense term in field="message" (whose UTF8 encoding is longer than 32766)', 1],
  ['Limit of total fields [1000] has been exceeded', 1],
  ['pipeline with id [x] does not exist', 0],
])('a type that says nothing, alone: the words do: %s', async (reason, refused) => {
  const refusal = { status: 400, errorType: 'illegal_argument_exception' }
  const world = worldOf({
    answer: ({ number }) => (number === 0 ? itemsOf([400, 'illegal_argument_exception']) : ok),
    reason: () => ({ kind: 'answered', answer: { kind: 'items', items: [{ ...refusal, reason }] } }),
  })
  expect(await world.deliver(documentsOf(1))).toMatchObject({ done: 1 - refused, deadLettered: refused })
  expect(world.letters).toMatchObject(refused === 1 ? [{ ...refusal, reason }] : [])
})

test('refused documents are asked for their reason, some of each type; one that is taken then is there', async () => {
  const types = ['document_parsing_exception', 'strict_dynamic_mapping_exception']
  const documents = documentsOf(100)
  const asked: number[] = []
  const world = worldOf({
    answer: () => itemsOf(201, ...documents.slice(1).map((_, at) => [400, types[at < 90 ? 0 : 1]!] as const)),
    reason: (body) => {
      const [id] = idsOf(Buffer.from(body))
      asked.push(id!)
      if (id === 5) return ok
      const errorType = types[id! <= 90 ? 0 : 1]!
      return { kind: 'answered', answer: { kind: 'items', items: [{ status: 400, errorType, reason: `no ${id}` }] } }
    },
  })
  expect(await world.deliver(documents)).toMatchObject({ done: 2, deadLettered: 98 })
  expect(asked).toEqual([...Array.from({ length: limits.refusalReasonsMax }, (_, at) => at + 1), 91])
  expect(world.letters.find(({ action }) => action.includes('id-91'))).toMatchObject({ reason: 'no 91' })
  expect(world.letters.find(({ action }) => action.includes('id-60'))).toMatchObject({ reason: undefined })
})

const illegal = [400, 'illegal_argument_exception'] as const
const broken = (body: string) => /id-[13]"/.test(body)
const reasonOf = (reason: string) => () =>
  ({
    kind: 'answered',
    answer: { kind: 'items', items: [{ status: 400, errorType: 'illegal_argument_exception', reason }] },
  }) as const

describe('of several indices one is broken', () => {
  test('its documents are held beside others that pass, for as long as it takes', async () => {
    const world = worldOf({
      severalIndices: true,
      answer: ({ body, atMs }) => {
        const ids = idsOf(Buffer.from(body))
        return itemsOf(...ids.map((id) => (atMs < 600_000 && (id === 1 || id === 3) ? illegal : 201)))
      },
      reason: reasonOf('pipeline with id [enrich] does not exist'),
    })
    const delivered = world.deliver(documentsOf(5))
    for (let more = 0; more < 100; more++) {
      await world.clock.advanceTo(world.clock.nowMs + 5_000)
      await world.shipper.deliver(
        Buffer.from(documentsOf(1)[0]!),
        documentsOf(1)[0]!.length,
        [1],
        world.stop.signal,
        false,
      )
      expect(world.healths.at(-1), 'it stays so while any is held').toMatchObject({ state: 'holding' })
    }
    expect(await delivered).toMatchObject({ done: 5, deadLettered: 0 })
    expect(world.healths.at(-1)).toEqual({ state: 'ok' })
    expect(world.letters).toEqual([])
  })

  test('unless the words blame a document: that one only', async () => {
    const world = worldOf({
      severalIndices: true,
      answer: ({ body }) => {
        const ids = idsOf(Buffer.from(body))
        return itemsOf(...ids.map((id) => (broken(`id-${id}"`) ? illegal : 201)))
      },
      reason: reasonOf('Document contains at least one immense term in field="message"'),
    })
    expect(await world.deliver(documentsOf(5))).toMatchObject({ done: 3, deadLettered: 2 })
    expect(world.attempts.map(({ documents }) => documents)).toEqual([5, 1])
  })
})

test('nor of each of many types', async () => {
  let asked = 0
  const world = worldOf({
    answer: () => itemsOf(201, ...Array.from({ length: 99 }, (_, at) => [400, `type_${at}`] as const)),
    reason: () => (asked++, itemsOf([400, 'another'])),
  })
  expect(await world.deliver(documentsOf(100))).toMatchObject({ done: 1, deadLettered: 99 })
  expect(asked).toBeLessThanOrEqual(limits.refusalReasonsMax)
})

test('who does not answer why is not asked again in the same batch', async () => {
  let asked = 0
  const world = worldOf({
    answer: () => itemsOf(201, ...Array.from({ length: 9 }, (_, at) => [400, `type_${at}`] as const)),
    reason: () => (asked++, failed),
  })
  expect(await world.deliver(documentsOf(10))).toMatchObject({ done: 1, deadLettered: 9 })
  expect(asked).toBe(1)
})

test('what a failure store took is there, and counted', async () => {
  const stored = { status: 201, errorType: '', failureStored: true as const }
  const items = [{ status: 201, errorType: '' }, stored, stored]
  const world = worldOf({ answer: () => ({ kind: 'answered', answer: { kind: 'items', items } }) })
  expect(await world.deliver(documentsOf(3))).toMatchObject({ done: 3, failureStored: 2, deadLettered: 0 })
})

test('a document that is put off by itself lets the rest of its batch go first, and is given up when others pass', async () => {
  const documents = documentsOf(40, (index) => (index === 3 ? 70_000 : 40))
  const world = worldOf({
    batchBytes: 4096,
    answer: ({ body }) => (body.includes('id-3"') ? statusOf(429, 'es_rejected_execution_exception') : ok),
  })
  const delivered = world.deliver(documents)
  for (let more = 0; more < 40; more++) {
    await world.clock.advanceTo(world.clock.nowMs + 10_000)
    await world.shipper.deliver(Buffer.from(documents[0]!), documents[0]!.length, [1], world.stop.signal, false)
  }
  expect(await delivered).toMatchObject({ done: 39, deadLettered: 1 })
  expect(world.letters).toMatchObject([{ status: 429, action: '{"create":{"_id":"id-3"}}' }])
})

test('an attempt at the next node waits for nothing', async () => {
  const world = worldOf({ nodes: 3, answer: ({ number }) => (number < 4 ? unreached : ok) })
  await world.deliver(documentsOf(2))
  const waits = world.attempts.slice(1).map(({ atMs }, index) => atMs - world.attempts[index]!.atMs)
  expect(waits).toEqual([0, 0, 125, 250])
})

test('whoever waits tries at once when the connection has changed', async () => {
  const script = [statusOf(401), statusOf(401), unreached, unreached, ok]
  const world = worldOf({ random: () => 0.9, answer: ({ number }) => script[number]! })
  const delivery = world.shipper.deliver(Buffer.from(documentsOf(1)[0]!), 60, [1], world.stop.signal, false)
  for (let attempt = 1; attempt <= 5; attempt++) {
    await setImmediate()
    await setImmediate()
    expect(world.attempts).toHaveLength(attempt)
    world.shipper.wake()
  }
  expect(await delivery).toMatchObject([{ done: 1 }])
  expect(world.clock.nowMs).toBe(1_000)
})

describe('a document that is refused', () => {
  const letter = { status: 400, errorType: 'document_parsing_exception', reason: undefined, target: 'logs' }
  const [first, second, third] = documentsOf(3)

  test('is kept with what it was refused for, and the others are there', async () => {
    const world = worldOf({ answer: () => itemsOf(201, [400, 'document_parsing_exception'], 201) })
    expect(await world.deliver([first!, second!, third!])).toEqual({
      done: 2,
      duplicates: 0,
      failureStored: 0,
      deadLettered: 1,
      lost: 0,
      held: 0,
      possiblyDuplicated: 0,
    })
    const [action, source] = second!.split('\n')
    expect(world.letters).toEqual([{ ...letter, action, source }])
  })

  test('and cannot be kept is counted as lost', async () => {
    const world = worldOf({
      answer: () => itemsOf(201, [400, 'document_parsing_exception'], 201),
      keep: () => 'ENOSPC',
    })
    expect(await world.deliver([first!, second!, third!])).toMatchObject({ done: 2, deadLettered: 0, lost: 1 })
  })

  test('too large by itself is found by halving', async () => {
    const world = worldOf({ answer: ({ body }) => (body.includes('id-5"') ? statusOf(413) : ok) })
    expect(await world.deliver(documentsOf(8))).toMatchObject({ done: 7, deadLettered: 1 })
    expect(world.letters).toMatchObject([{ status: 413, action: '{"create":{"_id":"id-5"}}' }])
    expect(world.attempts.map(({ body }) => idsOf(Buffer.from(body)).join())).toEqual([
      '0,1,2,3,4,5,6,7',
      '0,1,2,3',
      '4,5,6',
      '4',
      '5',
      '5',
      '5',
      '6',
      '7',
    ])
  })
})

test('a whole batch that is refused is walked through once', async () => {
  const documents = documentsOf(1000, () => 10)
  const body = Buffer.from(documents.join(''))
  const searches = vi.spyOn(body, 'indexOf')
  const refused: Sent = itemsOf(...documents.map(() => [400, 'document_parsing_exception'] as const))
  const world = worldOf({ answer: () => refused })
  expect(await world.deliver(documents, body)).toMatchObject({ deadLettered: 1000 })
  expect(searches.mock.calls.length).toBeLessThanOrEqual(8 * documents.length)
})
