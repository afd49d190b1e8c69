import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Case, Cases } from '../../bench/micro/case.ts'
import { casesOf } from '../../bench/micro/cases.ts'
import { allocatedBytesOf, type Cost, measureCases } from '../../bench/micro/measure.ts'
import { budgetsText, costTable, reportOf } from '../../bench/micro/report.ts'
import { machineHere } from '../../src/bench/machine/facts.ts'

const least = { repeats: 2, repeatMs: 5 }

describe('the cases', () => {
  let all: Cases
  let costs: Cost[]

  beforeAll(async () => {
    all = casesOf()
    // What times itself takes a second each: the way has a test of its own.
    costs = await measureCases(
      all.cases.filter(
        (each) => !('time' in each) && ['mixed', 'copying', 'look'].some((word) => each.name.startsWith(word)),
      ),
      least,
    )
  })
  afterAll(() => all.close?.())

  test('have names of their own, and each of the hot path has some', () => {
    const names = all.cases.map(({ group, name }) => `${group}: ${name}`)
    expect(new Set(names).size).toBe(names.length)
    const groups = new Set(all.cases.map(({ group }) => group))
    expect([...groups]).toEqual(['kernel', 'reading', 'queue', 'frontier', 'verdict', 'identity', 'way'])
  })

  test('each does what it says so often that a clock of microseconds can tell', () => {
    for (const each of all.cases) {
      if ('time' in each) continue
      expect(each.items, each.name).toBeGreaterThanOrEqual(16)
      expect(each.run(), each.name).toBeDefined()
    }
  })

  test('a cost has a value for each repeat, speed and a ratio to copying where bytes count', () => {
    const report = reportOf({
      machine: machineHere(),
      commit: undefined,
      startedAtMs: 0,
      seconds: 1,
      effort: least,
      costs,
    })
    expect(report).toMatchObject({ schema: 'remora-micro', schemaVersion: 1, at: '1970-01-01T00:00:00.000Z' })
    const figures = Object.fromEntries(
      report.cases.map(({ group, name, figures: of }) => [`${group}: ${name}`, of.map(({ unit }) => unit)]),
    )
    expect(figures['kernel: mixed, _id']).toEqual(['ns/line', 'B/s', '×', 'B/line'])
    expect(figures['kernel: copying the mixed lines']).toEqual(['ns/line', 'B/s', 'B/line'])
    expect(figures['identity: look: same, grown or replaced']).toEqual(['ns/look', 'B/look'])
    for (const { figures: of } of report.cases) {
      for (const { values, spread, unit, isRatio } of of) {
        expect(values).toHaveLength(least.repeats)
        expect(spread.min).toBeLessThanOrEqual(spread.median)
        expect(spread.max).toBeGreaterThanOrEqual(spread.median)
        expect(isRatio).toBe(unit === '×')
        expect(values.every((value) => Number.isFinite(value) && value >= 0)).toBe(true)
      }
    }
    expect(JSON.parse(JSON.stringify(report))).toEqual(JSON.parse(JSON.stringify(report)))
  })

  test('all stand in one table, and budgets with whether they are kept', () => {
    const rows = costTable(costs).split('\n')
    expect(rows).toHaveLength(costs.length + 1)
    const { text } = budgetsText(costs)
    expect(text).toMatch(/mixed: \d+\.\d\d GB\/s, at least 2\.5: (kept|NOT KEPT)\n.*mixed, _id: /)
  })
})

test('cases are chosen by a part of their name', () => {
  const { cases, close } = casesOf('frontier')
  close?.()
  expect(cases.length).toBeGreaterThan(2)
  expect(new Set(cases.map(({ group }) => group))).toEqual(new Set(['frontier']))
})

test('repeats alternate, warm-up apart', async () => {
  const calls: string[] = []
  const timed = (name: string): Case => ({
    group: 'g',
    name,
    item: 'call',
    items: 2,
    bytes: 0,
    time: async () => {
      calls.push(name)
      return { cpuNs: calls.length, allocatedBytes: 8 }
    },
  })
  const costs = await measureCases([timed('a'), timed('b')], { repeats: 3, repeatMs: 5 })
  expect(calls.slice(-6).join('')).toBe('ababab')
  const [a] = costs
  expect(a?.nsPerItem).toEqual([calls.length - 5, calls.length - 3, calls.length - 1].map((ns) => ns / 2))
  expect(a?.allocatedPerItem).toEqual([4, 4, 4])
})

const costAt = (ns: number): Cost => ({
  group: 'kernel',
  name: 'mixed',
  item: 'line',
  items: 1000,
  bytes: 1e6,
  nsPerItem: [ns],
  allocatedPerItem: [0],
})

test('a missed budget is told', () => {
  expect(budgetsText([costAt(300)])).toMatchObject({ missed: false, text: expect.stringContaining('3.33 GB/s') })
  expect(budgetsText([costAt(500)])).toMatchObject({ missed: true, text: expect.stringContaining('NOT KEPT') })
  expect(budgetsText([])).toEqual({ missed: false, text: '' })
})

describe('bytes that are allocated', () => {
  let kept: unknown
  const times = 20_000
  const each = (work: (at: number) => void) => () => {
    for (let at = 0; at < times; at++) work(at)
    return kept
  }

  test('are told for each item, and none where there are none', () => {
    let sum = 0
    const none = each((at) => void (sum += at & 7))
    const objects = each((at) => void (kept = { at, sum }))
    for (const run of [none, objects]) allocatedBytesOf(run, 20)
    expect(allocatedBytesOf(none, 20) / times).toBeLessThan(1)
    const bytes = allocatedBytesOf(objects, 20) / times
    expect(bytes).toBeGreaterThan(20)
    expect(bytes).toBeLessThan(80)
  })
})
