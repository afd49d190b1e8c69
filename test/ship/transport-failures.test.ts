import { describe, expect, test } from 'vitest'
import type { Request } from './peer.ts'
import { goodAnswer, peerOf, senderTo, until } from './sending.ts'

const line = Buffer.from('{"create":{}}\n{"message":"a line of the application"}\n')
const done = { kind: 'answered', answer: { kind: 'done' } }

describe('no answer', () => {
  const failed = { kind: 'failed', message: expect.stringMatching(/./), reached: true, stale: false }
  const stale = { ...failed, stale: true }

  test.each([
    ['a reset before the body was read', async (request) => request.reset()],
    ['a reset after it', async (request) => (await request.body(), request.reset())],
    ['an end after it', async (request) => (await request.body(), request.socket.end())],
    ['half a head', async (request) => (await request.body(), request.socket.end('HTTP/1.1 200 O'))],
    [
      'something that is not HTTP',
      async (request) => (await request.body(), request.socket.end('SSH-2.0-OpenSSH_9.6\r\n')),
    ],
    [
      'what a TLS port says',
      async (request) => (await request.body(), request.socket.end(Buffer.from('1503030002025a', 'hex'))),
    ],
    [
      'an answer that is cut',
      async (request) => (
        await request.body(),
        request.reply(200, goodAnswer().slice(0, 20), { 'content-length': '39' }),
        request.socket.end()
      ),
    ],
    [
      'an answer that is cut by a reset',
      async (request) => (
        await request.body(),
        request.reply(200, goodAnswer().slice(0, 20), { 'content-length': '39' }),
        request.socket.once('drain', () => 0),
        request.reset()
      ),
    ],
    [
      'chunks that are cut',
      async (request) => (
        await request.body(),
        request.reply(200, '27\r\n{"errors":false', { 'content-length': '', 'transfer-encoding': 'chunked' }),
        request.socket.end()
      ),
    ],
  ] as [string, Parameters<typeof peerOf>[0]][])('%s', async (_name, misbehave) => {
    const peer = await peerOf(async (request) => {
      if (request.number === 0) return misbehave(request)
      await request.body()
      request.reply(200, goodAnswer())
    })
    const { send } = senderTo(peer.url)
    expect(await send(line)).toEqual(failed)
    expect(await send(line), 'and the next request goes through').toEqual(done)
  })

  test('an answer longer than it says is taken, and the connection is not used again', async () => {
    const peer = await peerOf(async (request) => {
      await request.body()
      request.reply(200, `${goodAnswer()}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`, {
        'content-length': String(goodAnswer().length),
      })
    })
    const { send } = senderTo(peer.url)
    for (let round = 0; round < 3; round++) expect(await send(line)).toEqual(done)
  })

  test('nobody listens, and then somebody does', async () => {
    const gone = await peerOf(() => undefined)
    await gone.close()
    const { send } = senderTo(gone.url)
    expect(await send(line), 'and it is known that nothing has arrived').toEqual({
      ...failed,
      message: expect.stringContaining('ECONNREFUSED'),
      reached: false,
    })
    await peerOf(async (request) => {
      await request.body()
      request.reply(200, goodAnswer())
    }, gone.port)
    expect(await send(line)).toEqual(done)
  })

  test('one of two nodes is gone: the other is asked', async () => {
    const gone = await peerOf(() => undefined)
    await gone.close()
    const peer = await peerOf(async (request) => {
      await request.body()
      request.reply(200, goodAnswer())
    })
    const { send } = senderTo([gone.url, peer.url])
    const rounds = [await send(line), await send(line), await send(line), await send(line)]
    expect(rounds.filter(({ kind }) => kind === 'failed').length).toBeLessThanOrEqual(1)
    expect(rounds.at(-1)).toEqual(done)
  })

  test('a server that is not Elasticsearch is told apart, however often it is asked, and does not block the real one', async () => {
    const peer = await peerOf(async (request) => {
      await request.body()
      if (request.number < 6) request.reply(200, `<html>${' '.repeat(200_000)}</html>`, { 'x-elastic-product': '' })
      else request.reply(200, goodAnswer())
    })
    const { send } = senderTo(peer.url, { connections: 2 })
    for (let round = 0; round < 6; round++) {
      expect(await send(line)).toMatchObject({
        kind: 'answered',
        answer: { kind: 'malformed', why: 'the answer is far longer than one to this request can be' },
      })
    }
    expect(await send(line)).toEqual(done)
  }, 20_000)

  test.each([
    ['says nothing', () => undefined],
    ['says half of a head', (request) => void request.socket.write('HTTP/1.1 200 OK\r\ncontent-')],
    ['says half of an answer', (request) => request.reply(200, '{"errors":false', { 'content-length': '39' })],
    ['says half of an error', (request) => request.reply(503, '{"error":', { 'content-length': '39' })],
  ] as [string, (request: Request) => void][])(
    'a server that %s is given up in time, or when the agent stops',
    async (_name, stall) => {
      const peer = await peerOf(async (request) => {
        await request.body()
        stall(request)
      })
      const patient = senderTo(peer.url)
      const impatient = senderTo(peer.url, { requestTimeoutMs: 100 })
      expect(await impatient.send(line)).toEqual({ ...failed, message: 'no answer within 0.1 s' })

      const requests = peer.requests.length
      const sending = patient.send(line)
      await until(() => peer.requests.length > requests)
      patient.stop.abort()
      expect(await sending).toEqual(failed)
    },
    10_000,
  )

  test('a request that waits for a connection is given up when the agent stops', async () => {
    const peer = await peerOf(() => undefined)
    const { send, stop } = senderTo(peer.url)
    const sending = [send(line), send(line)]
    await until(() => peer.requests.length === 1)
    stop.abort()
    expect(await Promise.all(sending)).toEqual([failed, { ...failed, reached: false }])
    expect(await send(line)).toEqual({ ...failed, reached: false })
    expect(peer.requests).toHaveLength(1)
  }, 10_000)

  test('on a connection that the server may have closed while it was idle is told apart', async () => {
    const peer = await peerOf(async (request) => {
      await request.body()
      if (request.number === 1 || request.number === 2) return request.reset()
      request.reply(200, goodAnswer())
    })
    const { send } = senderTo(peer.url)
    expect(await send(line)).toEqual(done)
    expect(await send(line), 'on the old one').toEqual(stale)
    expect(await send(line), 'on a new one').toEqual(failed)
    expect(await send(line)).toEqual(done)
    expect(peer.requests, 'each is sent once').toHaveLength(4)
  })

  test('in time is not told apart on an old connection', async () => {
    const peer = await peerOf(async (request) => {
      await request.body()
      if (request.number === 0) request.reply(200, goodAnswer())
    })
    const { send } = senderTo(peer.url, { requestTimeoutMs: 200 })
    expect(await send(line)).toEqual(done)
    expect(await send(line)).toEqual(failed)
  })

  test('before TLS is agreed on: nothing has arrived', async () => {
    // A server that says nothing: the handshake is all that was sent.
    const peer = await peerOf(() => undefined)
    const { send } = senderTo(peer.url.replace('http:', 'https:'), { requestTimeoutMs: 500 })
    expect(await send(line)).toEqual({ ...failed, reached: false })
  })
})

describe('what is said of a failure', () => {
  test('never holds the credentials or a line', async () => {
    const peer = await peerOf(async (request) => {
      await request.body()
      if (request.number === 0) return request.reset()
      if (request.number === 1) return void request.socket.end('nonsense')
      request.reply(request.number === 2 ? 200 : 401, '{"error":{"reason":"s3cret"}}', { 'x-elastic-product': '' })
    })
    const { send } = senderTo(peer.url, { username: 'remora', password: 's3cret' })
    for (let round = 0; round < 4; round++) {
      const text = JSON.stringify(await send(line))
      for (const secret of ['s3cret', Buffer.from('remora:s3cret').toString('base64'), 'a line of the application']) {
        expect(text).not.toContain(secret)
      }
    }
  })

  test.each([
    ['a reset', (request) => request.reset()],
    ['no answer in time', () => undefined],
    ['something that is not HTTP', (request) => void request.socket.end('nonsense')],
    [
      'an answer that is cut',
      (request) => (request.reply(200, '{', { 'content-length': '9' }), void request.socket.end()),
    ],
  ] as [string, (request: Request) => void][])('does not go through the body: %s', async (_name, fail) => {
    const peer = await peerOf(async (request) => {
      await request.body()
      fail(request)
    })
    const body = Buffer.from(line)
    let copied = false
    // Whoever copies an object by its keys comes by here; for a body of 4 MiB that takes seconds and hundreds of MiB.
    Object.defineProperty(body, 'extra', { enumerable: true, get: () => (copied = true) })
    expect(await senderTo(peer.url, { requestTimeoutMs: 200 }).send(body)).toMatchObject({ kind: 'failed' })
    expect(copied).toBe(false)
  })
})
