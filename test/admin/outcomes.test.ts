import { expect, test } from 'vitest'
import { Outcomes } from '../../src/admin/outcomes.ts'

test('requests by outcome: how many, how long, and how long most of them at most', () => {
  const outcomes = new Outcomes()
  expect(outcomes.list).toEqual([])
  for (let request = 0; request < 95; request++) outcomes.observe('ok', 4, 10)
  for (let request = 0; request < 5; request++) outcomes.observe('ok', 924, 10)
  outcomes.observe('failed', 90_000, 1)
  expect(outcomes.list).toEqual([
    { outcome: 'ok', count: 100, meanSeconds: expect.closeTo(0.05), mostSeconds: 0.005 },
    { outcome: 'failed', count: 1, meanSeconds: 90, mostSeconds: null },
  ])
  outcomes.observe('ok', 924, 10)
  expect(outcomes.list[0]!.mostSeconds).toBe(1)
  expect(outcomes.sentBytes).toBe(1_011)
})
