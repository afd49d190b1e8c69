import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { AnswerReader } from '../../src/ship/answer.ts'
import type { Sent } from '../../src/ship/transport.ts'
import { documentsOf, idsOf } from './documents.ts'
import { statusOf, worldOf } from './harness.ts'

interface Recorded {
  readonly name: string
  readonly status: number
  readonly documents: number
  readonly answer: unknown
}

/** What real servers said: Elasticsearch 9.5.3, 8.19.21, 7.17.29 and OpenSearch 3.9.0. */
const answers = JSON.parse(readFileSync(new URL('answers.json', import.meta.url), 'utf8')) as Record<string, Recorded[]>

/** What becomes of each document. `es7 name` where one server differs. */
const verdicts: Readonly<Record<string, string>> = {
  'stream: created, automatic _id': 'done',
  'stream: created, given _id': 'done',
  'stream: duplicate _id': 'done done',
  'stream: no @timestamp': 'refused',
  'es7 stream: no @timestamp': 'done',
  'stream: bad @timestamp': 'refused',
  'plain: duplicate _id': 'done done',
  'plain: text for a long': 'done refused done',
  'plain: object for a text': 'refused',
  'plain: value for an object': 'done refused',
  'plain: immense keyword': 'refused',
  // An unknown type that refuses every document of a request holds.
  'es7 plain: immense keyword': 'hold',
  'os3 plain: immense keyword': 'hold',
  'plain: _id over 512 bytes': 'hold hold',
  'plain: doc is not JSON': 'refused done',
  'plain: doc is cut short': 'refused done',
  'plain: lone surrogate and control bytes': 'done',
  'plain: invalid UTF-8': 'refused',
  'plain: duplicate key in doc': 'refused',
  'strict: unknown field': 'refused',
  'total fields limit': 'refused',
  'os3 total fields limit': 'hold',
  'write block': 'hold',
  'flood stage block': 'hold',
  'closed index': 'hold',
  'primary not assigned, timeout 1s': 'again',
  'bad index name': 'hold',
  'require_data_stream on an index': 'hold',
  'es7 require_data_stream on an index': 'hold hold',
  'os3 require_data_stream on an index': 'hold hold',
  'unknown pipeline': 'hold',
  'unknown action': 'hold hold',
  'action line is not JSON': 'hold hold',
  'no final newline': 'hold hold',
  'no Content-Type': 'hold hold',
  gzip: 'done',
  'unknown content-encoding': 'done',
  'compatible-with=9': 'done',
  'es8 compatible-with=9': 'hold hold',
  'os3 compatible-with=9': 'hold hold',
  'filter_path=errors,items.*.status': 'done refused done',
  'filter_path=errors,items.*.status,items.*.error': 'done refused done',
  'filter_path=errors,items.*.error': 'malformed malformed malformed',
  'filter_path=errors, nothing wrong': 'malformed malformed malformed',
  'over http.max_content_length': 'split split',
  'over http.max_content_length, gzip': 'split split',
  'parent circuit breaker': 'again again',
  'cluster read only': 'hold hold',
  'no such index, auto create off': 'hold',
  'too many shards': 'hold',
  'write queue full: 60 bulks of 40 at once': 'again',
  'es7 write queue full: 60 bulks of 40 at once': 'again done',
  'one bulk over indexing_pressure.memory.limit': 'again again',
  'one document of 14 MB, heap of 512m': 'done',
  'es9 one document of 14 MB, heap of 512m': 'again',
  'no credentials': 'hold hold',
  'wrong password': 'hold hold',
  // The index of users was not there yet.
  'es9 wrong password': 'again again',
  'unknown API key': 'hold hold',
  superuser: 'done',
  'limited key: allowed': 'done',
  'limited key: given _id': 'done',
  'limited key: allowed and not': 'done hold',
  // Never sent so: an item that answers for no `create` is no answer to Remora's request.
  'stream: index instead of create': 'malformed',
  'limited key: index instead of create, given _id': 'malformed',
  'empty body': 'hold hold',
  'only a newline': 'hold hold',
  // A reset: no answer at all.
  'gzip that is not': 'malformed malformed',
}

function sentOf({ status, documents, answer }: Recorded): Sent {
  if (status === 0) return { kind: 'failed', message: String(answer), reached: true, stale: false }
  if (status !== 200) {
    const error = (answer as { error?: { type?: string } | string }).error
    return statusOf(status, typeof error === 'object' ? error.type : '')
  }
  const reader = new AnswerReader(documents)
  expect(reader.feed(Buffer.from(JSON.stringify(answer)))).toBe(true)
  return { kind: 'answered', answer: reader.end() }
}

/** Sends a batch that is answered so, and tells from what the shipper does next what it thinks of each document. */
async function verdictsOf(recorded: Recorded, count: number): Promise<string> {
  const world = worldOf({
    answer: ({ number }, { stop }) => {
      if (number === 0) return sentOf(recorded)
      stop.abort()
      return { kind: 'failed', message: 'stopped', reached: true, stale: false }
    },
  })
  const delivered = await world.deliver(documentsOf(count))
  const refused = idsOf(Buffer.from(world.letters.map(({ action }) => action).join('\n')))
  const [health] = world.healths
  const again = world.attempts[1]
  const waits = { overloaded: 'again', holding: 'hold', unreachable: 'malformed' } as const
  const word =
    health === undefined || health.state === 'ok' || health.state === 'unknown' ? 'split' : waits[health.state]
  const left = new Set(again === undefined ? [] : idsOf(Buffer.from(again.body)))
  const words = Array.from({ length: count }, (_, index) => {
    if (refused.includes(index)) return 'refused'
    return left.has(index) || (word === 'split' && delivered.held > 0) ? word : 'done'
  })
  expect(delivered).toMatchObject({
    done: words.filter((each) => each === 'done').length,
    deadLettered: words.filter((each) => each === 'refused').length,
    lost: 0,
  })
  return words.join(' ')
}

describe.each(Object.entries(answers))('%s', (server, recordings) => {
  test.each(recordings.map((recorded) => [recorded.name, recorded] as const))('%s', async (name, recorded) => {
    const expected = verdicts[`${server} ${name}`] ?? verdicts[name]
    expect(expected, 'every recorded answer has its verdict here').toBeDefined()
    expect(await verdictsOf(recorded, recorded.status === 200 ? recorded.documents : 2)).toBe(expected)
  })
})

test('each verdict here has its answer', () => {
  const recorded = Object.entries(answers).flatMap(([server, list]) =>
    list.flatMap(({ name }) => [name, `${server} ${name}`]),
  )
  expect(Object.keys(verdicts).filter((name) => !recorded.includes(name))).toEqual([])
})
