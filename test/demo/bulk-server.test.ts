import { Client } from '@elastic/elasticsearch'
import { afterEach, expect, test } from 'vitest'
import { type BulkServer, type BulkServerOptions, startBulkServer } from '../../src/demo/bulk-server.ts'
import { ask, bulk, creates, filtered, ndjson, summary } from './bulk-client.ts'

let servers: BulkServer[] = []

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()))
  servers = []
})

async function start(options: Partial<BulkServerOptions> = {}): Promise<BulkServer> {
  const server = await startBulkServer({ documentsPath: undefined, ...options })
  servers.push(server)
  return server
}

test('a filtered answer is, byte for byte, what Elasticsearch sends', async () => {
  const server = await start()
  const good = await bulk(server, creates('a', 'b'), filtered)
  expect(good.text).toBe('{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}')
  expect(good.headers).toMatchObject({ 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
  const again = await bulk(server, creates('a', 'c'), filtered)
  expect(again.text).toBe(
    '{"errors":true,"items":[{"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}},{"create":{"status":201}}]}',
  )
})

test('an unfiltered answer has the keys of Elasticsearch in their order', async () => {
  const server = await start()
  const { text } = await ask(server.url, { path: '/plain/_bulk', body: creates('a', 'a') })
  const written =
    '{"create":{"_index":"plain","_id":"a","_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1,"status":201}}'
  const conflict =
    '{"create":{"_index":"plain","_id":"a","status":409,"error":{"type":"version_conflict_engine_exception","reason":"[a]: version conflict, document already exists (current version [1])","index_uuid":"U","shard":"0","index":"plain"}}}'
  const steady = text.replace(/"took":\d+/, '"took":0').replace(/"index_uuid":"[\w-]{22}"/, '"index_uuid":"U"')
  expect(steady).toBe(`{"errors":true,"took":0,"items":[${written},${conflict}]}`)
})

test('what a shipper asks before it ships', async () => {
  const server = await start()
  const get = (path: string, method = 'GET') => ask(server.url, { method, path, headers: {} })
  expect(JSON.parse((await get('/')).text)).toMatchObject({
    version: { number: '9.5.3' },
    tagline: 'You Know, for Search',
  })
  expect(await get('/', 'HEAD')).toMatchObject({ status: 200, text: '' })
  expect((await get('/logs-app-default', 'HEAD')).status).toBe(404)
  expect((await get('/_resolve/index/logs-app-default')).status).toBe(404)
  await bulk(server, creates('a'))
  const backing = [expect.stringMatching(/^\.ds-logs-app-default-[\d.]{10}-000001$/)]
  expect((await get('/logs-app-default', 'HEAD')).status).toBe(200)
  const resolved = await get('/_resolve/index/logs-*')
  const stream = { name: 'logs-app-default', backing_indices: backing, timestamp_field: '@timestamp' }
  expect(JSON.parse(resolved.text)).toEqual({ indices: [], aliases: [], data_streams: [stream] })
  expect((await get('/_cluster/health?filter_path=status')).text).toBe('{"status":"green"}')
  expect((await get('/logs-app-default/_count?filter_path=count')).text).toBe('{"count":1}')
  const described = Object.values<object>(JSON.parse((await get('/logs-app-default')).text))
  expect(described).toMatchObject([
    { mappings: { properties: { message: { type: 'text' } } }, data_stream: 'logs-app-default' },
  ])
  const privileges = await ask(server.url, {
    path: '/_security/user/_has_privileges',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(privileges.text).toBe(
    '{"error":"no handler found for uri [/_security/user/_has_privileges] and method [POST]"}',
  )
  expect(privileges.status).toBe(400)
  expect(await get('/x/_bulk')).toMatchObject({ status: 405, headers: { allow: 'POST,PUT' } })
  expect((await get('/%E0%A4%A')).status).toBe(400)
})

test('an _id is taken once in each backing index', async () => {
  const server = await start()
  await bulk(server, creates('a'))
  const { text } = await ask(server.url, { path: '/logs-app-default/_rollover', headers: {} })
  expect(JSON.parse(text)).toMatchObject({ rolled_over: true, new_index: expect.stringMatching(/-000002$/) })
  expect(summary(await bulk(server, creates('a')))).toBe('201')
  expect(server.account().ids).toBe(2)
})

test("Elasticsearch's own client takes it for Elasticsearch", async () => {
  const server = await start()
  const client = new Client({ node: server.url, maxRetries: 0 })
  try {
    expect((await client.info()).version.number).toBe('9.5.3')
    const operations = [{ create: { _id: 'a' } }, { '@timestamp': '2026-01-01T00:00:00Z', message: 'x' }]
    expect(await client.bulk({ index: 'logs-app-default', operations })).toMatchObject({ errors: false })
    expect(await client.indices.exists({ index: 'logs-app-default' })).toBe(true)
    const plain = { headers: { ...ndjson, accept: 'application/json' } }
    const request = {
      method: 'POST',
      path: '/logs-app-default/_bulk',
      querystring: filtered,
      bulkBody: Buffer.from(creates('b')),
    }
    expect(await client.transport.request(request, plain)).toEqual({
      errors: false,
      items: [{ create: { status: 201 } }],
    })
  } finally {
    await client.close()
  }
})

test('a port in use is an error', async () => {
  const { url } = await start()
  await expect(startBulkServer({ documentsPath: undefined, port: Number(new URL(url).port) })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})
