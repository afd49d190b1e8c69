import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutShort } from '../../../src/bench/report/report.ts'
import { performAll } from '../../../src/bench/scenarios/perform-all.ts'
import { TimeTable } from '../../../src/bench/scenarios/time-table.ts'
import { type RunPlan } from '../../../src/bench/types.ts'
import { fixedRow, resultOf, scenario } from './stage.ts'

const chosen = ['first', 'second', 'third'].map((name) => ({
  scenario: scenario({ name }),
  rows: [fixedRow(name)],
  rounds: 1,
}))

/** Each run is one of the scenarios, in their order. */
function performing(run: (n: number) => void, signal = new AbortController().signal) {
  let runs = 0
  return {
    floor: () => Promise.resolve(2),
    monotonicMs: () => 0,
    processors: 2,
    run: (plan: RunPlan) => {
      run(++runs)
      return Promise.resolve(resultOf(plan))
    },
    budgetSeconds: Infinity,
    seconds: () => 0,
    watcher: { begin: () => undefined, step: () => undefined },
    signal,
  }
}

const broken = (at: number) => (n: number) => {
  if (n === at) throw new Error('the disk is gone')
}

describe('what ends it early', () => {
  test('costs none of the scenarios that were done; the report says what was cut short', async () => {
    const { results, left, failures } = await performAll(chosen, performing(broken(2)))
    expect(results.map(({ name }) => name)).toEqual(['first'])
    expect(left).toEqual(['second', 'third'].map((name) => ({ name, reason: cutShort.ended })))
    expect(failures).toEqual(['second: the disk is gone'])
  })

  test('with nothing done there is nothing to tell', async () => {
    await expect(performAll(chosen, performing(broken(1)))).rejects.toThrow('the disk is gone')
  })

  test('who stops it is told that it was stopped', async () => {
    const stop = new AbortController()
    const stopped = (n: number) => {
      if (n < 3) return
      stop.abort(new Error('SIGINT'))
      stop.signal.throwIfAborted()
    }
    const { results, failures } = await performAll(chosen, performing(stopped, stop.signal))
    expect([results.length, failures]).toEqual([2, ['third: stopped']])
  })

  test('without time for one more it is left out', async () => {
    let now = 0
    const late = { ...performing(() => (now += 100)), budgetSeconds: 150, seconds: () => now }
    const { results, left } = await performAll(chosen, late)
    expect(results.map(({ name }) => name)).toEqual(['first', 'second'])
    expect(left).toEqual([{ name: 'third', reason: cutShort.noTime }])
  })
})

describe('time', () => {
  test('a first row that takes twice as long as it should costs no other round while there is time enough', () => {
    let now = 0
    const table = new TimeTable(
      1_620,
      [
        { onceSeconds: 60, allSeconds: 180 },
        { onceSeconds: 600, allSeconds: 1_200 },
      ],
      () => now,
    )
    table.next(0)
    now = 120
    table.done(60)
    expect(table.mayGoOn(60)).toBe(true)
    now = 240
    table.done(60)
    expect(table.mayGoOn(60)).toBe(true)
  })

  test('is never passed by more than one round of one scenario', () => {
    const seconds = fc.integer({ min: 1, max: 60 })
    const some = fc.array(
      fc.record({
        onceSeconds: seconds,
        rounds: fc.integer({ min: 1, max: 5 }),
        pace: fc.double({ min: 0.8, max: 1.5, noNaN: true }),
      }),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    fc.assert(
      fc.property(some, fc.integer({ min: 60, max: 400 }), (all, budget) => {
        let now = 0
        const times = all.map(({ onceSeconds, rounds }) => ({ onceSeconds, allSeconds: onceSeconds * rounds }))
        const table = new TimeTable(budget, times, () => now)
        let longest = 0
        for (const [at, { onceSeconds, rounds, pace }] of all.entries()) {
          if (!table.next(at)) continue
          for (let round = 0; round < rounds && (round === 0 || table.mayGoOn(onceSeconds)); round++) {
            now += onceSeconds * pace
            table.done(onceSeconds)
            longest = Math.max(longest, onceSeconds * pace)
            expect(table.secondsLeft()).toBeGreaterThanOrEqual(0)
          }
        }
        expect(now).toBeLessThanOrEqual(budget + longest)
      }),
    )
  })
})
