import { expect, test } from 'vitest'
import { Troubles } from '../../src/agent/troubles.ts'
import type { Health } from '../../src/ship/shipper.ts'
import { VirtualClock } from '../kit/agent-clock.ts'

const ok: Health = { state: 'ok' }
const away = (node: number): Health => ({ state: 'unreachable', detail: `http://node-${node}:9200: refused` })
const busy: Health = { state: 'overloaded', detail: 'the server answers 429' }
const held = (status: number): Health => ({ state: 'holding', detail: `the server answers ${status}` })

/** What is said when this happens, one thing a second. */
async function saidOf(...healths: readonly Health[]): Promise<string[]> {
  const clock = new VirtualClock()
  const start = clock.nowMs
  const troubles = new Troubles(clock.view(() => true))
  const said: string[] = []
  for (const health of healths) {
    const { notice } = troubles.take(health) ?? {}
    if (notice !== undefined) said.push(`${(clock.nowMs - start) / 1000} ${notice.code}`)
    await clock.advanceTo(clock.nowMs + 1000)
  }
  return said
}
const times = (count: number, ...healths: readonly Health[]): Health[] =>
  Array.from({ length: count }, () => healths).flat()

test('a trouble is said when it begins, and its end', async () => {
  const said = await saidOf(ok, ...times(600, away(1)), ok)
  expect(said).toEqual(['1 ELASTICSEARCH_UNREACHABLE', '601 ELASTICSEARCH_OK'])
})

test('several nodes that are away are one trouble', async () => {
  expect(await saidOf(...times(300, away(1), away(2)))).toEqual(['0 ELASTICSEARCH_UNREACHABLE'])
})

test('one that comes and goes is said once a minute at most, and what was not said is not said to be over', async () => {
  const said = await saidOf(...times(60, held(403), ok))
  expect(said).toEqual([
    '0 ELASTICSEARCH_HOLDING',
    '1 ELASTICSEARCH_OK',
    '60 ELASTICSEARCH_HOLDING',
    '61 ELASTICSEARCH_OK',
  ])
})

test('another trouble is said, but not within the same minute', async () => {
  expect(await saidOf(held(401), ...times(90, held(403)))).toEqual([
    '0 ELASTICSEARCH_HOLDING',
    '60 ELASTICSEARCH_HOLDING',
  ])
})

test('what is put off now and then is no trouble; for seconds it is', async () => {
  expect(await saidOf(...times(50, busy, ok))).toEqual([])
  expect(await saidOf(...times(20, busy), ok)).toEqual(['5 ELASTICSEARCH_OVERLOADED', '20 ELASTICSEARCH_OK'])
})
