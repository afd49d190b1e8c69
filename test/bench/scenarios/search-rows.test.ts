import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cpuLeftText, isLowerBound, lowerBounds } from '../../../src/bench/bounds.ts'
import { noRoom } from '../../../src/bench/room.ts'
import { perform } from '../../../src/bench/scenarios/perform.ts'
import { type SearchRow } from '../../../src/bench/scenarios/scenario.ts'
import { type RunPlan, type RunResult } from '../../../src/bench/types.ts'
import { behindText } from '../../../src/bench/verdict.ts'
import { planOf, resultOf, scenario, stageOf } from './stage.ts'

function withSlowWriter(plan: RunPlan): Promise<RunResult> {
  const { rate } = plan.workload
  const isTooFast = rate.kind === 'fixed' && rate.bytesPerSecond > 50e6
  return Promise.resolve(resultOf(plan, 80e6, isTooFast ? `${behindText} 80 % of its rate only` : ''))
}

function withFullDisk(plan: RunPlan): Promise<RunResult> {
  const { rate } = plan.workload
  if (rate.kind === 'fixed' && rate.bytesPerSecond > 30e6) return Promise.reject(noRoom('full'))
  return Promise.resolve({ ...resultOf(plan, 80e6), throttledMs: 1_000 })
}

function withLoss(plan: RunPlan): Promise<RunResult> {
  const isFirst = plan.workload.rate.kind === 'backlog'
  return Promise.resolve(resultOf(plan, 80e6, isFirst ? '' : '1 of 2 lines lost'))
}

const blind = (plan: RunPlan) => Promise.resolve({ ...resultOf(plan, 80e6), moments: [] })

describe('a search', () => {
  const row: SearchRow = {
    kind: 'search',
    name: 's',
    first: { ...planOf(1), workload: { ...planOf(1).workload, rate: { kind: 'backlog' }, end: { bytes: 1e6 } } },
    at: planOf,
    probesMax: 10,
  }

  test('finds in each round what the agent carries', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 5e6, max: 5e8 }), async (capacity) => {
        const stage = stageOf({ run: (plan) => Promise.resolve(resultOf(plan, capacity)) })
        const { rows } = await perform(scenario(), [row], 3, stage)
        const rate = rows[0]!.figures.find(({ name }) => name === 'highest rate')!
        expect(rate.values).toHaveLength(3)
        // A lag that grows by less than 3 % of the rate is none.
        for (const value of rate.values) {
          expect(value * 1e6).toBeLessThanOrEqual(capacity * 1.04)
          expect(value * 1e6 * 1.1001).toBeGreaterThanOrEqual(capacity)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('a writer that cannot keep up ends it, and the machine is named; it is no failure', async () => {
    const { rows } = await perform(scenario(), [row], 1, stageOf({ run: withSlowWriter }))
    expect(rows[0]).toMatchObject({ failures: [], runs: 1 })
    expect(rows[0]!.notes.join()).toContain('this machine is the limit')
  })

  // At 200m for 8 s: 1.6 s of CPU are all that there is.
  test.each<[string, Partial<RunResult>, readonly string[]]>([
    ['the agent in its limits', { cpu: { userUs: 1.5e6, systemUs: 0 } }, []],
    ['the agent, throttled', { throttledMs: 100 }, []],
    ['nothing that is known', { cpu: { userUs: 1.3e6, systemUs: 0 }, throttledMs: 79 }, [cpuLeftText]],
    [
      'the server',
      { others: { sinkUs: 6.5e6, writerUs: 0, benchUs: 0 }, cpu: { userUs: 1.5e6, systemUs: 0 } },
      [lowerBounds.server],
    ],
    [
      'the machine',
      { others: { sinkUs: 6e6, writerUs: 6e6, benchUs: 1e6 }, cpu: { userUs: 1.5e6, systemUs: 0 } },
      [lowerBounds.machine],
    ],
  ])('ended by %s', async (_, taken, notes) => {
    const run = (plan: RunPlan) => Promise.resolve({ ...resultOf(plan, 80e6), ...taken })
    const { rows } = await perform(scenario(), [row], 1, stageOf({ run }))
    expect(rows[0]!.notes).toEqual(notes)
    expect(isLowerBound(rows[0]!)).toBe(notes.some((note) => note !== cpuLeftText))
  })

  test('a disk that is too small for a rate ends it, and is named', async () => {
    const { rows } = await perform(scenario(), [row], 1, stageOf({ run: withFullDisk }))
    expect(rows[0]).toMatchObject({ failures: [], runs: 1 })
    expect(rows[0]!.notes).toContain(lowerBounds.disk)
    expect(rows[0]!.figures[0]!.values[0]).toBeGreaterThan(25)
    expect(isLowerBound(rows[0]!)).toBe(true)
  })

  test('a lost line at any rate is one', async () => {
    const { rows } = await perform(scenario(), [row], 1, stageOf({ run: withLoss }))
    expect(rows[0]!.failures).toContain('1 of 2 lines lost')
  })

  test('what did not hold while something else used the machine is no failure', async () => {
    let floor = 1
    const disturbed = stageOf({
      run: (plan) => Promise.resolve(resultOf(plan, 100)),
      floor: () => Promise.resolve((floor *= 2)),
    })
    const quiet = stageOf({ run: (plan) => Promise.resolve(resultOf(plan, 100)) })
    expect((await perform(scenario(), [row], 1, disturbed)).rows[0]!.failures).toEqual([])
    expect((await perform(scenario(), [row], 1, quiet)).rows[0]!.failures.join()).toMatch(/^not even .* MB\/s held$/)
  })

  test('a rate of which too little was seen is tried once more, and no more than that', async () => {
    let runs = 0
    const blinking = (plan: RunPlan) => {
      const result = resultOf(plan, 80e6)
      return Promise.resolve(++runs % 2 === 0 ? { ...result, moments: [] } : result)
    }
    const seen = await perform(scenario(), [row], 1, stageOf({ run: blinking }))
    expect(seen.rows[0]).toMatchObject({ runs: 1, failures: [] })
    const unseen = await perform(scenario(), [row], 1, stageOf({ run: blind }))
    expect(unseen.rows[0]!.notes.join()).toContain('too busy to tell')
  })
})
