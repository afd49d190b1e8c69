import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Drain, drainStep, stopTimes, type DrainFacts, type DrainStep } from '../../src/agent/drain.ts'
import { limits } from '../../src/base/limits.ts'
import { runs } from '../base/runs.ts'

const facts: DrainFacts = { idle: true, lastLook: 'none', nowMs: 0, newsAtMs: 0, quietMs: 2_000, untilMs: 22_000 }

test.each<[string, Partial<DrainFacts>, DrainStep]>([
  ['something to ship', { idle: false, nowMs: 5_000 }, { do: 'wait', ms: 17_000 }],
  [
    'something to ship since a look, following ends',
    { idle: false, nowMs: 22_000, lastLook: 'nothing' },
    { do: 'look' },
  ],
  ['something to ship, following ends', { idle: false, nowMs: 22_000, newsAtMs: 22_000 }, { do: 'look' }],
  [
    'something to ship, after following',
    { idle: false, nowMs: 23_000, lastLook: 'last' },
    { do: 'wait', ms: Infinity },
  ],
  ['just begun', {}, { do: 'wait', ms: 2_000 }],
  ['not quiet for long enough', { nowMs: 6_500, newsAtMs: 5_000 }, { do: 'wait', ms: 500 }],
  ['quiet, but nobody has looked', { nowMs: 7_000, newsAtMs: 5_000 }, { do: 'look' }],
  ['quiet, and the look found nothing', { nowMs: 7_000, newsAtMs: 5_000, lastLook: 'nothing' }, { do: 'stop' }],
  ['the look found something', { nowMs: 7_000, newsAtMs: 7_000, lastLook: 'nothing' }, { do: 'wait', ms: 2_000 }],
  ['never quiet, following ends soon', { nowMs: 21_500, newsAtMs: 21_400 }, { do: 'wait', ms: 500 }],
  ['never quiet, following ends', { nowMs: 22_000, newsAtMs: 21_900 }, { do: 'look' }],
  ['never quiet, the last look was made', { nowMs: 22_001, newsAtMs: 22_000, lastLook: 'last' }, { do: 'stop' }],
  ['no quiet is waited for', { quietMs: 0 }, { do: 'look' }],
  ['no quiet is waited for, looked', { quietMs: 0, lastLook: 'nothing' }, { do: 'stop' }],
])('%s', (_what, given, step) => expect(drainStep({ ...facts, ...given })).toEqual(step))

describe('the times of a stop', () => {
  test.each([
    [25_000, 2_000, { enoughMs: 22_000, followMs: 22_000, cutMs: 24_000, endMs: 24_750 }],
    [25_000, 0, { enoughMs: 1_000, followMs: 22_000, cutMs: 24_000, endMs: 24_750 }],
    [3_500, 0, { enoughMs: 500, followMs: 500, cutMs: 2_500, endMs: 3_250 }],
    [1_000, 0, { enoughMs: 0, followMs: 0, cutMs: 500, endMs: 750 }],
    [100, 0, { enoughMs: 0, followMs: 0, cutMs: 50, endMs: 75 }],
    [0, 0, { enoughMs: 0, followMs: 0, cutMs: 0, endMs: 0 }],
  ])('%i ms of grace, %i ms of quiet', (graceMs, quietMs, times) => expect(stopTimes(graceMs, quietMs)).toEqual(times))

  test('stand in order within the grace', () => {
    fc.assert(
      fc.property(fc.nat(3_600_000), fc.nat(300_000), (graceMs, quietMs) => {
        const { enoughMs, followMs, cutMs, endMs } = stopTimes(graceMs, quietMs)
        expect(enoughMs).toBeGreaterThanOrEqual(0)
        expect(enoughMs).toBeLessThanOrEqual(followMs)
        expect(followMs).toBeLessThanOrEqual(cutMs)
        expect(cutMs).toBeLessThanOrEqual(endMs)
        expect(endMs).toBeLessThanOrEqual(graceMs)
      }),
      runs(300),
    )
  })
})

test('whatever comes, a drain stops soon after following has ended, and looks before it stops', () => {
  const moment = fc.record({ passMs: fc.nat(800), news: fc.boolean(), busy: fc.boolean() })
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 200 }), fc.constantFrom(0, 500, 2_000), (moments, quietMs) => {
      const times = stopTimes(25_000, quietMs)
      const drain = new Drain(0, quietMs, times)
      let [nowMs, newsAtMs, looked] = [0, 0, false]
      for (const { passMs, news, busy } of moments) {
        nowMs += passMs
        if (news) [newsAtMs, looked] = [nowMs, false]
        const step = drain.next(!busy, nowMs, newsAtMs)
        if (step.do === 'look') looked = true
        // Nobody sleeps past the end of following.
        const wakesMs = step.do === 'wait' && drain.follows ? nowMs + step.ms : 0
        expect(wakesMs).toBeLessThanOrEqual(times.followMs)
        if (step.do !== 'stop') continue
        const followed = nowMs >= times.followMs
        expect(followed || (looked && nowMs - newsAtMs >= quietMs) || quietMs === 0).toBe(true)
        return
      }
    }),
    runs(500),
  )
})

test('the reserve of a drain holds the stop', () => {
  expect(limits.drainReserveMs).toBeGreaterThan(limits.shutdownReserveMs)
})
