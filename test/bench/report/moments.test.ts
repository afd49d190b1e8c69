import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cpusAt, reduced } from '../../../src/bench/report/moments.ts'
import type { Moment } from '../../../src/bench/types.ts'

const run: fc.Arbitrary<Moment[]> = fc
  .array(
    fc.record({
      usedBytes: fc.nat(),
      lagBytes: fc.nat(),
      storedBytes: fc.nat(),
      stepMs: fc.nat(200),
      stepUs: fc.nat(9000),
    }),
    { maxLength: 400 },
  )
  .map((steps) => {
    let [atMs, cpuUs] = [-500, 0]
    return steps.map(({ stepMs, stepUs, ...rest }) => ({ ...rest, atMs: (atMs += stepMs), cpuUs: (cpuUs += stepUs) }))
  })

test('few moments, in order, none invented; first, last and extremes are kept', () => {
  fc.assert(
    fc.property(run, fc.integer({ min: 8, max: 200 }), (moments, most) => {
      const few = reduced(moments, most)
      expect(few.length).toBeLessThanOrEqual(most)
      const places = few.map((each) => moments.indexOf(each))
      expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b))
      expect(places).not.toContain(-1)
      expect([few[0], few.at(-1)]).toEqual([moments[0], moments.at(-1)])
      for (const name of ['usedBytes', 'lagBytes'] as const) {
        const extremes = (all: readonly Moment[]) => [
          Math.min(...all.map((each) => each[name])),
          Math.max(...all.map((each) => each[name])),
        ]
        expect(extremes(few)).toEqual(extremes(moments))
      }
      const busiest = Math.max(0, ...moments.map((_, n) => cpusAt(moments, n)))
      expect(Math.max(0, ...places.map((n) => cpusAt(moments, n)))).toBe(busiest)
      expect(reduced(few, most)).toBe(few)
    }),
    { numRuns: 300 },
  )
})

function at(atMs: number, cpuUs: number): Moment {
  return { atMs, cpuUs, usedBytes: 0, lagBytes: 0, storedBytes: 0 }
}

test('CPU is what was used since the moment before', () => {
  const moments = [at(0, 0), at(100, 20_000), at(100, 30_000)]
  expect(moments.map((_, n) => cpusAt(moments, n))).toEqual([0, 0.2, 0])
})
