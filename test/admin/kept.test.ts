import { beforeEach, expect, test } from 'vitest'
import { Kept } from '../../src/admin/kept.ts'
import { limits } from '../../src/base/limits.ts'

let nowMs: number
let made: string[]
let kept: Kept<string>
beforeEach(() => {
  nowMs = 0
  made = []
  kept = new Kept({ monotonicMs: () => nowMs })
})

const ask = (question: string) =>
  kept.get(question, () => {
    made.push(question)
    return `${question} ${made.length}`
  })

test('it is made once in a while, however many ask', () => {
  expect([ask('a'), ask('a'), ask('a')]).toEqual(['a 1', 'a 1', 'a 1'])
  nowMs = limits.adminFreshMs - 1
  expect(ask('a')).toBe('a 1')
  nowMs = limits.adminFreshMs
  expect([ask('a'), ask('a')]).toEqual(['a 2', 'a 2'])
})

test('other questions have other answers, and neither drives the other out', () => {
  expect([ask('a'), ask('b'), ask('a'), ask('b')]).toEqual(['a 1', 'b 2', 'a 1', 'b 2'])
})

test('ever new questions are answered so many times a second, and what is there already is answered all the same', () => {
  ask('a')
  for (let n = 1; n < 100; n++) ask(`${n}`)
  expect(made).toHaveLength(limits.adminMakesMax)
  expect(ask('new')).toBeUndefined()
  expect(ask(`${limits.adminMakesMax - 1}`)).toBe(`${limits.adminMakesMax - 1} ${limits.adminMakesMax}`)
  nowMs = 1_000
  expect(ask('new')).toBe(`new ${limits.adminMakesMax + 1}`)
})

function fails(): never {
  throw new Error('not now')
}

test('what fails is not kept', () => {
  expect(() => kept.get('a', fails)).toThrow('not now')
  expect(ask('a')).toBe('a 1')
})

test('an answer that fails later is not kept either', async () => {
  const later = new Kept<Promise<string>>({ monotonicMs: () => nowMs })
  await expect(later.get('a', () => Promise.reject(new Error('not now')))).rejects.toThrow('not now')
  await expect(later.get('a', () => Promise.resolve('made'))).resolves.toBe('made')
})

test.each([
  ['a moment', 20],
  ['long', 200],
])('what takes %s leaves nearly all of the time to others, and stays fresh as long as that', (_, tookMs) => {
  const slow = (question: string) =>
    kept.get(question, () => {
      nowMs += tookMs
      made.push(question)
      return question
    })
  const untilMs = 60_000
  for (let n = 0; nowMs < untilMs; n++) {
    if (n % 10 === 0 && slow('page') === undefined) made.push('no page')
    slow(`attack ${n}`)
    nowMs++
  }
  const spentMs = made.filter((question) => question !== 'no page').length * tookMs
  expect(spentMs).toBeLessThan((untilMs * 1.2) / limits.adminRest)
  expect(spentMs).toBeGreaterThan((untilMs * 0.8) / limits.adminRest)
})

test('what was made slowly answers the same question while it rests', () => {
  const page = () =>
    kept.get('page', () => {
      nowMs += 200
      return 'page'
    })
  expect(page()).toBe('page')
  nowMs += 200 * (limits.adminRest - 1) - 1
  expect([page(), ask('other')]).toEqual(['page', undefined])
  nowMs += 1
  expect(ask('other')).toBe('other 1')
})

test('a rest ends, however long something took', () => {
  kept.get('page', () => {
    nowMs += 60_000
    return 'page'
  })
  nowMs += limits.adminRestMaxMs
  expect(ask('other')).toBe('other 1')
})
