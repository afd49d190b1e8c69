import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Arena } from '../../src/queue/arena.ts'
import { runs } from '../base/runs.ts'

interface Slot {
  readonly number: number
}

/** What an arena is: so many slots exist, these of them are held. */
interface Model {
  readonly slots: number
  made: number
  readonly held: Slot[]
  readonly free: Slot[]
}

class Take implements fc.Command<Model, Arena<Slot>> {
  check = () => true
  run(model: Model, arena: Arena<Slot>): void {
    const slot = arena.take()
    if (model.held.length === model.slots) return expect(slot).toBeUndefined()
    expect(slot).toBeDefined()
    expect(model.held, 'nobody else has it').not.toContain(slot)
    const index = model.free.indexOf(slot!)
    if (index === -1) {
      expect(model.free, 'none is made while one is free').toEqual([])
      model.made++
    } else {
      model.free.splice(index, 1)
    }
    model.held.push(slot!)
    agree(model, arena)
  }
  toString = () => 'take'
}

class Give implements fc.Command<Model, Arena<Slot>> {
  readonly #which: number
  constructor(which: number) {
    this.#which = which
  }
  check = (model: Readonly<Model>) => model.held.length > 0
  run(model: Model, arena: Arena<Slot>): void {
    const [slot] = model.held.splice(this.#which % model.held.length, 1)
    arena.give(slot!)
    model.free.push(slot!)
    agree(model, arena)
  }
  toString = () => `give ${this.#which}`
}

class GiveAgain implements fc.Command<Model, Arena<Slot>> {
  readonly #which: number
  constructor(which: number) {
    this.#which = which
  }
  check = (model: Readonly<Model>) => model.free.length > 0
  run(model: Model, arena: Arena<Slot>): void {
    expect(() => arena.give(model.free[this.#which % model.free.length]!)).toThrow('given back once')
    agree(model, arena)
  }
  toString = () => `give again ${this.#which}`
}

function agree(model: Model, arena: Arena<Slot>): void {
  expect({ slots: arena.slots, made: arena.made, taken: arena.taken }).toEqual({
    slots: model.slots,
    made: model.made,
    taken: model.held.length,
  })
}

test('no two hold one slot, whatever the order of taking and giving', () => {
  const commands = fc.commands(
    [
      fc.constant(new Take()),
      fc.nat(9).map((which) => new Give(which)),
      fc.nat(9).map((which) => new GiveAgain(which)),
    ],
    { maxCommands: 60 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), commands, (slots, steps) => {
      let made = 0
      const setup = () => ({
        model: { slots, made: 0, held: [], free: [] },
        real: new Arena<Slot>(slots, () => ({ number: made++ })),
      })
      fc.modelRun(setup, steps)
      expect(made).toBeLessThanOrEqual(slots)
    }),
    runs(500),
  )
})

test('slots are made when they are needed', () => {
  let made = 0
  const arena = new Arena(3, () => ({ number: made++ }))
  expect(made).toBe(0)
  const slot = arena.take()!
  arena.give(slot)
  expect(arena.take(), 'the one whose pages are still in the cache').toBe(slot)
  expect(made).toBe(1)
})

test('more than was made is not taken back', () => {
  const arena = new Arena(2, () => ({ number: 1 }))
  expect(() => arena.give({ number: 2 })).toThrow('given back once')
  arena.give(arena.take()!)
  expect(() => arena.give({ number: 2 })).toThrow('given back once')
})

test('a slot that cannot be allocated does not count as made', () => {
  let fail = true
  const arena = new Arena(1, () => {
    if (fail) throw new RangeError('WebAssembly.Memory(): could not allocate memory')
    return { number: 1 }
  })
  expect(() => arena.take()).toThrow('could not allocate')
  expect({ made: arena.made, taken: arena.taken }).toEqual({ made: 0, taken: 0 })
  fail = false
  expect(arena.take()).toEqual({ number: 1 })
})

test('an arena has a slot', () => expect(() => new Arena(0, () => 1)).toThrow('at least one slot'))
