import { expect, test } from 'vitest'
import {
  cpuOf,
  memoryFrom,
  memoryOf,
  sleepsFrom,
  sleepsOf,
  startTicksFrom,
  ticksFrom,
} from '../../src/bench/machine/procfs.ts'

test('ticks are found behind any name', () => {
  const stat = '42 (a ) b (c) R 1 42 42 0 -1 4194304 97 0 0 0 17 5 0 0 20 0 1 0 106596 3133440 382'
  expect(ticksFrom(stat)).toEqual({ userUs: 170_000, systemUs: 50_000 })
  expect(startTicksFrom(stat)).toBe(106_596)
})

test('memory in bytes; a process that is ending has none', () => {
  const status = 'Name:\tnode\nVmHWM:\t    2000 kB\nVmRSS:\t    1500 kB\nRssAnon:\t     100 kB\n'
  expect(memoryFrom(status)).toEqual({ anonymousBytes: 102_400, rssBytes: 1_536_000, peakRssBytes: 2_048_000 })
  expect(memoryFrom('Name:\tnode\nState:\tZ (zombie)\n')).toEqual({ anonymousBytes: 0, rssBytes: 0, peakRssBytes: 0 })
})

test('how often it has slept, not how often it was put aside', () => {
  expect(sleepsFrom('Name:\tnode\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n')).toBe(150)
  expect(sleepsFrom('Name:\tnode\nnonvoluntary_ctxt_switches:\t545\n')).toBe(0)
})

test.runIf(process.platform === 'linux')('what is read of this process agrees with what it knows itself', () => {
  const before = process.cpuUsage()
  const { userUs, systemUs } = cpuOf(process.pid)
  const after = process.cpuUsage()
  // Threads that ended are in the process's own sum only.
  expect(userUs + systemUs).toBeGreaterThan((before.user + before.system) * 0.5)
  expect(userUs + systemUs).toBeLessThanOrEqual(after.user + after.system + 20_000)
  expect(memoryOf(process.pid).rssBytes).toBeGreaterThan(10e6)
  expect(sleepsOf(process.pid)).toBeGreaterThan(0)
  expect(() => cpuOf(2 ** 30)).toThrow('ENOENT')
})
