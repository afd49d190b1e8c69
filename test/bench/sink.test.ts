import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { infoBody } from '../../src/bench/sink/answers.ts'
import { makeFloor, runFloor } from '../../src/bench/floor/floor.ts'
import { Sink } from '../../bench/sink.ts'

let sink: Sink
let port = 0

async function start(strict: boolean): Promise<void> {
  sink = new Sink(strict)
  sink.server.listen(0, '127.0.0.1')
  await once(sink.server, 'listening')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has an AddressInfo
  port = (sink.server.address() as AddressInfo).port
}

beforeEach(() => start(false))
afterEach(() => sink.server.close())

const send = (path: string, body: string) => fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body })
const documents = (count: number) => '{"create":{"_id":"x"}}\n{"message":"hello"}\n'.repeat(count)

test('each document is answered as created, and counted', async () => {
  const answered = await send('/logs-generic-default/_bulk?filter_path=errors', documents(3))
  expect(answered.headers.get('x-elastic-product')).toBe('Elasticsearch')
  expect(answered.headers.get('content-type')).toBe('application/json')
  expect(answered.headers.get('content-length')).toBe('104')
  const item = '{"create":{"status":201}}'
  expect(await answered.text()).toBe(`{"errors":false,"items":[${item},${item},${item}]}`)
  await send('/_bulk', documents(20_000))
  const bodyBytes = documents(20_003).length
  expect(sink.totals()).toMatchObject({ requests: 2, documents: 20_003, bodyBytes, failures: 0 })
})

test('totals come by GET, when asked for only once they are reached, and can be reset', async () => {
  const waited = fetch(`http://127.0.0.1:${port}/_sink?wait=2`)
  await send('/_bulk', documents(1))
  await send('/_bulk', documents(1))
  expect(await (await waited).json()).toMatchObject({ documents: 2 })
  expect(await (await send('/_sink/reset', '')).json()).toMatchObject({ documents: 2 })
  expect(sink.totals()).toMatchObject({ requests: 0, documents: 0, bodyBytes: 0, firstAtMs: 0 })
})

test('it has a version, an answer to HEAD, and nothing else', async () => {
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).json()).toMatchObject({ version: { number: '9.5.3' } })
  const head = await fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
    200,
    String(infoBody.length),
    '',
  ])
  expect((await fetch(`http://127.0.0.1:${port}/nothing`)).status).toBe(404)
})

test('a strict sink finds what came twice, and refuses what is no bulk', async () => {
  sink.server.close()
  await start(true)
  await send('/_bulk', documents(2))
  expect(sink.totals().strict).toMatchObject({ duplicates: 1, withoutId: 0 })
  expect((await send('/_bulk', 'nonsense\nnonsense\n')).status).toBe(400)
  expect(sink.totals()).toMatchObject({ failures: 1, documents: 2 })
})

test.each(['auto', 'node'] as const)('the floor (%s) sends exactly the bytes asked for', async (kind) => {
  const dir = mkdtempSync(join(tmpdir(), 'remora-bench-test-'))
  try {
    const path = join(dir, 'x.log')
    const lines = 100_000
    writeFileSync(path, 'a line of forty bytes, its end included\n'.repeat(lines))
    const bodyBytes = lines * 40 * 2.25 + 1
    const floor = await makeFloor(kind)
    const run = await runFloor(floor, port, path, bodyBytes)
    const totals = sink.totals()
    expect(run).toMatchObject({ bodyBytes, requests: 2 })
    expect(totals).toMatchObject({ bodyBytes, requests: 2, failures: 0, answerBytes: run.answerBytes })
    expect(totals.documents).toBeGreaterThan(lines * 1.1)
    expect(run.userUs + run.systemUs).toBeGreaterThan(0)
  } finally {
    rmSync(dir, { recursive: true })
  }
})
