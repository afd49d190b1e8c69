import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { describeElasticsearch, sharedElasticsearch } from '../kit/elasticsearch.ts'
import type { Sent } from '../../src/ship/transport.ts'
import type { Request } from './peer.ts'
import { goodAnswer, peerOf, senderTo } from './sending.ts'

const line = Buffer.from('{"create":{}}\n{"message":"a line of the application"}\n')
const done = { kind: 'answered', answer: { kind: 'done' } }

const good = async (request: Request): Promise<void> => {
  await request.body()
  request.reply(200, request.head.startsWith('HEAD') ? '' : goodAnswer())
}
const isBulk = ({ head }: Request) => head.startsWith('POST')

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

describe('one of two nodes', () => {
  test.each([
    ['resets', (request: Request) => request.reset()],
    ['answers 503', async (request: Request) => (await request.body(), request.reply(503, ''))],
    [
      'is a proxy with nobody behind it',
      async (request: Request) => (await request.body(), request.reply(502, '<html>')),
    ],
    [
      'is something else',
      async (request: Request) => (await request.body(), request.reply(200, '{}', { 'x-elastic-product': '' })),
    ],
  ] as [string, (request: Request) => Promise<void>][])(
    '%s: it costs one request of many',
    async (_name, misbehave) => {
      const peer = await peerOf(good)
      const bad = await peerOf(misbehave)
      const { send, connections } = senderTo([bad.url, peer.url])
      expect(connections.nodes).toBe(2)
      const sent: Sent[] = []
      for (let round = 0; round < 30; round++) sent.push(await send(line))
      expect(sent.filter((each) => each.kind !== 'answered' || each.answer.kind === 'malformed')).toHaveLength(1)
      expect(bad.requests.filter(isBulk)).toHaveLength(1)
    },
  )

  test('hangs: the other takes all that comes meanwhile, at its own speed', async () => {
    const peer = await peerOf(good)
    const silent = await peerOf(() => undefined)
    const { send, stop } = senderTo([silent.url, peer.url], { connections: 2 })
    const hanging = send(line)
    for (let round = 0; round < 50; round++) expect(await send(line)).toEqual(done)
    expect(silent.requests).toHaveLength(1)
    stop.abort()
    expect(await hanging).toMatchObject({ kind: 'failed' })
  })

  test('comes back without a restart', async () => {
    const peer = await peerOf(good)
    const gone = await peerOf(good)
    await gone.close()
    const { send } = senderTo([gone.url, peer.url])
    expect(await send(line)).toMatchObject({ kind: 'failed', reached: false })
    expect(await send(line)).toEqual(done)
    const back = await peerOf(good, gone.port)
    const deadlineMs = performance.now() + 10_000
    while (!back.requests.some(isBulk)) {
      expect(performance.now()).toBeLessThan(deadlineMs)
      expect(await send(line)).toEqual(done)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(
      back.requests.some(({ head }) => head.startsWith('HEAD / ')),
      'it was asked first',
    ).toBe(true)
  }, 20_000)
})

describeElasticsearch('a real Elasticsearch beside a node', () => {
  test.each(['refuses', 'hangs', 'answers 503'] as const)(
    'that %s',
    async (how) => {
      const { url } = await sharedElasticsearch()
      const bad = createServer((request, response) => {
        request.resume()
        if (how === 'answers 503') request.on('end', () => response.writeHead(503).end())
      })
      servers.push(bad)
      await once(bad.listen(0, '127.0.0.1'), 'listening')
      const { port } = bad.address() as AddressInfo
      if (how === 'refuses') await new Promise((resolve) => bad.close(resolve))
      // The first document makes the data stream, which takes its time.
      expect(await senderTo(url).send(line)).toMatchObject({ kind: 'answered' })
      const { send } = senderTo([`http://127.0.0.1:${port}`, url], { requestTimeoutMs: 5_000, connections: 2 })
      const first = await send(line)
      expect(first.kind).toBe(how === 'answers 503' ? 'status' : 'failed')
      const startedMs = performance.now()
      for (let round = 0; round < 20; round++) expect(await send(line)).toMatchObject({ kind: 'answered' })
      expect(performance.now() - startedMs, 'nobody waits for the other').toBeLessThan(20_000)
    },
    240_000,
  )
})
