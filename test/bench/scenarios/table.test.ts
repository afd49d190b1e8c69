import { describe, expect, test } from 'vitest'
import { choose } from '../../../src/bench/scenarios/choose.ts'
import { obstacleOf, rowsOf, type Setting } from '../../../src/bench/scenarios/scenario.ts'
import { scenarios } from '../../../src/bench/scenarios/table.ts'
import { setting } from './stage.ts'

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
    const named = choose({ scenarios: ['latency'], form: 'short', rounds: undefined }, setting)
    expect(named.chosen.map(({ rounds }) => rounds)).toEqual([3])
    const all = choose({ scenarios: [], form: 'short', rounds: undefined }, setting)
    expect(all.chosen.find((each) => each.scenario.name === 'latency')?.rounds).toBe(1)
  })
})
