import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { messageOf } from '../../src/base/errors.ts'
import { Arena } from '../../src/queue/arena.ts'
import { runs } from '../base/runs.ts'

interface Slot {
  readonly number: number
}

/** What an arena is: so many slots may exist, these are held by somebody, these by nobody. */
interface Model {
  readonly slots: number
  readonly held: Slot[]
  readonly free: Slot[]
}

interface Step {
  readonly kind: 'take' | 'give' | 'give again'
  readonly which: number
}

/** Takes one step in both, and says what is wrong with what the arena did. */
function step({ slots, held, free }: Model, arena: Arena<Slot>, { kind, which }: Step): string {
  if (kind === 'take') {
    const slot = arena.take()
    if (slot === undefined) return held.length === slots ? '' : 'there is a free slot'
    if (held.includes(slot)) return 'somebody has it'
    if (free.length > 0 && !free.includes(slot)) return 'it was made although one was free'
    held.push(slot)
    free.splice(0, free.length, ...free.filter((other) => other !== slot))
    return held.length + free.length > slots ? 'there are too many' : ''
  }
  if (kind === 'give') {
    if (held.length === 0) return ''
    const [slot] = held.splice(which % held.length, 1)
    free.push(slot!)
    arena.give(slot!)
    return ''
  }
  const slot = free[which % free.length]
  try {
    if (slot !== undefined) arena.give(slot)
    return slot === undefined ? '' : 'it was given back already'
  } catch (error) {
    return messageOf(error) === 'assertion failed: a slot is given back once' ? '' : messageOf(error)
  }
}

test('no two hold one slot, whatever the order of taking and giving', () => {
  const steps = fc.array(fc.record({ kind: fc.constantFrom('take', 'take', 'give', 'give again'), which: fc.nat() }), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), steps, (slots, all) => {
      let made = 0
      const arena = new Arena<Slot>(slots, () => ({ number: made++ }))
      const model: Model = { slots, held: [], free: [] }
      for (const each of all) {
        expect(step(model, arena, each)).toBe('')
        expect([arena.taken, arena.made]).toEqual([model.held.length, made])
      }
      expect(made).toBe(model.held.length + model.free.length)
    }),
    runs(1000),
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
