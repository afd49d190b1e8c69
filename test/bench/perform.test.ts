import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { perform } from '../../src/bench/scenarios/perform.ts'
import type { Stage } from '../../src/bench/scenarios/stage.ts'
import { cpuLeftText, isLowerBound, lowerBounds } from '../../src/bench/bounds.ts'
import { parseCustom } from '../../src/bench/custom.ts'
import { noRoom } from '../../src/bench/room.ts'
import type { FixedRow, Scenario, SearchRow } from '../../src/bench/scenarios/scenario.ts'
import { obstacleOf, rowsOf, type Setting } from '../../src/bench/scenarios/scenario.ts'
import { scenarios } from '../../src/bench/scenarios/table.ts'
import { TimeTable } from '../../src/bench/scenarios/time-table.ts'
import { choose } from '../../src/bench/scenarios/choose.ts'
import { plainShape, type Moment, type RunPlan, type RunResult } from '../../src/bench/types.ts'
import { behindText } from '../../src/bench/verdict.ts'

const setting: Setting = {
  form: 'long',
  limits: { cpus: 0.2, memoryBytes: 64 * 2 ** 20 },
  enforcement: { kind: 'cgroup', version: 2 },
  own: { cpus: undefined, memoryBytes: undefined },
  seed: 1,
  mix: { kind: 'short' },
  lineBytes: 100,
  destination: 'null',
  settings: {},
  custom: parseCustom({}, false),
}
const planOf = (bytesPerSecond: number): RunPlan => ({
  limits: setting.limits,
  workload: {
    seed: 1,
    mix: { kind: 'short' },
    rate: { kind: 'fixed', bytesPerSecond },
    files: 1,
    activeFiles: 1,
    rotation: { kind: 'none' },
    end: { seconds: 8 },
  },
  destination: { kind: 'null', shape: plainShape },
  settings: {},
  killsAtMs: [],
  warmUpMs: 0,
  drainMsMax: 1_000,
})
const fixedRow = (name: string): FixedRow => ({ kind: 'fixed', name, plan: planOf(1e6) })
const scenario = (over: Partial<Scenario> = {}): Scenario => ({
  ...scenarios[0]!,
  figures: ['rate', 'floor', 'lost'],
  ...over,
})

/** A run whose lag grows when the rate is above `capacity`. */
function resultOf({ workload }: RunPlan, capacity = Infinity, failure = ''): RunResult {
  const rate = workload.rate.kind === 'backlog' ? capacity : workload.rate.bytesPerSecond
  const moments: Moment[] = Array.from({ length: 33 }, (_, n) => {
    const lagBytes = (Math.max(0, rate - capacity) * n) / 4
    return { atMs: n * 250, usedBytes: 1, lagBytes, storedBytes: 0, cpuUs: 0 }
  })
  const lines = {
    writtenLines: 1,
    writtenBytes: 100,
    storedLines: 1,
    lostLines: 0,
    twiceLines: 0,
    againLines: 0,
    wrongLines: 0,
  }
  return {
    account: lines,
    bytesPerSecond: Math.min(rate, capacity),
    wallMs: 8_000,
    cpu: { userUs: 1, systemUs: 1 },
    others: { sinkUs: 0, writerUs: 0, benchUs: 0 },
    cpuSecondsPerGB: 10,
    cpuSecondsPerMillionLines: 1,
    latency: undefined,
    memory: { peakBytes: 1, meanBytes: 1, oomKills: 0 },
    throttledMs: 0,
    moments,
    requests: 1,
    bodyBytes: 1,
    failure,
  }
}

function stageOf(over: Partial<Stage> & Pick<Stage, 'run'>): Stage & { readonly told: string[] } {
  const told: string[] = []
  return {
    told,
    floor: () => (told.push('floor'), Promise.resolve(2)),
    step: (row, round, isAgain) => void told.push(`${row.name} ${round}${isAgain ? ' again' : ''}`),
    mayGoOn: () => true,
    monotonicMs: () => 0,
    processors: 2,
    ...over,
  }
}

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

function lossy(plan: RunPlan): RunResult {
  const good = resultOf(plan)
  return { ...good, failure: '3 of 9 lines lost', account: { ...good.account, lostLines: 3 } }
}

function withLoss(plan: RunPlan): Promise<RunResult> {
  const isFirst = plan.workload.rate.kind === 'backlog'
  return Promise.resolve(resultOf(plan, 80e6, isFirst ? '' : '1 of 2 lines lost'))
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
})

describe('the table', () => {
  test('names are there once, and each plan is one that can be run', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length)
    for (const form of ['short', 'long'] as const) {
      for (const each of scenarios) {
        const rows = rowsOf(each, { ...setting, form })
        expect(rows.length).toBeGreaterThan(0)
        expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
        for (const row of rows) {
          const { workload, killsAtMs } = row.kind === 'fixed' ? row.plan : row.at(1e6)
          const seconds = 'seconds' in workload.end ? workload.end.seconds : 0
          expect(workload.activeFiles).toBeLessThanOrEqual(workload.files)
          expect(Math.max(0, ...killsAtMs)).toBeLessThan(seconds * 1_000)
        }
      }
    }
  })

  test('limits above the bench’s own are left out', () => {
    const own = { cpus: 0.5, memoryBytes: 100 * 2 ** 20 }
    const sweep = scenarios.find(({ name }) => name === 'cpu-sweep')!
    expect(rowsOf(sweep, { ...setting, own }).map(({ name }) => name)).toEqual([
      '100m CPU, 64Mi',
      '200m CPU, 64Mi',
      '500m CPU, 64Mi',
    ])
  })

  test('what cannot be done here is said', () => {
    const bare: Setting = { ...setting, enforcement: { kind: 'none', reason: 'x' }, destination: { url: 'http://e' } }
    const { chosen, left } = choose({ scenarios: [], form: 'long', rounds: undefined }, bare)
    expect(chosen.map((each) => each.scenario.name)).toEqual([
      'saturation',
      'latency',
      'rotation',
      'many-files',
      'restart',
      'idle',
    ])
    expect(left.map(({ name }) => name)).toEqual(['outage', 'slow-server', 'memory-sweep', 'cpu-sweep'])
    expect(left.every(({ reason }) => reason !== '')).toBe(true)
    expect(() => choose({ scenarios: ['outage'], form: 'long', rounds: undefined }, bare)).toThrow(
      'nothing can be measured',
    )
    expect(obstacleOf(scenarios[0]!, bare)).toBe('')
  })

  test('the rounds are those asked for', () => {
    const { chosen } = choose({ scenarios: ['idle'], form: 'short', rounds: 5 }, setting)
    expect(chosen.map(({ rounds }) => rounds)).toEqual([5])
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
