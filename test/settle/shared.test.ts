import { expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { stateOf } from './states.ts'
import { StateWorld } from './world.ts'

test('of two in one directory the one that started last goes on, and the other says so once', async () => {
  const world = new StateWorld()
  const [first, second] = [world.open('first'), world.open('second')]
  await first.write(stateOf(1))
  second.load()
  expect(await second.write(stateOf(2))).toBe(true)
  for (let time = 0; time < 5; time++) {
    expect(await first.write(stateOf(3))).toBe(false)
    expect(await second.write(stateOf(4 + time))).toBe(true)
  }
  expect(world.number).toBe(8)
  expect(world.codes).toEqual(['STATE_SHARED'])
  expect(first.failures, 'metrics show it').toBe(5)
})

test('whatever the order in which two write, one of them goes on and not both', async () => {
  for (let order = 0; order < 2 ** 6; order++) {
    const world = new StateWorld()
    const both = [world.open('first'), world.open('second')]
    for (let bit = 0; bit < 6; bit++) await both[(order >> bit) & 1]!.write(stateOf(bit))
    // At once: each may take the other's half-written file away.
    await Promise.all(both.map((each) => each.write(stateOf(9))))
    for (const each of both) await each.write(stateOf(9))
    const then = [await both[0]!.write(stateOf(10)), await both[1]!.write(stateOf(11))]
    expect(then.filter(Boolean), `order ${order.toString(2)}`).toHaveLength(1)
  }
})

test('from one that is silent for long it is taken back', async () => {
  const world = new StateWorld()
  const [first, second] = [world.open('first'), world.open('second')]
  await first.write(stateOf(1))
  await second.write(stateOf(2))
  await first.write(stateOf(3))
  await world.clock.advanceTo(world.clock.nowMs + limits.stateYieldMs)
  await second.write(stateOf(4))
  expect(await first.write(stateOf(5)), 'it has just written').toBe(false)
  await world.clock.advanceTo(world.clock.nowMs + limits.stateYieldMs)
  expect(await first.write(stateOf(6))).toBe(true)
  expect(await second.write(stateOf(7))).toBe(false)
  expect(world.number).toBe(6)
  expect(world.codes).toEqual(['STATE_SHARED', 'STATE_TAKEN_BACK', 'STATE_SHARED'])
})

test('a restart takes over what the last run has left, without a word', async () => {
  const world = new StateWorld()
  for (const run of ['one', 'two', 'three']) {
    const checkpoint = world.open(run)
    checkpoint.load()
    for (const number of [1, 2]) expect(await checkpoint.write(stateOf(number))).toBe(true)
  }
  expect(world.codes).toEqual([])
})
