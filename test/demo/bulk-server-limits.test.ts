import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { sleep, systemClock } from '../../src/base/clock.ts'
import { type BulkServer, type BulkServerOptions, startBulkServer } from '../../src/demo/bulk-server.ts'
import { ask, bulk, creates, ndjson, summary } from './bulk-client.ts'

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

test('requests that come to nothing hold no bytes', async () => {
  const server = await start({ contentBytesMax: 1000, inFlightBytesMax: 1500 })
  const body = creates('a').repeat(20)
  for (let round = 0; round < 5; round++) {
    expect((await ask(server.url, { path: '/x/_bulk', body, chunked: true })).status).toBe(413)
    await cut(server.url, 'content-encoding: gzip', gzipSync(creates('a', 'b', 'c', 'd', 'e')))
    await cut(server.url, 'accept: */*', Buffer.from(creates('a', 'b', 'c', 'd', 'e')))
  }
  expect(summary(await bulk(server, creates('a', 'b', 'c', 'd', 'e')))).toContain('201, 201')
  expect(server.account().requests).toBe(1)
})

/** Sends a request without its last byte, waits a little, and hangs up. */
async function cut(url: string, header: string, body: Buffer): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  const head = `host: x\r\ncontent-type: application/x-ndjson\r\n${header}\r\ncontent-length: ${body.length + 1}\r\n\r\n`
  socket.write(`POST /x/_bulk HTTP/1.1\r\n${head}`)
  socket.write(body)
  await sleep(systemClock, 20)
  socket.destroy()
  await once(socket, 'close')
}

test.each([
  ['20 levels', '{"a":'.repeat(20) + '1' + '}'.repeat(20), '201'],
  ['21 levels', '{"a":'.repeat(21) + '1' + '}'.repeat(21), '400 document_parsing_exception'],
  ['21 levels by dots', `{"${Array.from('abcdefghijklmnopqrstu').join('.')}":1}`, '400 document_parsing_exception'],
  ['1000 levels of arrays', `{"a":${'['.repeat(999)}${']'.repeat(999)}}`, '201'],
  ['1001 levels of arrays', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, '400 document_parsing_exception'],
  ['100,000 levels of arrays', `{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, '400 document_parsing_exception'],
  ['1000 fields', fields('f', 1000), '201'],
  ['1001 fields', fields('f', 1001), '400 document_parsing_exception'],
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

test('the fields of all documents of an index count together', async () => {
  const server = await start()
  const body = `{"create":{}}\n${fields('a', 600)}\n{"create":{}}\n${fields('b', 600)}\n{"create":{}}\n${fields('a', 600)}\n`
  expect(summary(await ask(server.url, { path: '/x/_bulk', body }))).toBe('201, 400 document_parsing_exception, 201')
})

function fields(letter: string, count: number): string {
  return `{${Array.from({ length: count }, (_, number) => `"${letter}${number}":1`).join()}}`
}
