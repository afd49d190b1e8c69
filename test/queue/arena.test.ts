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

/** What a slot is of: which shape; and what the arena must keep to while its bound moves. */
interface Shaped {
  readonly shape: number
}

const moves = fc.array(
  fc.record({
    kind: fc.constantFrom('take', 'take', 'take', 'give', 'give', 'resize', 'reshape', 'trim', 'collect'),
    which: fc.nat({ max: 1000 }),
  }),
  { maxLength: 80 },
)

interface Moved {
  readonly arena: Arena<Shaped>
  readonly held: Shaped[]
  shape: number
  /** Of those that exist, and those that are dropped and not collected: both are memory. */
  most: number
}

const makeOf = (shape: number) => () => ({ shape })

/** What is wrong with a slot that was taken, or with that there was none. */
function taken({ arena, held, shape }: Moved): string {
  const before = arena.made + arena.dropped
  const slot = arena.take()
  if (slot === undefined) return held.length >= arena.slots || before >= arena.slots ? '' : 'there is room for one'
  if (held.includes(slot)) return 'somebody has it'
  held.push(slot)
  if (slot.shape !== shape) return 'it is of an old shape'
  return held.length > arena.slots ? 'there are too many' : ''
}

/** Takes one step, and says what is wrong. */
function move(moved: Moved, kind: string, which: number): string {
  const { arena, held } = moved
  const before = arena.made + arena.dropped
  if (kind === 'take') {
    const wrong = taken(moved)
    if (wrong !== '') return wrong
  }
  if (kind === 'give' && held.length > 0) arena.give(held.splice(which % held.length, 1)[0]!)
  if (kind === 'resize') arena.resize(1 + (which % 6))
  if (kind === 'reshape') arena.reshape(1 + (which % 6), makeOf(++moved.shape))
  if (kind === 'trim') arena.trim()
  if (kind === 'collect') arena.collected()
  const after = arena.made + arena.dropped
  moved.most = Math.max(kind === 'collect' ? arena.made : moved.most, arena.slots)
  if (arena.taken !== held.length) return `${arena.taken} are taken, and ${held.length} held`
  if (kind !== 'take' && after > before) return 'one is made that nobody takes'
  return after > Math.max(moved.most, before) ? 'there is more memory than the larger bound allows' : ''
}

test('whatever its bound and shape do: never more than the larger bound, none of an old shape, none of two', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), moves, (slots, all) => {
      const moved: Moved = { arena: new Arena<Shaped>(slots, makeOf(0)), held: [], shape: 0, most: slots }
      for (const { kind, which } of all) expect(move(moved, kind, which)).toBe('')
      const { arena, held } = moved
      for (const slot of held) arena.give(slot)
      arena.collected()
      expect(arena.made).toBeLessThanOrEqual(arena.slots)
      expect(arena.take(), 'it goes on').toBeDefined()
    }),
    runs(2000),
  )
})

test('a slot that is dropped makes no room before it is collected', () => {
  const arena = new Arena(2, () => ({ shape: 0 }))
  const [a, b] = [arena.take()!, arena.take()!]
  arena.reshape(2, () => ({ shape: 1 }))
  expect(arena.take()).toBeUndefined()
  arena.give(a)
  expect({ dropped: arena.dropped, slot: arena.take() }).toEqual({ dropped: 1, slot: undefined })
  arena.collected()
  expect(arena.take()).toEqual({ shape: 1 })
  arena.give(b)
  arena.collected()
  expect(arena.take()).toEqual({ shape: 1 })
})

test('what nobody has needed since the last look goes, and only that', () => {
  const arena = new Arena(4, () => ({ shape: 0 }))
  const all = [0, 1, 2, 3].map(() => arena.take()!)
  for (const slot of all) arena.give(slot)
  arena.trim()
  expect(arena.made, 'all were needed until now').toBe(4)
  arena.give(arena.take()!)
  arena.trim()
  expect({ made: arena.made, dropped: arena.dropped }).toEqual({ made: 1, dropped: 3 })
  arena.trim()
  expect(arena.made).toBe(0)
})

test('fewer slots: the free ones go at once, the taken ones when they are given back', () => {
  const arena = new Arena(4, () => ({ shape: 0 }))
  const [a, b, c] = [arena.take()!, arena.take()!, arena.take()!]
  arena.give(c)
  arena.resize(1)
  expect({ made: arena.made, dropped: arena.dropped, slot: arena.take() }).toEqual({
    made: 2,
    dropped: 1,
    slot: undefined,
  })
  arena.give(a)
  arena.give(b)
  expect({ made: arena.made, dropped: arena.dropped }).toEqual({ made: 1, dropped: 2 })
  expect(arena.take()).toBe(b)
})
