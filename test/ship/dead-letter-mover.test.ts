import { beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { Mover } from '../../src/ship/letters/mover.ts'
import type { Sent } from '../../src/ship/transport.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { itemsOf, ok, unreached } from './harness.ts'
import { LetterDisk, lettersOn, refusedOf, stateDir } from './letters-kit.ts'

let world: LetterDisk
let clock: VirtualClock
let requests: { atMs: number; body: string }[]
let said: (string | undefined)[]
let answer: (documents: number) => Sent | Promise<Sent>
let mover: Mover

beforeEach(() => {
  world = new LetterDisk()
  clock = new VirtualClock()
  requests = []
  said = []
  answer = () => ok
  mover = new Mover({
    disk: world.disk,
    clock: clock.view(() => true),
    random: () => 0.5,
    stateDir,
    index: 'dead',
    stuck: (why) => said.push(why),
    wire: {
      send: async (body, documents, signal) => {
        requests.push({ atMs: clock.nowMs, body: body.toString() })
        const aborted = new Promise<Sent>((resolve) => signal.addEventListener('abort', () => resolve(unreached)))
        return Promise.race([answer(documents), aborted])
      },
      lookup: {
        indices: () => Promise.resolve({ kind: 'answered', value: ['dead'] }),
        present: (_index, ids) => Promise.resolve({ kind: 'answered', value: ids.map(() => false) }),
      },
    },
  })
})

let number = 0
/** Puts a letter down, as the agent does. */
function put(): void {
  expect(lettersOn(world.disk, 2 ** 20).keep(refusedOf(number++))).toBeUndefined()
  mover.ring()
}

const pass = (ms: number) => clock.advanceTo(clock.nowMs + ms)

test('letters come to the index as reports, many at once, and leave the directory', async () => {
  put()
  mover.start()
  await pass(2_000)
  expect(requests).toHaveLength(1)
  for (let more = 0; more < 10; more++) put()
  await pass(2_000)
  expect(requests).toHaveLength(2)
  const lines = requests[1]!.body.trim().split('\n')
  expect(lines).toHaveLength(20)
  expect(JSON.parse(lines[1]!)).toMatchObject({
    event: { kind: 'pipeline_error' },
    error: { message: 'mapping set to strict' },
  })
  expect(world.ids()).toEqual([])
  expect(mover.moved).toBe(11)
  expect(clock.nextMs, 'nothing is asked of an empty directory').toBe(Infinity)
})

test('an index that is not there for an hour is asked ever less, said, and gets all of them then', async () => {
  answer = () => unreached
  mover.start()
  for (let minute = 0; minute < 60; minute++) {
    put()
    await pass(60_000)
  }
  expect(world.ids()).toHaveLength(60)
  expect(said).toContain('connect ECONNREFUSED')
  expect(requests.length).toBeLessThan(60 * limits.replayTriesMax)
  answer = () => ok
  await pass(2 * limits.letterMoveRetryMaxMs)
  expect(world.ids()).toEqual([])
  expect(mover.moved).toBe(60)
  expect(said.at(-1)).toBeUndefined()
})

test('what the index refuses stays as it was, is left alone, and holds nothing up', async () => {
  answer = () => itemsOf([400, 'strict_dynamic_mapping_exception'])
  put()
  const before = world.letters()
  mover.start()
  await pass(2_000)
  expect(world.letters()).toEqual(before)
  expect(said.at(-1)).toContain('strict_dynamic_mapping_exception')
  answer = () => ok
  put()
  await pass(limits.letterMoveRetryMs + 2_000)
  expect(world.letters()).toEqual(before)
  expect(mover.moved).toBe(1)
  const asked = requests.length
  await pass(limits.letterRefusedRetryMs - 60_000)
  expect(requests).toHaveLength(asked)
  await pass(120_000)
  expect(world.ids()).toEqual([])
})

test('a disk that fails ends nothing', async () => {
  put()
  world.before = () => {
    throw new Error('EIO')
  }
  mover.start()
  await pass(10_000)
  expect(said.at(-1)).toContain('EIO')
  world.before = () => {}
  await pass(60_000)
  expect(world.ids()).toEqual([])
})

describe('at the end', () => {
  test('what is there is tried once more', async () => {
    mover.start()
    await pass(2_000)
    put()
    await mover.stop(new AbortController().signal)
    expect(world.ids()).toEqual([])
  })

  test.each<[string, () => Sent | Promise<Sent>]>([
    ['hangs', () => new Promise<Sent>(() => {})],
    ['is not there', () => unreached],
  ])('an index that %s is not waited for', async (_how, how) => {
    answer = how
    mover.start()
    put()
    await pass(1_500)
    const state = { over: false }
    const stopped = mover.stop(new AbortController().signal).then(() => (state.over = true))
    await pass(limits.letterLastMs + 1)
    expect(state.over).toBe(true)
    await stopped
    expect(world.ids()).toHaveLength(1)
  })

  test('at once when it is told to', async () => {
    answer = () => new Promise<Sent>(() => {})
    put()
    mover.start()
    await pass(1_500)
    const cut = new AbortController()
    const stopped = mover.stop(cut.signal)
    cut.abort()
    await stopped
    expect(world.ids()).toHaveLength(1)
  })
})
