import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeLookup, type Lookup } from '../../src/ship/lookup.ts'
import {
  describeElasticsearch,
  sharedElasticsearch,
  startElasticsearch,
  type Elasticsearch,
} from '../kit/elasticsearch.ts'
import { peerOf, senderTo } from './sending.ts'

const { signal } = new AbortController()
const answered = (value: unknown) => ({ kind: 'answered', value })

async function lookupOf(status: number, body: string): Promise<Lookup> {
  const peer = await peerOf(async (request) => {
    await request.body()
    request.reply(status, body, { 'content-type': body.startsWith('<') ? 'text/html' : 'application/json' })
  })
  return makeLookup(senderTo(peer.url).connections, 'logs', 1_000)
}

describe('what a server answers that cannot tell', () => {
  const shardless = '{"docs":[{"found":true},{"error":{"type":"no_shard_available_action_exception"}}]}'
  const shut = '{"docs":[{"found":true},{"error":{"type":"index_closed_exception"}}]}'

  test.each([
    ['a privilege is missing', 403, '{"error":{"type":"security_exception"}}', 'refused'],
    ['nobody is known', 401, '{}', 'refused'],
    ['a proxy allows _bulk only', 404, '<html>', 'refused'],
    ['it is an old version', 405, '{"error":"Incorrect HTTP method"}', 'refused'],
    ['a proxy says that all is well', 200, '{"errors":false,"items":[]}', 'unreachable'],
    ['a proxy says nothing', 200, '{}', 'unreachable'],
    ['a proxy shows a page', 200, '<html>', 'unreachable'],
    ['the answer was lost on its way', 200, '', 'unreachable'],
    ['the index is closed', 200, shut, 'refused'],
    ['a shard is not started', 200, shardless, 'unready'],
    ['it has too much to do', 429, '{"error":{"type":"es_rejected_execution_exception"}}', 'overloaded'],
    ['a proxy found nobody', 503, '<html>', 'overloaded'],
  ])('%s', async (_name, status, body, expected) => {
    const lookup = await lookupOf(status, body)
    for (const asked of [await lookup.indices(signal), await lookup.present('a', ['one', 'two'], signal)]) {
      const said = asked.kind === 'failed' ? asked.state : asked.kind
      // A document that is not told of is no answer to the question which indices there are.
      expect(said === 'unready' && expected === 'refused' ? 'refused' : said).toBe(expected)
    }
  })

  test('a server that is not there', async () => {
    const gone = await peerOf(() => undefined)
    await gone.close()
    const lookup = makeLookup(senderTo(gone.url).connections, 'logs', 1_000)
    expect(await lookup.indices(signal)).toMatchObject({ kind: 'failed', state: 'unreachable' })
  })

  test('a server that does not answer, when the agent stops', async () => {
    const peer = await peerOf(() => stop.abort())
    const stop = new AbortController()
    const lookup = makeLookup(senderTo(peer.url).connections, 'logs', 60_000)
    expect(await lookup.indices(stop.signal)).toMatchObject({ kind: 'failed' })
  })

  test('an answer without an end is given up', async () => {
    const lookup = await lookupOf(200, `{"indices":[{"name":"${'x'.repeat(8 * 1024 * 1024)}"}]}`)
    expect(await lookup.indices(signal)).toMatchObject({ kind: 'failed' })
  })
})

describeElasticsearch('a real Elasticsearch tells what is there', () => {
  let server: Elasticsearch
  let name: string
  let tests = 0

  beforeEach(async () => {
    server = await sharedElasticsearch()
    name = `lookup-${process.pid}-${++tests}`
  })
  afterEach(() => server.request('DELETE', `/_index_template/${name}`))

  const succeed = async (method: string, path: string, body?: unknown) => {
    const answer = await server.request(method, path, body)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    return answer.body
  }
  const create = (target: string, id: string) =>
    succeed(
      'POST',
      `/${target}/_bulk`,
      `{"create":{"_id":"${id}"}}\n{"@timestamp":"2026-11-23T10:00:00Z","message":"${id}"}\n`,
    )
  const lookupFor = (target: string) => makeLookup(senderTo(server.url).connections, target, 30_000)
  const streamOf = async () => {
    await succeed('PUT', `/_index_template/${name}`, { index_patterns: [name], data_stream: {}, priority: 900 })
  }
  const backing = (generation: number) => expect.stringMatching(new RegExp(`^\\.ds-${name}-.*-00000${generation}$`))

  test('of a data stream, from before its first document to after the deletion of its first index', async () => {
    await streamOf()
    const lookup = lookupFor(name)
    expect(await lookup.indices(signal)).toEqual(answered([]))
    await create(name, 'one')
    const first = await lookup.indices(signal)
    expect(first).toEqual(answered([backing(1)]))
    await succeed('POST', `/${name}/_rollover`)
    await create(name, 'two')
    const both = await lookup.indices(signal)
    expect(both).toEqual(answered([backing(1), backing(2)]))
    const [older, newer] = both.kind === 'answered' ? both.value : []
    // What was not refreshed is seen.
    await create(name, 'three')
    const ids = ['one', 'two', 'three', 'none']
    expect(await lookup.present(older!, ids, signal)).toEqual(answered([true, false, false, false]))
    expect(await lookup.present(newer!, ids, signal)).toEqual(answered([false, true, true, false]))
    await succeed('DELETE', `/${older!}`)
    expect(await lookup.indices(signal)).toEqual(answered([newer]))
    expect(await lookup.present(older!, ids, signal)).toEqual(answered([false, false, false, false]))
  })

  test('of an alias: the index that is written to comes last, whatever its name', async () => {
    await succeed('PUT', `/${name}-b`, { aliases: { [name]: { is_write_index: true } } })
    const lookup = lookupFor(name)
    expect(await lookup.indices(signal)).toEqual(answered([`${name}-b`]))
    await succeed('PUT', `/${name}-a`, { aliases: { [name]: {} } })
    expect(await lookup.indices(signal)).toEqual(answered([`${name}-a`, `${name}-b`]))
    await succeed('POST', '/_aliases', {
      actions: [
        { add: { index: `${name}-a`, alias: name, is_write_index: true } },
        { add: { index: `${name}-b`, alias: name, is_write_index: false } },
      ],
    })
    expect(await lookup.indices(signal)).toEqual(answered([`${name}-b`, `${name}-a`]))
  })

  test('of an alias of a data stream', async () => {
    await streamOf()
    await create(name, 'one')
    await succeed('POST', `/${name}/_rollover`)
    await succeed('POST', '/_aliases', {
      actions: [{ add: { index: name, alias: `${name}-alias`, is_write_index: true } }],
    })
    expect(await lookupFor(`${name}-alias`).indices(signal)).toEqual(answered([backing(1), backing(2)]))
  })

  test('of a plain index, open and closed', async () => {
    await succeed('PUT', `/${name}`)
    const lookup = lookupFor(name)
    expect(await lookup.indices(signal)).toEqual(answered([name]))
    await succeed('POST', `/${name}/_close`)
    expect(await lookup.indices(signal)).toEqual(answered([name]))
    expect(await lookup.present(name, ['one'], signal)).toEqual({
      kind: 'refused',
      why: `POST /${name}/_mget is answered 200 index_closed_exception`,
    })
  })
})

describeElasticsearch('a real Elasticsearch with security', () => {
  test(
    'refuses without the privileges, and tells with view_index_metadata and read',
    { timeout: 240_000 },
    async () => {
      const server = await startElasticsearch({ user: { name: 'root', password: 'rootroot' } })
      try {
        const must = async (method: string, path: string, body?: unknown) => {
          expect(await server.request(method, path, body)).toMatchObject({
            status: expect.toSatisfy((s: number) => s < 300),
          })
        }
        await must('PUT', '/logs-a', { aliases: { logs: { is_write_index: true } } })
        await must('PUT', '/logs-b', { aliases: { logs: {} } })
        const kindsOf = async (user: string, privileges: readonly string[]) => {
          const role = { indices: [{ names: ['logs*'], privileges }] }
          await must('PUT', `/_security/role/${user}`, role)
          await must('PUT', `/_security/user/${user}`, { password: 'secret1', roles: [user] })
          const { connections } = senderTo(server.url, { username: user, password: 'secret1' })
          const lookup = makeLookup(connections, 'logs', 30_000)
          const asked = [await lookup.indices(signal), await lookup.present('logs-a', ['one'], signal)]
          return asked.map(({ kind }) => kind)
        }
        expect(await kindsOf('only-writes', ['create_doc', 'auto_configure'])).toEqual(['refused', 'refused'])
        expect(await kindsOf('also-looks', ['create_doc', 'view_index_metadata'])).toEqual(['answered', 'refused'])
        expect(await kindsOf('also-reads', ['create_doc', 'view_index_metadata', 'read'])).toEqual([
          'answered',
          'answered',
        ])
      } finally {
        await server.remove()
      }
    },
  )
})
