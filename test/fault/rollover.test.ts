import { randomInt } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { describeElasticsearch, sharedElasticsearch, type Elasticsearch } from '../kit/elasticsearch.ts'
import { succeed } from '../kit/elasticsearch/client.ts'
import type { Fault, Phase } from '../kit/fault-proxy.ts'
import { rolling, runCell } from './run-cell.ts'

/** What leaves it open whether documents are there: each is followed by a rollover, before the agent can know. */
const doubts: readonly (readonly [name: string, fault: Fault, phase: Phase])[] = [
  ['a reset with all of it taken', { kind: 'reset' }, 'request complete'],
  ['silence with all of it taken', { kind: 'stall' }, 'request complete'],
  ['an answer that is cut', { kind: 'close' }, 'answer body'],
  ['an answer without its end', { kind: 'stall' }, 'answer begun'],
  ['a request that is cut', { kind: 'reset' }, 'request body'],
  ['504 with all of it taken', { kind: 'answer', status: 504, passedOn: true }, 'request complete'],
  ['429 with all of it taken', { kind: 'answer', status: 429, passedOn: true }, 'request complete'],
  [
    '200 with HTML with all of it taken',
    {
      kind: 'answer',
      status: 200,
      content: Buffer.from('<html>'),
      headers: { 'content-type': 'text/html' },
      passedOn: true,
    },
    'request complete',
  ],
  ['the answer to another request', { kind: 'other answer', items: -1 }, 'answer body'],
]

const times = 3

let server: Elasticsearch

describeElasticsearch('rolled over after each request that fails', () => {
  beforeAll(async () => {
    server = await sharedElasticsearch()
    const body = { index_patterns: [`${rolling}*`], data_stream: {}, priority: 951 }
    await succeed(server, 'PUT', '/_index_template/faults-rolling', body)
  })

  const run = randomInt(1e9)
  test.concurrent.for(doubts.map((doubt, n) => [...doubt, n] as const))(
    '%s: nothing lost, nothing twice',
    { timeout: 240_000 },
    async ([fault, what, phase, n]) => {
      const name = `${run}-${n}`
      let rollovers = 0
      // Of two at once the first may not be there yet, and without it there is nothing to roll over.
      const after = phase === 'request body' ? 2 : 0
      const cell = { fault, where: phase, target: 'rolling' as const, strikes: [{ fault: what, phase, times, after }] }
      const result = await runCell(server, cell, name, async () => {
        const { rolled_over: rolledOver } = await succeed(server, 'POST', `/${rolling}${name}/_rollover`)
        if (rolledOver === true) rollovers++
      })
      expect(result.proxyFailures).toEqual([])
      expect(result.hits, result.output).toEqual([times])
      // Of two that overlap, as on a busy machine, Elasticsearch makes one and tells the other one that it made none.
      expect(rollovers).toBeGreaterThanOrEqual(times - 1)
      expect(result.stored, result.output).toEqual({ documents: result.expected, lost: 0, twice: 0, wrong: 0 })
      expect(result.exitCode, result.output).toBe(0)
      expect(result.said).not.toContain('DUPLICATES_POSSIBLE')
    },
  )
})
