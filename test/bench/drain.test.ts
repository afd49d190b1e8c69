import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { drain } from '../../src/bench/drain.ts'
import type { Arrived, Written } from '../../src/bench/target.ts'
import type { Account } from '../../src/bench/types.ts'

const written: Written = {
  lines: 100,
  bytes: 10_000,
  linesOfFiles: [100],
  destroyed: [{ file: 0, from: 41, to: 50 }],
  firstAtMs: 0,
  lastAtMs: 0,
  cpuUs: 0,
}
const arrived = { storedBytes: 0, requests: 0, bodyBytes: 0, firstAtMs: 0, lastAtMs: 0, cpuUs: 0, failure: '' }
const nothing: Account = {
  writtenLines: 100,
  writtenBytes: 0,
  storedLines: 0,
  lostLines: 0,
  twiceLines: 0,
  againLines: 0,
  wrongLines: 0,
}

/** A look more, a line more. */
function target(destroyedLinesStored: number) {
  let storedLines = 80
  return {
    arrived: (): Promise<Arrived> => Promise.resolve({ ...arrived, storedLines: ++storedLines }),
    account: () => Promise.resolve({ ...nothing, lostLines: Math.max(0, 90 + destroyedLinesStored - storedLines) }),
    stored: () => storedLines,
  }
}
const beside = {
  agent: { isAlive: true },
  sampler: { sleep: () => turn() },
  signal: new AbortController().signal,
}

const ms = { max: 1_000, quiet: 1_000 }

test.each([
  ['none', 0, 90],
  ['some', 4, 94],
  ['all', 10, 100],
])('all is there: %s of the lines that a rotator destroyed are among it', async (_, stored, at) => {
  const counted = target(stored)
  expect(await drain(written, ms, { ...beside, target: counted })).toMatchObject({ isAll: true })
  expect(counted.stored()).toBe(at)
})

test('an agent that has ended brings no more', async () => {
  const ended = { ...beside, agent: { isAlive: false } }
  expect(await drain({ ...written, destroyed: [] }, ms, { ...ended, target: target(0) })).toMatchObject({
    isAll: false,
  })
})

test('it waits while something comes, and no longer than it may when nothing does', async () => {
  const silent = {
    arrived: () => Promise.resolve({ ...arrived, storedLines: 3 }),
    account: () => Promise.resolve(nothing),
  }
  const { isAll, tookMs } = await drain(written, { max: 60_000, quiet: 30 }, { ...beside, target: silent })
  expect([isAll, tookMs >= 30, tookMs < 30_000]).toEqual([false, true, true])
})
