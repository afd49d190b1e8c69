import { afterEach, expect, test, vi } from 'vitest'
import { type BulkFault, type BulkServer, type Faults, startBulkServer } from '../../src/demo/bulk-server.ts'
import { ask, summary } from './bulk-client.ts'

let server: BulkServer

afterEach(() => server.close())

async function start(faults: Faults): Promise<void> {
  server = await startBulkServer({ documentsPath: undefined, faults })
}

const body = ['a', 'b', 'c'].map((id) => `{"create":{"_id":"${id}"}}\n{"message":"${id}"}\n`).join('')
const send = () => ask(server.url, { path: '/x/_bulk?filter_path=errors', body })
const conflict = '409 version_conflict_engine_exception'

test('the hook sees each request and may answer it', async () => {
  const onBulk = vi.fn<NonNullable<Faults['onBulk']>>(({ number }) =>
    number === 1
      ? { status: 503, body: '<html>', headers: { 'content-type': 'text/html', 'X-elastic-product': '' } }
      : undefined,
  )
  await start({ onBulk })
  const answer = await send()
  expect(answer).toMatchObject({ status: 503, text: '<html>', headers: { 'content-type': 'text/html' } })
  expect(answer.headers['x-elastic-product']).toBeUndefined()
  expect((await send()).text).toBe('{"errors":false}')
  expect(onBulk.mock.calls).toEqual([
    [{ path: '/x/_bulk?filter_path=errors', body: Buffer.from(body), number: 1 }],
    [{ path: '/x/_bulk?filter_path=errors', body: Buffer.from(body), number: 2 }],
  ])
  expect(server.account()).toMatchObject({ requests: 2, documents: 3, bytes: 2 * body.length })
})

test.each<[BulkFault, number]>([
  ['reset', 0],
  ['indexed-then-reset', 3],
])('%s: the connection is reset, %i documents are there', async (fault, documents) => {
  await start({ onBulk: ({ number }) => (number === 1 ? fault : undefined) })
  await expect(send()).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(server.account().documents).toBe(documents)
  const again = await ask(server.url, { path: '/x/_bulk', body })
  expect(summary(again)).toBe(
    Array<string>(3)
      .fill(documents === 0 ? '201' : conflict)
      .join(', '),
  )
})

test.each<[BulkFault, number]>([
  ['hang', 0],
  ['indexed-then-hang', 3],
])('%s: no answer comes until the server is closed, %i documents are there', async (fault, documents) => {
  await start({ onBulk: () => fault })
  const sent = send()
  const ended = vi.fn<() => void>()
  sent.then(ended, ended)
  await vi.waitFor(() => expect(server.account()).toMatchObject({ requests: 1, documents }))
  expect(ended).not.toHaveBeenCalled()
  await server.close()
  await expect(sent).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test('a delay comes before the indexing', async () => {
  await start({ onBulk: () => ({ delayMs: 150 }) })
  const startMs = performance.now()
  const sent = send()
  await vi.waitFor(() => expect(server.account().requests).toBe(1))
  expect(server.account().documents).toBe(0)
  await sent
  expect(performance.now() - startMs).toBeGreaterThan(140)
  expect(server.account().documents).toBe(3)
})

test('single documents are refused on cue, in their places', async () => {
  const seen: string[] = []
  const failure = { status: 429, type: 'es_rejected_execution_exception', reason: 'queue full' }
  await start({
    perItem({ index, id, source }, number) {
      seen.push(`${number} ${index} ${id} ${source.toString()}`)
      return number === 2 ? failure : undefined
    },
  })
  const first = await ask(server.url, { path: '/x/_bulk', body })
  expect(summary(first)).toBe('201, 429 es_rejected_execution_exception, 201')
  expect(seen).toEqual(['1 x a {"message":"a"}', '2 x b {"message":"b"}', '3 x c {"message":"c"}'])
  expect(summary(await ask(server.url, { path: '/x/_bulk', body }))).toBe(`${conflict}, 201, ${conflict}`)
  expect(server.account()).toMatchObject({ documents: 3, duplicates: 2, refused: 1, ids: 3 })
})
