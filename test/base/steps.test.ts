import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { limits } from '../../src/base/limits.ts'
import { inOneGo, inTurns, type Steps } from '../../src/base/steps.ts'

interface Work {
  nowMs: number
  taken: number
  /** Steps that were taken when others had their turn. */
  readonly turns: number[]
  isOver: boolean
}

const newWork = (): Work => ({ nowMs: 0, taken: 0, turns: [], isOver: false })

/** So many steps, each of which takes so long. */
function* stepsOf(work: Work, count: number, stepMs = 0): Steps<string> {
  for (let n = 0; n < count; n++) {
    work.nowMs += stepMs
    work.taken++
    yield
  }
  return 'done'
}

function run(work: Work, count: number, stepMs: number, stepsMax?: number): Promise<string | undefined> {
  return inTurns(stepsOf(work, count, stepMs), {
    clock: { monotonicMs: () => work.nowMs } as Clock,
    yield: () => Promise.resolve(void work.turns.push(work.taken)),
    isOver: () => work.isOver,
    stepsMax,
  })
}

test('in one go all steps are taken', () => {
  const work = newWork()
  expect(inOneGo(stepsOf(work, 1_000))).toBe('done')
  expect(work.taken).toBe(1_000)
})

describe('in turns', () => {
  test('others wait for a turn and not for all of it', async () => {
    const work = newWork()
    const stepMs = 0.1
    expect(await run(work, 10_000, stepMs)).toBe('done')
    const lengths = work.turns.map((taken, n) => (taken - (work.turns[n - 1] ?? 0)) * stepMs)
    expect(lengths.length).toBeGreaterThan(10)
    // The clock is asked now and then.
    expect(Math.max(...lengths)).toBeLessThanOrEqual(limits.fillMsMax + 2 * limits.stepsUntimed * stepMs)
    expect(work.taken).toBe(10_000)
  })

  test('short work is not interrupted', async () => {
    const work = newWork()
    expect(await run(work, 10_000, 0.0001)).toBe('done')
    expect(work.turns).toEqual([])
  })

  test('of as many steps as a test asks for', async () => {
    const work = newWork()
    expect(await run(work, 7, 0, 3)).toBe('done')
    expect(work.turns).toEqual([3, 6])
  })

  test('nobody waits any more: it ends after the turn', async () => {
    const work = newWork()
    const whole = run(work, 100, 0, 10)
    work.isOver = true
    expect(await whole).toBeUndefined()
    expect(work.taken).toBe(10)
  })
})
