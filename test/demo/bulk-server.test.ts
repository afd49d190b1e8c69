import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Client } from '@elastic/elasticsearch'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { type BulkServer, type BulkServerOptions, startBulkServer } from '../../src/demo/bulk-server.ts'
import { BulkHandler } from '../../src/demo/bulk-server-bulk.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { Indices } from '../../src/demo/bulk-server-indices.ts'
import { ask, ndjson, summary } from './bulk-client.ts'

let directory: string
let documentsPath: string
let servers: BulkServer[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bulk-server-'))
  documentsPath = join(directory, 'documents.ndjson')
  servers = []
})
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()))
  await rm(directory, { recursive: true })
})

async function start(options: Partial<BulkServerOptions> = {}): Promise<BulkServer> {
  const server = await startBulkServer({ documentsPath, ...options })
  servers.push(server)
  return server
}

const filtered = 'filter_path=errors,items.*.status,items.*.error.type'

function creates(...ids: string[]): string {
  const one = '{"create":{"_id":"ID"}}\n{"@timestamp":"2026-01-01T00:00:00.000Z","message":"line ID"}\n'
  return ids.map((id) => one.replaceAll('ID', id)).join('')
}

function bulk(server: BulkServer, body: string | Buffer, query = '') {
  return ask(server.url, { path: `/logs-app-default/_bulk?${query}`, body })
}

async function stored(): Promise<string[]> {
  const ids: string[] = []
  for await (const { _id } of readDocuments(documentsPath)) ids.push(_id)
  return ids
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

test('accepted documents are in the file, in order, before the answer', async () => {
  const server = await start()
  await bulk(server, creates('b', 'a', 'b') + '{"create":{"_id":"bad"}}\n[]\n')
  const lines = (await readFile(documentsPath, 'utf8')).split('\n')
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '.')
  expect(lines[0]).toBe(
    `{"_index":".ds-logs-app-default-${day}-000001","_id":"b","_source":{"@timestamp":"2026-01-01T00:00:00.000Z","message":"line b"}}`,
  )
  expect(await stored()).toEqual(['b', 'a'])
  expect(server.account()).toMatchObject({ requests: 1, documents: 2, duplicates: 1, refused: 1, ids: 2 })
})

test('a carriage return between tokens does not break the line of a document', async () => {
  const server = await start()
  await bulk(server, '{"create":{}}\n{"@timestamp":\r"2026-01-01",\r"message":"a\\r\u2028b"}\r\n')
  const text = await readFile(documentsPath, 'utf8')
  expect(text).not.toContain('\r')
  for await (const { _source } of readDocuments(documentsPath)) expect(_source['message']).toBe('a\r\u2028b')
})

test('a server started again knows the documents of the first, less a cut line', async () => {
  await bulk(await start(), creates('a', 'b'))
  await servers[0]?.close()
  await writeFile(documentsPath, '{"_index":"logs', { flag: 'a' })
  const second = await start()
  expect(second.account()).toMatchObject({ documents: 0, ids: 2 })
  expect(summary(await bulk(second, creates('b', 'c')))).toBe('409 version_conflict_engine_exception, 201')
  expect(await stored()).toEqual(['a', 'b', 'c'])
})

test('the same documents at once from many sides are kept once', async () => {
  const server = await start()
  const ids = Array.from({ length: 50 }, (_, number) => `id-${number}`)
  await Promise.all(Array.from({ length: 20 }, () => bulk(server, creates(...ids), filtered)))
  expect((await stored()).toSorted()).toEqual(ids.toSorted())
  expect(server.account()).toMatchObject({ requests: 20, documents: 50, duplicates: 950, ids: 50 })
})

test('a document that cannot be kept is not acknowledged, and is new when it comes again', async () => {
  let broken = true
  const sink = { append: () => (broken ? Promise.reject(new Error('ENOSPC: no space left')) : Promise.resolve()) }
  const indices = new Indices([], systemClock)
  const handler = new BulkHandler(indices, sink, systemClock, undefined)
  const body = Buffer.from(creates('a', 'b', 'a'))
  expect(await handler.handle(body, { index: 'x' })).toMatchObject({ status: 503, type: 'io_exception' })
  expect(indices.distinctIds()).toBe(0)
  broken = false
  expect(await handler.handle(body, { index: 'x' })).toMatchObject({ errors: true })
  expect(handler.counts).toEqual({ documents: 2, duplicates: 1, refused: 0 })
})

test('a body over the limit is answered 413 with nothing else, however it comes', async () => {
  const server = await start({ contentBytesMax: 1000 })
  const body = creates('a').repeat(20)
  const requests = [
    { body },
    { body, chunked: true },
    { body: gzipSync(body), headers: { ...ndjson, 'content-encoding': 'gzip' } },
    { body: gzipSync(body), headers: { ...ndjson, 'content-encoding': 'gzip' }, chunked: true },
  ]
  for (const request of requests) {
    const answer = await ask(server.url, { path: '/x/_bulk', ...request })
    expect(answer).toMatchObject({ status: 413, text: '', headers: { connection: 'close', 'content-length': '0' } })
    expect(answer.headers['x-elastic-product']).toBeUndefined()
  }
  expect(summary(await bulk(server, creates('a')))).toBe('201')
  expect(server.account().requests).toBe(1)
})

test('gzip is unzipped; what only says so gets no answer but a reset', async () => {
  const server = await start()
  const headers = { ...ndjson, 'content-encoding': 'gzip' }
  const zipped = gzipSync(creates('a'))
  expect(summary(await ask(server.url, { path: '/x/_bulk', headers, body: zipped }))).toBe('201')
  for (const body of [creates('b'), zipped.subarray(0, -12)]) {
    await expect(ask(server.url, { path: '/x/_bulk', headers, body })).rejects.toMatchObject({ code: 'ECONNRESET' })
  }
  expect(server.account()).toMatchObject({ requests: 1, documents: 1, bytes: creates('a').length })
})

test('more bytes in flight than allowed are answered 429, and are free again afterwards', async () => {
  const server = await start({
    inFlightBytesMax: 300,
    faults: { onBulk: ({ number }) => (number === 1 ? { delayMs: 300 } : undefined) },
  })
  const [slow, refused] = await Promise.all([bulk(server, creates('a', 'b')), bulk(server, creates('c', 'd'))])
  expect([summary(slow), summary(refused)].toSorted()).toEqual([
    '201, 201',
    'whole 429 es_rejected_execution_exception',
  ])
  expect(summary(await bulk(server, creates('e', 'f')))).toBe('201, 201')
})

test.each([
  ['20 levels', '{"a":'.repeat(20) + '1' + '}'.repeat(20), '201'],
  ['21 levels', '{"a":'.repeat(21) + '1' + '}'.repeat(21), '400 document_parsing_exception'],
  ['21 levels by dots', `{"${Array.from('abcdefghijklmnopqrstu').join('.')}":1}`, '400 document_parsing_exception'],
  ['1000 levels of arrays', `{"a":${'['.repeat(999)}${']'.repeat(999)}}`, '201'],
  ['1001 levels of arrays', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, '400 document_parsing_exception'],
  ['100,000 levels of arrays', `{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, '400 document_parsing_exception'],
  ['1000 fields', `{${Array.from({ length: 1000 }, (_, i) => `"f${i}":1`).join()}}`, '201'],
  ['1001 fields', `{${Array.from({ length: 1001 }, (_, i) => `"f${i}":1`).join()}}`, '400 document_parsing_exception'],
  [
    '501 texts, each with its keyword',
    `{${Array.from({ length: 501 }, (_, i) => `"f${i}":"a"`).join()}}`,
    '400 document_parsing_exception',
  ],
  ['__proto__', '{"__proto__":{"a":1},"constructor":1}', '201'],
])('a document with %s', async (_name, source, expected) => {
  const server = await start()
  expect(summary(await ask(server.url, { path: '/x/_bulk', body: `{"create":{}}\n${source}\n` }))).toBe(expected)
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

test('a port in use is an error, and leaves no file open', async () => {
  const { url } = await start()
  await expect(startBulkServer({ documentsPath, port: Number(new URL(url).port) })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})
