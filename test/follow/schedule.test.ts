import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Generation, type Stage } from '../../src/follow/generation.ts'
import { Schedule } from '../../src/follow/schedule.ts'

/** Open, with bytes that nobody has searched. */
function readable(path: string, stage: Stage = 'live'): Generation {
  const generation = new Generation(path, path, 0, 0, 20)
  generation.descriptor = 3
  generation.sizeBytes = 100
  generation.stage = stage
  return generation
}

function names(schedule: Schedule, turns: number, again = true): string[] {
  return Array.from({ length: turns }, () => {
    const generation = schedule.next()
    if (generation !== undefined && again) schedule.offer(generation)
    return generation?.path ?? '-'
  })
}

describe('turns', () => {
  test('go round', () => {
    const schedule = new Schedule()
    for (const path of ['a', 'b', 'c']) schedule.offer(readable(path))
    expect(names(schedule, 7)).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a'])
  })

  test('go first to what may vanish, three in a row at most', () => {
    const schedule = new Schedule()
    for (const path of ['live', 'other']) schedule.offer(readable(path))
    schedule.offer(readable('deleted', 'deleted'))
    expect(names(schedule, 9)).toEqual([
      'deleted',
      'deleted',
      'deleted',
      'live',
      'deleted',
      'deleted',
      'deleted',
      'other',
      'deleted',
    ])
  })

  test('are given once, however often a file is offered', () => {
    const schedule = new Schedule()
    const generation = readable('a')
    for (let times = 0; times < 5; times++) schedule.offer(generation)
    expect(schedule.size).toBe(1)
    expect(names(schedule, 2, false)).toEqual(['a', '-'])
    expect(schedule.size).toBe(0)
  })

  test('are in the order of lives: a rotated file drains before its successor', () => {
    const schedule = new Schedule()
    const old = readable('app.log.1', 'rotated')
    const young = readable('app.log')
    young.predecessor = old
    schedule.offer(young)
    expect(names(schedule, 1)).toEqual(['-'])
    schedule.offer(old)
    expect(names(schedule, 2)).toEqual(['app.log.1', 'app.log.1'])
    old.offset = old.sizeBytes
    expect(schedule.next()).toBe(old)
    expect(schedule.next()).toBe(young)
    expect(young.predecessor).toBeUndefined()
  })

  test('do not wait for a copy that may never be found', () => {
    const schedule = new Schedule()
    const old = readable('app.log', 'replaced')
    old.descriptor = -1
    old.wanted = 'copy'
    const young = readable('app.log')
    young.predecessor = old
    schedule.offer(young)
    expect(schedule.next()).toBe(young)
  })
})

/** Files, each with a stage and perhaps an older life that comes first. */
const files = fc.array(
  fc.record({
    stage: fc.constantFrom<Stage>('live', 'live', 'rotated', 'deleted', 'replaced'),
    predecessor: fc.option(fc.nat(30), { freq: 3 }),
    quanta: fc.integer({ min: 1, max: 6 }),
  }),
  { minLength: 1, maxLength: 12 },
)

describe('whatever the files', () => {
  test('each is read to its end, none before its predecessor, none starved', () => {
    fc.assert(
      fc.property(files, (all) => {
        const schedule = new Schedule()
        const left = new Map<Generation, number>()
        const generations = all.map(({ stage, quanta }, index) => {
          const generation = readable(`${index}`, stage)
          left.set(generation, quanta)
          return generation
        })
        for (const [index, { predecessor }] of all.entries()) {
          // Only an older one: time has no circles.
          if (predecessor !== null && index > 0) generations[index]!.predecessor = generations[predecessor % index]
        }
        const before = new Map(generations.map((generation) => [generation, generation.predecessor]))
        for (const generation of generations.toReversed()) schedule.offer(generation)

        const waited = new Map<Generation, number>()
        for (let turns = 0; schedule.size > 0; turns++) {
          expect(turns).toBeLessThan(12 * 6)
          const picked = schedule.next()
          expect(picked, 'somebody may read').toBeDefined()
          const older = before.get(picked!)
          expect(older === undefined || left.get(older) === 0, 'its predecessor is read').toBe(true)
          for (const generation of generations) waited.set(generation, (waited.get(generation) ?? 0) + 1)
          waited.set(picked!, 0)
          const quanta = left.get(picked!)! - 1
          left.set(picked!, quanta)
          if (quanta > 0) schedule.offer(picked!)
          else picked!.offset = picked!.sizeBytes
          for (const generation of generations) {
            const free = (left.get(generation) ?? 0) > 0 && (left.get(before.get(generation)!) ?? 0) === 0
            if (!free) waited.set(generation, 0)
            expect(waited.get(generation), 'turns of others in between').toBeLessThanOrEqual(4 * generations.length)
          }
        }
        expect([...left.values()].every((quanta) => quanta === 0)).toBe(true)
      }),
    )
  })
})
