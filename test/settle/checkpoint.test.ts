import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkpointDelayMs, type State } from '../../src/settle/checkpoint.ts'
import { deserialize, serialize } from '../../src/settle/state-text.ts'
import { numberOf, stateOf } from './states.ts'
import { numberIn, StateWorld } from './world.ts'

const [newest, previous] = ['checkpoint.json', 'checkpoint.previous.json']
const good = serialize(stateOf(2))
const older = serialize(stateOf(1))
const cut = good.slice(0, -7)
const future = '{"remora":"checkpoint","version":9}\n{}\n'
const aside = (world: StateWorld, name: string) => `${name}.unreadable-${world.clock.wallMs}`

describe('what is loaded', () => {
  test.each([
    ['nothing', {}, 0, []],
    ['the newest', { [newest]: good, [previous]: older }, 2, []],
    ['the newest, whatever the one before is', { [newest]: good, [previous]: cut }, 2, []],
    ['the one before, after a crash between two renames', { [previous]: older }, 1, []],
    ['the one before, when the newest is cut', { [newest]: cut, [previous]: older }, 1, [newest]],
    ['the one before, when the newest is empty', { [newest]: '', [previous]: older }, 1, [newest]],
    ['the one before, when the newest is from the future', { [newest]: future, [previous]: older }, 1, [newest]],
    ['nothing, when the only one is cut', { [newest]: cut }, 0, [newest]],
    ['nothing, when both are cut', { [newest]: cut, [previous]: '' }, 0, [newest, previous]],
    ['nothing, when both are from the future', { [newest]: future, [previous]: future }, 0, [newest, previous]],
  ] as const)('%s', (_name, texts, number, setAside) => {
    const world = new StateWorld()
    for (const [name, text] of Object.entries(texts)) world.write(name, text)
    const loaded = world.open().load()
    expect(numberIn(loaded)).toBe(number)
    expect(loaded.unreadable.map(({ path, keptAs }) => [path, keptAs])).toEqual(
      setAside.map((name) => [world.at(name), world.at(aside(world, name))]),
    )
    expect(loaded.unreadable.map((each) => each.future)).toEqual(
      setAside.map((name) => (texts as Record<string, string>)[name] === future),
    )
    for (const [name, text] of Object.entries(texts)) {
      const moved = setAside.some((other) => other === name)
      expect(world.textOf(moved ? aside(world, name) : name), `${name} is kept`).toBe(text)
      expect(world.textOf(name)).toBe(moved ? undefined : text)
    }
  })

  test('one that the disk does not give is set aside as well, before it is written over', () => {
    const world = new StateWorld()
    world.write(newest, good)
    world.write(previous, older)
    world.broken.set(`readText ${newest}`, 'EIO')
    expect(numberIn(world.open().load())).toBe(1)
    expect(world.textOf(aside(world, newest))).toBe(good)
  })

  test('one that may be neither read nor moved is said to stay', () => {
    const world = new StateWorld()
    world.write(newest, good)
    world.broken.set(`readText ${newest}`, 'EACCES').set('rename', 'EACCES')
    const path = world.at(newest)
    expect(world.open().load()).toMatchObject({
      newest: undefined,
      unreadable: [{ path, keptAs: path, why: 'EACCES: readText' }],
    })
    expect(world.textOf(newest)).toBe(good)
  })

  test('what was set aside does not come back, and is not written over by a clock that was set back', async () => {
    const world = new StateWorld()
    for (const text of [cut, '', future]) {
      world.write(newest, text)
      world.open().load()
    }
    await world.open().write(stateOf(3))
    await world.open().write(stateOf(4))
    expect(world.number).toBe(4)
    const kept = world.names.filter((name) => name.includes('unreadable')).map((name) => world.textOf(name))
    expect(new Set(kept)).toEqual(new Set([cut, '', future]))
    expect(kept).toHaveLength(3)
  })
})

test('a disk that damages every checkpoint is not filled with them: the newest are kept', () => {
  const world = new StateWorld()
  for (let time = 0; time < 50; time++) {
    world.write(newest, `damaged ${time}`)
    fs.utimesSync(world.at(newest), time, time)
    world.open().load()
  }
  const kept = world.names.map((name) => world.textOf(name))
  expect(new Set(kept)).toEqual(new Set(Array.from({ length: 20 }, (_, at) => `damaged ${at + 30}`)))
})

describe('the instance', () => {
  test('is in a file of its own, which outlives the checkpoint', async () => {
    const world = new StateWorld()
    await world.open().write({ ...stateOf(1), sinceMs: Date.UTC(2026, 0, 2) })
    expect(world.textOf('instance')).toBe('here\nsince 2026-01-02T00:00:00.000Z\n')
    world.write(newest, 'x')
    world.write(previous, 'x')
    expect(world.open().load()).toMatchObject({
      newest: undefined,
      installation: { instance: 'here', sinceMs: Date.UTC(2026, 0, 2) },
    })
  })

  test('is written once, and not before the checkpoint', async () => {
    const world = new StateWorld()
    const checkpoint = world.open()
    world.broken.set('replace instance', 'ENOSPC')
    expect(await checkpoint.write(stateOf(1))).toBe(false)
    expect([world.textOf('instance'), world.number]).toEqual([undefined, 1])
    world.broken.clear()
    await checkpoint.write(stateOf(2))
    expect(world.textOf('instance')).toBe('here\n')
    world.write('instance', 'by-hand')
    const next = world.open()
    next.load()
    await next.write(stateOf(3))
    expect(world.textOf('instance')).toBe('by-hand')
  })

  test.each([[''], ['two words'], ['x'.repeat(65)], ['\0'], ['ä'], ['x'.repeat(5000)]])(
    '%j is none: it is set aside',
    async (text) => {
      const world = new StateWorld()
      world.write('instance', text)
      const checkpoint = world.open()
      expect(checkpoint.load()).toMatchObject({
        installation: undefined,
        unreadable: [{ path: world.at('instance'), keptAs: world.at(aside(world, 'instance')) }],
      })
      await checkpoint.write(stateOf(1))
      expect(world.textOf('instance')).toBe('here\n')
      expect(world.textOf(aside(world, 'instance'))).toBe(text)
    },
  )

  test.each([
    ['here', undefined],
    ['here\n', undefined],
    ['here\r\nsince 2026-01-02T00:00:00Z\r\n', Date.UTC(2026, 0, 2)],
    ['here\nsince yesterday\n', undefined],
    ['here\nsince 2026-99-99\n', undefined],
  ])('%j says since when: %j', (text, sinceMs) => {
    const world = new StateWorld()
    world.write('instance', text)
    expect(world.open().load().installation).toEqual({ instance: 'here', sinceMs })
  })
})

describe('writing', () => {
  test('keeps the one before', async () => {
    const world = new StateWorld()
    const checkpoint = world.open()
    for (const number of [1, 2, 3]) expect(await checkpoint.write(stateOf(number))).toBe(true)
    const numbers = [newest, previous].map((name) => numberOf(deserialize(world.textOf(name)!).state))
    expect(numbers).toEqual([3, 2])
    expect(checkpoint.writtenAtMs).toBe(world.clock.wallMs)
    expect(world.names).toEqual([newest, previous, 'instance'])
  })

  test('one at a time, in the order in which they were asked for', async () => {
    const world = new StateWorld()
    const checkpoint = world.open()
    const gates = [1, 2, 3].map(() => Promise.withResolvers<void>())
    world.gates.push(...gates.map(({ promise }) => promise))
    const writes = [1, 2, 3, 4].map((number) => checkpoint.write(stateOf(number)))
    for (const { resolve } of gates) resolve()
    expect(await Promise.all(writes)).toEqual([true, true, true, true])
    expect([newest, previous].map((name) => numberOf(deserialize(world.textOf(name)!).state))).toEqual([4, 3])
  })

  test('a disk that refuses is said once for each reason, leaves what was there, and once more when it takes again', async () => {
    const world = new StateWorld()
    const checkpoint = world.open()
    await checkpoint.write(stateOf(1))
    for (const [code, times] of [
      ['ENOSPC', 3],
      ['EROFS', 2],
    ] as const) {
      world.broken.set('replace', code)
      for (let time = 0; time < times; time++) expect(await checkpoint.write(stateOf(2))).toBe(false)
    }
    expect(checkpoint).toMatchObject({ failures: 5, failuresInARow: 5 })
    expect(world.reports.map(({ code, wayOut }) => [code, wayOut])).toEqual([
      ['CHECKPOINT_FAILED', expect.stringMatching(/Shipping goes on.*Make room/)],
      ['CHECKPOINT_FAILED', expect.stringMatching(/Mount a writable volume/)],
    ])
    expect(world.number).toBe(1)
    world.broken.clear()
    for (const number of [3, 4]) expect(await checkpoint.write(stateOf(number))).toBe(true)
    expect(world.codes.slice(2)).toEqual(['CHECKPOINT_RECOVERED'])
    expect(checkpoint, 'the count of failures goes on, the wait begins anew').toMatchObject({
      failures: 5,
      failuresInARow: 0,
    })
  })

  test('a state that could not be read again is reported, and what was there stays', async () => {
    const world = new StateWorld()
    const checkpoint = world.open()
    await checkpoint.write(stateOf(1))
    const [generation] = stateOf(1).generations
    const far: State = { ...stateOf(1), generations: Array.from({ length: 150_001 }, () => generation!) }
    expect(await checkpoint.write(far)).toBe(false)
    expect(world.reports[0]?.message).toMatch(/150001 generations/)
    expect(world.number).toBe(1)
  })
})

test.each([
  [0, 1000],
  [1, 2000],
  [4, 16_000],
  [5, 30_000],
  [1e6, 30_000],
])('after %i failures the next write is %i ms away', (failures, delayMs) => {
  expect(checkpointDelayMs(failures)).toBe(delayMs)
})

test("a state that cannot be made is a fault of ours, not the disk's: it is not tried again and again", async () => {
  const world = new StateWorld()
  const checkpoint = world.open()
  await checkpoint.write(stateOf(1))
  const generations = {
    [Symbol.iterator](): never {
      throw new Error('assertion failed: a frontier moves forwards')
    },
  }
  await expect(checkpoint.write({ ...stateOf(2), generations })).rejects.toThrow('moves forwards')
  expect(checkpoint.failures).toBe(0)
  expect(numberIn(world.open().load()), 'the one before is still there').toBe(1)
})
