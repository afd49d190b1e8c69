import { describe, expect, test } from 'vitest'
import { perform } from '../../../src/bench/scenarios/perform.ts'
import { type FixedRow, type Scenario } from '../../../src/bench/scenarios/scenario.ts'
import { type RunPlan, type RunResult } from '../../../src/bench/types.ts'
import { behindText } from '../../../src/bench/verdict.ts'
import { fixedRow, planOf, resultOf, scenario, stageOf } from './stage.ts'

function lossy(plan: RunPlan): RunResult {
  const good = resultOf(plan)
  return { ...good, failure: '3 of 9 lines lost', account: { ...good.account, lostLines: 3 } }
}

describe('rounds', () => {
  test('alternate between the rows, each run between two floors', async () => {
    const stage = stageOf({ run: (plan) => Promise.resolve(resultOf(plan)) })
    const { rows } = await perform(scenario(), [fixedRow('a'), fixedRow('b')], 2, stage)
    expect(stage.told).toEqual(['floor', 'a 1', 'floor', 'b 1', 'floor', 'a 2', 'floor', 'b 2', 'floor'])
    expect(rows.map(({ runs, failures }) => ({ runs, failures }))).toEqual(
      [0, 1].map(() => ({ runs: 2, failures: [] })),
    )
    expect(rows[0]!.figures.find(({ isRatio }) => isRatio)).toMatchObject({ values: [5, 5], spread: { median: 5 } })
  })

  test('one whose floors differ does not count, and is made once more', async () => {
    const floors = [2, 3, 3, 3]
    const stage = stageOf({
      run: (plan) => Promise.resolve(resultOf(plan)),
      floor: () => Promise.resolve(floors.shift() ?? 3),
    })
    const { rows } = await perform(scenario(), [fixedRow('a')], 2, stage)
    expect(rows[0]).toMatchObject({ runs: 2, failures: [] })
    expect(rows[0]!.notes.join()).toContain('1 of 3 rounds do not count')
  })

  test('none counts: what was measured is told, without the ratio, and that it is no evidence', async () => {
    let floor = 1
    const stage = stageOf({
      run: (plan) => Promise.resolve(resultOf(plan)),
      floor: () => Promise.resolve((floor *= 2)),
    })
    const { rows } = await perform(scenario(), [fixedRow('a')], 2, stage)
    expect(rows[0]).toMatchObject({ runs: 4, failures: [] })
    expect(rows[0]!.notes.join()).toContain('no evidence')
    expect(rows[0]!.figures.map(({ name }) => name)).toEqual(['highest rate', 'lost'])
  })

  test('one row that is disturbed takes no other one with it', async () => {
    const floors = [2, 2, 3, 3, 3, 3]
    const stage = stageOf({
      run: (plan) => Promise.resolve(resultOf(plan)),
      floor: () => Promise.resolve(floors.shift() ?? 3),
    })
    const { rows } = await perform(scenario(), [fixedRow('a'), fixedRow('b')], 2, stage)
    expect(stage.told).toEqual(['a 1', 'b 1', 'a 2', 'b 1', 'b 2 again'])
    expect(rows.map(({ runs, notes }) => [runs, notes.length])).toEqual([
      [2, 0],
      [2, 1],
    ])
  })

  test('a writer that fell behind is the machine’s fault: the round does not count', async () => {
    let runs = 0
    const stage = stageOf({
      run: (plan) => Promise.resolve(resultOf(plan, Infinity, ++runs === 1 ? `${behindText} 97 %` : '')),
    })
    const { rows } = await perform(scenario(), [fixedRow('a')], 2, stage)
    expect(rows[0]).toMatchObject({ runs: 2, failures: [] })
    expect(rows[0]!.notes.join()).toContain('1 of 3 rounds do not count')
  })

  test('what a failed run lost is told, in no other figure', async () => {
    let runs = 0
    const stage = stageOf({ run: (plan) => Promise.resolve(++runs === 2 ? lossy(plan) : resultOf(plan)) })
    const { rows } = await perform(scenario(), [fixedRow('a')], 3, stage)
    const valuesOf = (wanted: string) => rows[0]!.figures.find(({ name }) => name === wanted)?.values
    expect([valuesOf('lost'), valuesOf('highest rate')]).toEqual([
      [0, 0, 3],
      [1, 1],
    ])
  })

  test('a run that fails makes the row fail, and is in no figure', async () => {
    let runs = 0
    const stage = stageOf({
      run: (plan) => Promise.resolve(resultOf(plan, Infinity, ++runs === 2 ? '3 of 9 lines lost' : '')),
    })
    const { rows } = await perform(scenario(), [fixedRow('a')], 3, stage)
    expect(rows[0]).toMatchObject({ runs: 2, failures: ['3 of 9 lines lost'] })
  })

  test('when time is up the rounds that are there are told', async () => {
    const stage = stageOf({ run: (plan) => Promise.resolve(resultOf(plan)), mayGoOn: () => false })
    const { rows } = await perform(scenario(), [fixedRow('a')], 3, stage)
    expect(rows[0]).toMatchObject({ runs: 1, failures: [], notes: ['1 of 3 rounds: there was no time for more'] })
  })
})

test('what must be known of a run stands at its row, once', async () => {
  const stage = stageOf({ run: (plan) => Promise.resolve({ ...resultOf(plan), notes: ['uneven'] }) })
  const { rows } = await perform(scenario(), [fixedRow('a')], 2, stage)
  expect(rows[0]!.notes).toEqual(['uneven'])
})

test('that a server of the user’s tells no latency is said where there would be one', async () => {
  const own: FixedRow = {
    ...fixedRow('a'),
    plan: { ...planOf(1e6), destination: { kind: 'elasticsearch', url: 'http://a' } },
  }
  const stage = stageOf({ run: (plan) => Promise.resolve(resultOf(plan)) })
  const notesWith = async (figures: Scenario['figures']) =>
    (await perform(scenario({ figures }), [own, fixedRow('b')], 1, stage)).rows.map(({ notes }) => notes)
  expect(await notesWith(['p50', 'p99'])).toEqual([[expect.stringContaining('no latency is told')], []])
  expect(await notesWith(['cpu'])).toEqual([[], []])
})
