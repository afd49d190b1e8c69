import { expect, test } from 'vitest'
import { Histogram } from '../../../src/admin/metrics/histogram.ts'

test('requests by outcome: how many, how long, and how long most of them at most', () => {
  const requests = new Histogram('requests', 'Requests.', 'outcome')
  expect(requests.outcomes).toEqual([])
  for (let request = 0; request < 95; request++) requests.observe(4, 'ok')
  for (let request = 0; request < 5; request++) requests.observe(924, 'ok')
  requests.observe(90_000, 'failed')
  expect(requests.outcomes).toEqual([
    { outcome: 'ok', count: 100, meanSeconds: expect.closeTo(0.05), mostSeconds: 0.005 },
    { outcome: 'failed', count: 1, meanSeconds: 90, mostSeconds: null },
  ])
  requests.observe(924, 'ok')
  expect(requests.outcomes[0]!.mostSeconds).toBe(1)
})
