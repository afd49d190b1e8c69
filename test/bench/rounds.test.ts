import { expect, test } from 'vitest'
import type { AgentRun } from '../../bench/agent.ts'
import type { FloorRun } from '../../src/bench/floor/floor.ts'
import { limitedFiguresOf, type LimitedRun, settingsFor } from '../../bench/limits.ts'
import { alternate, figuresOf } from '../../bench/rounds.ts'

function floorOf(ms: number): FloorRun {
  return { userUs: 0, systemUs: ms * 1000, wallUs: 0, bodyBytes: 1, requests: 1, answerBytes: 1 }
}

function agentOf(cpuMs: number, failure = ''): AgentRun {
  const totals = { requests: 1, documents: 1, bodyBytes: 1, answerBytes: 1, failures: 0, failure: '' }
  return {
    cpu: { userUs: cpuMs * 1000, systemUs: 0 },
    firstMs: 300,
    wallMs: 2300,
    peak: { anonymousBytes: cpuMs, rssBytes: 2, peakRssBytes: 3 },
    sink: { ...totals, cpuUs: { user: 0, system: 0 }, firstAtMs: 1000, lastAtMs: 3000 },
    failure,
  }
}

function limitedRunOf(setting: string, bytesPerSecond: number, failure = ''): LimitedRun {
  const agent = agentOf(1, failure)
  const oomKills = failure === '' ? 0 : 1
  return { setting, agent, bytesPerSecond, peakUsedBytes: bytesPerSecond, oomKills }
}

/** Plays given floors in order, the last one for ever, and writes down who ran. */
function contestOf(floors: readonly number[], agent = agentOf(900)) {
  const played: string[] = []
  let next = 0
  const contest = {
    floor: () => {
      played.push('floor')
      const ms = floors[Math.min(next, floors.length - 1)] ?? 0
      next += 1
      return Promise.resolve(floorOf(ms))
    },
    startup: () => {
      played.push('startup')
      return Promise.resolve(agentOf(200))
    },
    agent: () => {
      played.push('agent')
      return Promise.resolve(agent)
    },
  }
  return { contest, played }
}

test('floor and agent alternate, and the floor between two rounds serves both', async () => {
  const { contest, played } = contestOf([100, 110, 120])
  const { rounds, failure } = await alternate(contest, 2, () => {})
  expect(failure).toBe('')
  expect(played).toEqual(['floor', 'startup', 'agent', 'floor', 'startup', 'agent', 'floor'])
  expect(rounds.map(({ before, after }) => [before.systemUs, after.systemUs])).toEqual([
    [100_000, 110_000],
    [110_000, 120_000],
  ])
})

test('a round whose floors differ by more than a quarter is repeated and does not count', async () => {
  const { contest } = contestOf([100, 200, 200, 190])
  const { rounds, failure } = await alternate(contest, 2, () => {})
  expect(failure).toBe('')
  expect(rounds.map(({ counts }) => counts)).toEqual([false, true, true])
  // Start-up 200 ms taken off 900, by floors of 200 and of 195 ms.
  expect(figuresOf(rounds, 1e6).steadyRatio).toMatchObject({ min: 700 / 200, max: 700 / 195 })
})

test('on a machine that never agrees it gives up, and says so', async () => {
  const { contest, played } = contestOf([100, 200, 100, 200, 100, 200, 100, 200, 100])
  const { rounds, failure } = await alternate(contest, 3, () => {})
  expect(failure).toContain('only 0 of 3 rounds')
  expect(rounds).toHaveLength(6)
  expect(played.filter((name) => name === 'agent')).toHaveLength(6)
  expect(() => figuresOf(rounds, 1)).toThrow(RangeError)
})

test('a failed agent ends the series', async () => {
  const { contest } = contestOf([100], agentOf(900, 'lines are missing'))
  expect(await alternate(contest, 3, () => {})).toEqual({ rounds: [], failure: 'lines are missing' })
})

test('figures with and without start-up, and speed between the first and the last request', async () => {
  const { contest } = contestOf([100])
  const { rounds } = await alternate(contest, 3, () => {})
  const figures = figuresOf(rounds, 10e6)
  expect(figures.steadyRatio.median).toBe(7)
  expect(figures.wholeRatio.median).toBe(9)
  expect(figures.startupCpuUs.median).toBe(200_000)
  expect(figures.bytesPerSecond.median).toBe(5e6)
  expect(figures.peakAnonymousBytes).toBe(900)
})

test('limited speeds are compared within their round, and failed runs with nothing', () => {
  const [free, small] = limitedFiguresOf([
    [limitedRunOf('free', 100), limitedRunOf('small', 90)],
    [limitedRunOf('free', 200), limitedRunOf('small', 160)],
    [limitedRunOf('free', 150), limitedRunOf('small', 0, 'killed')],
  ])
  expect(free).toMatchObject({ runs: 3, failures: [], speedRatios: {}, bytesPerSecond: { median: 150 } })
  expect(small).toMatchObject({ runs: 3, failures: ['killed'], oomKills: 1, peakUsedBytes: 160 })
  expect(small?.speedRatios['free']).toEqual({ median: (0.9 + 0.8) / 2, min: 0.8, max: 0.9 })
})

test.each([
  [undefined, 2, ['unlimited', '2 CPU']],
  [64 << 20, undefined, ['unlimited', '64 MiB']],
  [64 << 20, 1, ['unlimited', '1 CPU', '64 MiB, 1 CPU']],
])('settings for %j bytes and %j processors', (memoryBytes, cpus, names) => {
  expect(settingsFor(memoryBytes, cpus).map(({ name }) => name)).toEqual(names)
})
