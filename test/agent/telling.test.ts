import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { causes, causeTexts, type Cause, type State } from '../../src/admin/backpressure-words.ts'
import { Telling } from '../../src/agent/telling.ts'
import { limits } from '../../src/base/limits.ts'
import type { Health } from '../../src/ship/shipper.ts'
import { runs } from '../base/runs.ts'
import { VirtualClock } from '../kit/agent-clock.ts'

type Seen = Health | readonly [State, Cause]

const ok: Health = { state: 'ok' }
const away: Health = { state: 'unreachable', detail: 'refused' }
const held: Health = { state: 'holding', detail: 'the server answers 403' }

/** What is said when this is seen, one thing a second. */
async function saidOf(...all: readonly Seen[]): Promise<string[]> {
  const clock = new VirtualClock()
  const start = clock.nowMs
  const telling = new Telling(clock.view(() => true))
  const said: string[] = []
  for (const seen of all) {
    const one =
      'state' in seen
        ? telling.health(seen)
        : telling.backpressure({ state: seen[0], cause: seen[1], sinceMs: clock.nowMs, next: undefined }, () => 17)
    if (one !== undefined) said.push(`${(clock.nowMs - start) / 1000} ${one.level} ${one.notice.code}`)
    await clock.advanceTo(clock.nowMs + 1000)
  }
  return said
}
const times = (count: number, ...all: readonly Seen[]): Seen[] => Array.from({ length: count }, () => all).flat()
const flows = ['flowing', 'none'] as const

test('what no request shows is said by backpressure: when it begins, and when it is over', async () => {
  expect(await saidOf(flows, ...times(50, ['full', 'server_slow']), flows, flows)).toEqual([
    '1 warn BACKPRESSURE_FULL',
    '51 info BACKPRESSURE_FLOWING',
  ])
})

test("the server's own trouble is said once, and that reading stops because of it once", async () => {
  const outage = times(200, ['full', 'server_unreachable'], away)
  expect(await saidOf(away, ...times(5, ['filling', 'server_unreachable']), ...outage, ok, flows)).toEqual([
    '0 warn ELASTICSEARCH_UNREACHABLE',
    '6 warn BACKPRESSURE_FULL',
    '406 info ELASTICSEARCH_OK',
    '407 info BACKPRESSURE_FLOWING',
  ])
})

test('one that keeps nobody from reading is said by the requests alone, and so is its end', async () => {
  expect(await saidOf(away, ...times(300, ['filling', 'server_unreachable']), ok, flows)).toEqual([
    '0 warn ELASTICSEARCH_UNREACHABLE',
    '301 info ELASTICSEARCH_OK',
  ])
})

test('slots that memory pressure takes are said one by one elsewhere; that reading stops for want of them is said here', async () => {
  const short = times(10, ['filling', 'memory_pressure'])
  expect(await saidOf(...short, ['full', 'memory_pressure'], ...short, flows)).toEqual([
    '10 warn BACKPRESSURE_FULL',
    '21 info BACKPRESSURE_FLOWING',
  ])
})

test('a target that holds everything is said once', async () => {
  expect(await saidOf(held, ...times(100, ['holding', 'target'], held), ok, flows)).toEqual([
    '0 warn ELASTICSEARCH_HOLDING',
    '201 info ELASTICSEARCH_OK',
  ])
})

test('another cause is said, not within the same minute, and only if it still holds', async () => {
  expect(
    await saidOf(['full', 'server_slow'], ...times(10, ['full', 'stalled']), ...times(100, ['full', 'cpu_throttled'])),
  ).toEqual(['0 warn BACKPRESSURE_FULL', '60 warn BACKPRESSURE_FULL'])
})

test('a backlog that is worked off is nothing to mend', async () => {
  expect(await saidOf(['filling', 'one_core'], flows)).toEqual([
    '0 info BACKPRESSURE_FILLING',
    '1 info BACKPRESSURE_FLOWING',
  ])
})

test('whatever comes and goes, no more than two lines a minute, and no end without a beginning', () => {
  const seen = fc.constantFrom<readonly [State, Cause]>(
    flows,
    ['full', 'server_slow'],
    ['full', 'server_unreachable'],
    ['filling', 'one_core'],
    ['filling', 'server_refusing'],
    ['holding', 'target'],
    ['full', 'cpu_throttled'],
  )
  return fc.assert(
    fc.asyncProperty(fc.array(seen, { minLength: 200, maxLength: 300 }), async (all) => {
      const said = await saidOf(...all)
      expect(said.length).toBeLessThanOrEqual(2 * Math.ceil((all.length * 1000) / limits.troubleIntervalMs))
      const ends = said.map((text) => text.endsWith('FLOWING'))
      expect(ends[0] ?? false).toBe(false)
      for (let at = 1; at < ends.length; at++) expect(ends[at] && ends[at - 1]).toBe(false)
    }),
    runs(50),
  )
})

test('each cause has its words and a way out', () => {
  for (const cause of causes) {
    if (cause === 'none') continue
    expect(causeTexts[cause].every((text) => text.length > 10)).toBe(true)
  }
  const texts = Object.values(causeTexts).map(([what]) => what)
  expect(new Set(texts).size).toBe(texts.length)
})

test('how long it did not flow is told from when it began, also where that was not worth a line', async () => {
  const clock = new VirtualClock()
  const telling = new Telling(clock.view(() => true))
  const see = async (state: State, cause: Cause, forMs: number) => {
    const said = telling.backpressure({ state, cause, sinceMs: clock.nowMs, next: undefined }, () => 17)
    await clock.advanceTo(clock.nowMs + forMs)
    return said
  }
  expect(await see('flowing', 'none', 1_000)).toBeUndefined()
  // Its first request has said so.
  expect(await see('filling', 'server_unreachable', 3_600_000)).toBeUndefined()
  expect((await see('full', 'server_unreachable', 40_000))?.notice.code).toBe('BACKPRESSURE_FULL')
  expect((await see('flowing', 'none', 0))?.notice.message).toContain('after 3640 s')
})
