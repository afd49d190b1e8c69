// oxlint-disable no-underscore-dangle -- Elasticsearch's own names
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import {
  accountOf,
  describeElasticsearch,
  LineAccount,
  startElasticsearch,
  type RealElasticsearch,
} from '../kit/elasticsearch.ts'
import { isAlive } from '../kit/elasticsearch/guardian.ts'

function bulkOf(documents: readonly { id: string; message: string }[]): string {
  const lines = documents.flatMap(({ id, message }) => [
    { create: { _id: id } },
    { '@timestamp': '2026-01-01T00:00:00Z', message },
  ])
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

const documents = Array.from({ length: 2_500 }, (_, number) => ({
  id: `id-${number}`,
  message: `line ${number} \u{1f980}`,
}))
const template = { index_patterns: ['logs-*-*'], data_stream: {}, priority: 100 }

describeElasticsearch('a server without security', () => {
  let server: RealElasticsearch
  beforeAll(async () => {
    server = await startElasticsearch()
    await server.request('PUT', '/_index_template/logs-test', template)
  })
  afterAll(() => server?.remove())

  test('a bulk makes the data stream of a template, and its repetition changes nothing', async () => {
    const first = await server.request('POST', '/logs-generic-default/_bulk', bulkOf(documents))
    expect(first).toMatchObject({ status: 200, body: { errors: false } })
    const again = await server.request('POST', '/logs-generic-default/_bulk', bulkOf(documents.slice(0, 3)))
    const items: { create: { status: number; error: { type: string } } }[] = again.body.items
    expect(items.map(({ create }) => create.status)).toEqual([409, 409, 409])
    expect(items[0]?.create.error.type).toBe('version_conflict_engine_exception')
    expect(await server.count('logs-generic-default')).toBe(documents.length)
    expect(await server.count('logs-nobody-default')).toBe(0)
  })

  test('all documents come in pages, with the fields that are asked for', async () => {
    const messages = new Map<string, string>()
    const options = { sourceFilter: ['message'], pageDocuments: 1_000 }
    for await (const hit of server.hits('logs-generic-default', options)) {
      expect(Object.keys(hit._source)).toEqual(['message'])
      messages.set(hit._id, hit._source.message)
    }
    expect(messages).toEqual(new Map(documents.map(({ id, message }) => [id, message])))
  })

  test('what was acknowledged is there after kill -9, on the same port', async () => {
    const { pid } = server
    await server.kill()
    expect(isAlive(pid)).toBe(false)
    await expect(server.request('GET', '/')).rejects.toThrow('ECONNREFUSED')
    await server.restart()
    expect(server.pid).not.toBe(pid)
    const written = new LineAccount()
    for (const { message } of documents) written.add(message)
    expect(await accountOf(server, 'logs-generic-default')).toEqual(written.account())
  }, 300_000)
})

describeElasticsearch('a server with security', () => {
  test('a stranger is refused, and the server ends with a killed owner', async () => {
    const script = fileURLToPath(new URL('owner.ts', import.meta.url))
    const owner = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void owner.kill('SIGKILL'))
    const [line] = await once(owner.stdout, 'data')
    const { url, directory, authorized } = JSON.parse(String(line))
    const stranger = await fetch(url)
    expect({ authorized, stranger: stranger.status }).toEqual({ authorized: 200, stranger: 401 })
    owner.kill('SIGKILL')
    const isOver = () =>
      fetch(url).then(
        () => false,
        () => !existsSync(directory),
      )
    await expect.poll(isOver, { timeout: 20_000 }).toBe(true)
  }, 300_000)
})
