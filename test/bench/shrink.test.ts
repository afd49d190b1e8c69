import { expect, test } from 'vitest'
import { lowerLimit } from '../../bench/shrink.ts'

const mebibyte = 1024 * 1024

/** A kernel that refuses what is below the use, and an agent that gives back so much each time it sees the limit fall. */
function kernel(usedMebibytes: number, givesMebibytes: number) {
  let [used, limit] = [usedMebibytes * mebibyte, 128 * mebibyte]
  const limits: number[] = []
  return {
    limits,
    alive: true,
    held: () => ({ anonBytes: used, usedBytes: used }),
    limitMemory(bytes: number) {
      if (bytes < used) return false
      limit = bytes
      limits.push(limit / mebibyte)
      used -= givesMebibytes * mebibyte
      return true
    },
  }
}

const pause = () => Promise.resolve()

test('a limit that fits is set at once', async () => {
  const agent = kernel(60, 0)
  expect(await lowerLimit(agent, 128 * mebibyte, 64 * mebibyte, pause)).toEqual({ refusals: 0, done: true })
  expect(agent.limits).toEqual([64])
})

test('one that is refused comes nearer step by step, while the agent follows', async () => {
  const agent = kernel(90, 10)
  const { refusals, done } = await lowerLimit(agent, 128 * mebibyte, 64 * mebibyte, pause)
  expect([done, refusals > 0, agent.limits.at(-1)]).toEqual([true, true, 64])
  expect(agent.limits).toEqual(agent.limits.toSorted((a, b) => b - a))
})

test('an agent that has ended is not waited for', async () => {
  const agent = { ...kernel(90, 0), alive: false }
  expect(await lowerLimit(agent, 128 * mebibyte, 64 * mebibyte, pause)).toEqual({ refusals: 0, done: false })
})
