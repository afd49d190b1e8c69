import { expect, test } from 'vitest'
import { keptFor } from '../../src/admin/kept.ts'

test('it is made once in a while, however many ask', () => {
  let nowMs = 0
  let made = 0
  const get = keptFor({ monotonicMs: () => nowMs }, 500, () => ++made)
  expect([get(), get(), get()]).toEqual([1, 1, 1])
  nowMs = 499
  expect(get()).toBe(1)
  nowMs = 500
  expect([get(), get()]).toEqual([2, 2])
})

test('what fails is not kept', () => {
  let fails = true
  const get = keptFor({ monotonicMs: () => 0 }, 500, () => {
    if (fails) throw new Error('not now')
    return 7
  })
  expect(get).toThrow('not now')
  fails = false
  expect(get()).toBe(7)
})

test('another question is another answer', () => {
  const get = keptFor({ monotonicMs: () => 0 }, 500, (question) => ({ question }))
  const first = get('a')
  expect(get('a')).toBe(first)
  expect(get('b')).toEqual({ question: 'b' })
  expect(get('a')).not.toBe(first)
})
