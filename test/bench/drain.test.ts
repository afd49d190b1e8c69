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

test.each([
  ['none', 0, 90],
  ['some', 4, 94],
  ['all', 10, 100],
])('all is there: %s of the lines that a rotator destroyed are among it', async (_, stored, at) => {
  const counted = target(stored)
  expect(await drain(written, 1_000, { ...beside, target: counted })).toBeLessThan(1_000)
  expect(counted.stored()).toBe(at)
})

test('an agent that has ended brings no more', async () => {
  const ended = { ...beside, agent: { isAlive: false } }
  expect(await drain({ ...written, destroyed: [] }, 1_000, { ...ended, target: target(0) })).toBe(1_000)
})
