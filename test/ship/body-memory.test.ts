import { once } from 'node:events'
import http from 'node:http'
import { describe, expect, test } from 'vitest'
import { Outgoing } from '../../src/ship/outgoing.ts'
import type { Request } from './peer.ts'
import { certificates } from '../check/certificates.ts'
import { goodAnswer, peerOf, securePeerOf, senderTo, until } from './sending.ts'

/** Far more than the kernel takes on both sides of a connection: the rest waits in the memory of the body. */
const bodyBytes = 32 * 1024 * 1024
const [before, after] = ['a', 'Z']

const early: [string, (request: Request) => void][] = [
  ['413', (request) => request.reply(413, '', { 'x-elastic-product': '' })],
  ['413 that says it closes', (request) => request.reply(413, '', { connection: 'close' })],
  ['429', (request) => request.reply(429, '{"error":{"type":"es_rejected_execution_exception"}}')],
  ['401 with a very long error', (request) => request.reply(401, 'x'.repeat(100_000))],
  ['200 of HTML', (request) => request.reply(200, '<html></html>')],
  ['200 of something else', (request) => request.reply(200, '{}', { 'x-elastic-product': '' })],
  ['200 for all of the documents', (request) => request.reply(200, goodAnswer())],
  ['an answer without an end', (request) => request.reply(200, 'x'.repeat(200_000), { 'content-length': '999999999' })],
]

type Serve = typeof securePeerOf
const trusting = { ca: certificates.authority }
const ways: [string, Serve][] = [
  ['http', (handle) => peerOf(handle)],
  ['https', securePeerOf],
]

/** Sends a body, writes over it as soon as that is allowed, and returns what arrives on the other side. */
async function whatArrives(
  serve: Serve,
  answer: (request: Request) => void,
  readOn: (request: Request) => Promise<void>,
): Promise<Buffer> {
  const arrived = Promise.withResolvers<Buffer>()
  const over = Promise.withResolvers<void>()
  const peer = await serve(async (request) => {
    const first = await request.body(1000)
    answer(request)
    await readOn(request)
    await over.promise
    arrived.resolve(Buffer.concat([first, await request.body()]))
  })
  const body = Buffer.alloc(bodyBytes, before)
  const { send } = senderTo(peer.url, trusting)
  await send(body)
  body.fill(after)
  over.resolve()
  return arrived.promise
}

const nothing = () => Promise.resolve()

/** Something came, and nothing of what the slot was filled with next. */
const isUnmixed = (arrived: Buffer) => arrived.length > 1000 && !arrived.includes(after)

describe.each(ways)('when an attempt over %s is over, nothing reads the memory of its body any more', (_way, serve) => {
  test('although the server has answered early and reads no further', async () => {
    const arrivals = await Promise.all(early.map(([, answer]) => whatArrives(serve, answer, nothing)))
    for (const [index, arrived] of arrivals.entries()) {
      expect(isUnmixed(arrived), `unmixed after ${early[index]![0]}`).toBe(true)
      expect(arrived.length, 'the connection was closed').toBeLessThan(bodyBytes)
    }
  }, 30_000)

  test.each(early)('although %s came early and the server is slow to read the rest', async (_name, answer) => {
    const rest: Buffer[] = []
    const arrived = await whatArrives(serve, answer, async (request) => {
      for (let bytes = 0; bytes < bodyBytes; bytes += 256 * 1024) rest.push(await request.body(256 * 1024))
    })
    expect(isUnmixed(Buffer.concat([...rest, arrived]))).toBe(true)
  })

  test('and the connection can be used again when the server has read on', async () => {
    const peer = await serve(async (request) => {
      if (request.number === 0) {
        await request.body(1000)
        request.reply(413, '')
      }
      await request.body()
      if (request.number > 0) request.reply(200, goodAnswer())
    })
    const { send } = senderTo(peer.url, trusting)
    expect(await send(Buffer.alloc(bodyBytes, before))).toMatchObject({ status: 413 })
    expect(await send(Buffer.from('x'))).toMatchObject({ kind: 'answered' })
    expect(peer.connections).toBe(1)
  })

  test('although the server resets the connection', async () => {
    let request: Request | undefined
    const peer = await serve(async (one) => {
      request = one
      await one.body(100_000)
      one.reset()
    })
    const body = Buffer.alloc(bodyBytes, before)
    expect(await senderTo(peer.url, trusting).send(body)).toMatchObject({ kind: 'failed' })
    expect(request!.socket.destroyed).toBe(true)
  })

  test.each(['the time is over', 'the agent stops'])('although %s while it is being sent', async (why) => {
    const over = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<Buffer>()
    const peer = await serve(async (request) => {
      const first = await request.body(1000)
      await over.promise
      arrived.resolve(Buffer.concat([first, await request.body()]))
    })
    const body = Buffer.alloc(bodyBytes, before)
    const { send, stop } = senderTo(peer.url, {
      ...trusting,
      ...(why === 'the time is over' && { requestTimeoutMs: 200 }),
    })
    const sending = send(body)
    await until(() => peer.requests.length === 1)
    if (why === 'the agent stops') stop.abort()
    expect(await sending).toMatchObject({ kind: 'failed' })
    body.fill(after)
    over.resolve()
    expect(isUnmixed(await arrived.promise)).toBe(true)
  })
})

test.each([true, false])(
  'what is left to be written is given up when the agent stops, before (%s) or while it waits',
  async (already) => {
    const peer = await peerOf(async (request) => {
      await request.body(1000)
      request.reply(413, '')
    })
    const outgoing = new Outgoing()
    const stop = new AbortController()
    outgoing.expect('one')
    const headers = { 'x-opaque-id': 'one', 'content-length': bodyBytes }
    const request = http.request(peer.url, { method: 'POST', headers })
    request.on('error', () => undefined).end(Buffer.alloc(bodyBytes))
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    expect(outgoing.hasReached('one')).toBe(true)
    expect(request.writableFinished).toBe(false)
    if (already) stop.abort()
    // However long the server may take: only the stop ends it.
    const drained = outgoing.drained('one', Infinity, stop.signal)
    if (!already) stop.abort()
    await drained
    expect(request.socket!.destroyed).toBe(true)
    outgoing.close()
  },
  10_000,
)

test('two senders in one process do not wait for each other', async () => {
  const slow = await peerOf(async (request) => {
    await request.body(1000)
    request.reply(413, '')
  })
  const quick = await peerOf(async (request) => {
    await request.body()
    request.reply(413, '')
  })
  const [one, other] = [senderTo(slow.url), senderTo(quick.url)]
  const blocked = one.send(Buffer.alloc(bodyBytes, before))
  await until(() => slow.requests.length === 1)
  expect(await other.send(Buffer.from('x'))).toMatchObject({ kind: 'status', status: 413 })
  const ids = [...slow.requests, ...quick.requests].map((request) => request.header('x-opaque-id'))
  expect(new Set(ids).size).toBe(2)
  await slow.close()
  expect(await blocked).toMatchObject({ kind: 'status' })
})
