import { beforeEach, expect, test } from 'vitest'
import { Quieting } from '../../src/admin/quieting.ts'
import { limits } from '../../src/base/limits.ts'

let nowMs: number
let quieting: Quieting
beforeEach(() => {
  nowMs = 0
  quieting = new Quieting({ monotonicMs: () => nowMs })
})

const said = (code: string, times: number) =>
  Array.from({ length: times }, () => quieting.allows(code)).filter(Boolean).length

test('so many of a code in a while, and each code by itself', () => {
  expect(said('GAP', limits.messagesMax + 500)).toBe(limits.messagesMax)
  expect(said('EACCES', 3)).toBe(3)
  expect(quieting.unsaid).toBe(500)
})

test('what was left out is told once the while is over, and then as many may be said again', () => {
  said('GAP', limits.messagesMax + 500)
  said('EACCES', 1)
  nowMs = limits.messagesWindowMs - 1
  expect(quieting.over()).toEqual([])
  expect(said('GAP', 1)).toBe(0)
  nowMs = limits.messagesWindowMs
  expect(quieting.over()).toEqual([{ code: 'GAP', unsaid: 501 }])
  expect(quieting.over()).toEqual([])
  expect(said('GAP', limits.messagesMax + 1)).toBe(limits.messagesMax)
  expect(quieting.unsaid).toBe(502)
})
