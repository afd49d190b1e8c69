import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { type BulkServer, startBulkServer } from '../../src/demo/bulk-server.ts'
import { BulkHandler } from '../../src/demo/bulk-server-bulk.ts'
import { type AppendHandle, DocumentsFile, readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { Indices } from '../../src/demo/bulk-server-indices.ts'
import { bulk, creates, filtered, summary } from './bulk-client.ts'

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

async function start(): Promise<BulkServer> {
  const server = await startBulkServer({ documentsPath })
  servers.push(server)
  return server
}

async function stored(): Promise<string[]> {
  const ids: string[] = []
  for await (const { _id } of readDocuments(documentsPath)) ids.push(_id)
  return ids
}

test('accepted documents are in the file, in order, before the answer', async () => {
  const server = await start()
  await bulk(server, creates('b', 'a', 'b') + '{"create":{"_id":"bad"}}\n[]\n')
  const lines = (await readFile(documentsPath, 'utf8')).split('\n')
  const source = '{"@timestamp":"2026-01-01T00:00:00.000Z","message":"line b"}'
  const backing = '.ds-logs-app-default-2026.01.01-000001'
  expect(lines[0]?.replace(/\d{4}\.\d\d\.\d\d/, '2026.01.01')).toBe(
    `{"_index":"${backing}","_id":"b","_source":${source}}`,
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

test('a document is a duplicate only of one that was kept', async () => {
  const first = Promise.withResolvers<void>()
  let appends = 0
  const sink = { append: () => (++appends === 1 ? first.promise : Promise.resolve()) }
  const handler = new BulkHandler(new Indices([], systemClock), sink, systemClock, undefined)
  const answers = [1, 2].map(() => handler.handle(Buffer.from(creates('a')), { index: 'x' }))
  first.reject(new Error('EIO'))
  expect(await Promise.all(answers)).toMatchObject([{ status: 503 }, { errors: false }])
})

test('a write that fails half way leaves the file as it was', async () => {
  const real = await open(documentsPath, 'a')
  const handle: AppendHandle = {
    async appendFile() {
      await real.appendFile('{"los')
      throw new Error('ENOSPC')
    },
    truncate: (length) => real.truncate(length),
    close: () => real.close(),
  }
  await real.appendFile('{"kept":1}\n')
  const file = new DocumentsFile(handle, 11)
  await expect(file.append(Buffer.from('{"lost":1}\n'))).rejects.toThrow('ENOSPC')
  await file.close()
  expect(await readFile(documentsPath, 'utf8')).toBe('{"kept":1}\n')
})
