import { describe, expect, test } from 'vitest'
import { RemoraError } from '../../src/base/errors.ts'
import { limits } from '../../src/base/limits.ts'
import { makeClient, makeSend } from '../../src/ship/transport.ts'
import { goodAnswer, peerOf, senderTo, until } from './sending.ts'

const line = Buffer.from('{"create":{}}\n{"message":"a line of the application"}\n')
const done = { kind: 'answered', answer: { kind: 'done' } }

describe('the request', () => {
  test('has plain headers that every version takes, and asks for what it reads only', async () => {
    const peer = await peerOf(async (request) => {
      expect((await request.body()).equals(line)).toBe(true)
      request.reply(200, goodAnswer())
    })
    expect(await senderTo(peer.url).send(line)).toEqual(done)
    const [request] = peer.requests
    expect(request!.head.split(' ', 2)).toEqual(['POST', expect.stringMatching(/^\/logs-generic-default\/_bulk\?/)])
    const query = new URL(request!.head.split(' ')[1]!, peer.url).searchParams
    expect(Object.fromEntries(query)).toEqual({ filter_path: 'errors,items.*.status,items.*.error.type' })
    expect({ type: request!.header('content-type'), accept: request!.header('accept') }).toEqual({
      type: 'application/x-ndjson',
      accept: 'application/json',
    })
    expect(request!.header('authorization')).toBeUndefined()
  })

  test.each([
    [{ apiKey: 'c2VjcmV0OmtleQ==' }, 'ApiKey c2VjcmV0OmtleQ=='],
    [{ username: 'remora', password: 'se:cret' }, `Basic ${Buffer.from('remora:se:cret').toString('base64')}`],
  ])('with %j it says who asks', async (set, authorization) => {
    const peer = await peerOf(async (request) => {
      await request.body()
      request.reply(200, goodAnswer())
    })
    await senderTo(peer.url, set).send(line)
    expect(peer.requests[0]!.header('authorization')).toBe(authorization)
  })

  test('escapes the target', async () => {
    const peer = await peerOf(async (request) => {
      await request.body()
      request.reply(200, goodAnswer())
    })
    const { client } = senderTo(peer.url)
    await makeSend(client, '<logs-{now/d}>', 5000)(line, 1, new AbortController().signal)
    expect(peer.requests[0]!.head.split(' ')[1]).toMatch(/^\/%3Clogs-%7Bnow%2Fd%7D%3E\/_bulk\?/)
  })

  test('goes over a connection that is there, one at a time', async () => {
    const peer = await peerOf(async (request) => {
      await request.body()
      request.reply(200, goodAnswer())
    })
    const { send } = senderTo(peer.url)
    for (let round = 0; round < 5; round++) expect(await send(line)).toEqual(done)
    expect(await Promise.all([send(line), send(line), send(line)])).toEqual([done, done, done])
    expect(peer.connections).toBe(1)
  })
})

describe('an answer', () => {
  const malformed = (why: string) => ({ kind: 'answered', answer: { kind: 'malformed', why: expect.stringContaining(why) } })
  const statusOf = (status: number, errorType = '', retryAfterMs = 0) => ({ kind: 'status', status, errorType, retryAfterMs })
  const json = { 'content-type': 'application/json' }
  const unauthorized = '{"error":{"type":"security_exception","reason":"missing"},"status":401}'

  test.each([
    ['whole and good', 200, goodAnswer(), json, done],
    ['with refusals', 200, '{"errors":true,"items":[{"create":{"status":400,"error":{"type":"x"}}}]}', json, { kind: 'answered', answer: { kind: 'items', items: [{ status: 400, errorType: 'x' }] } }],
    ['for another number of documents', 200, goodAnswer(2), json, malformed('2 items for 1 documents')],
    ['of HTML', 200, '<html>Welcome</html>', { 'content-type': 'text/html' }, malformed('is a proxy in the way?')],
    ['that is empty', 200, '', {}, malformed('cut after 0 bytes')],
    ['401', 401, unauthorized, json, statusOf(401, 'security_exception')],
    ['413 without a body or a product', 413, '', { 'x-elastic-product': '' }, statusOf(413)],
    ['413 that closes', 413, '', { connection: 'close' }, statusOf(413)],
    ['429 with a time', 429, '{"error":{"type":"circuit_breaking_exception"}}', { ...json, 'retry-after': '7' }, statusOf(429, 'circuit_breaking_exception', 7000)],
    ['502 of a proxy', 502, '<html>Bad Gateway</html>', { 'x-elastic-product': '' }, statusOf(502)],
    ['503 with a text for an error', 503, '{"error":"down","status":503}', json, statusOf(503)],
    ['403 with a very long error', 403, JSON.stringify({ error: { type: 'x', reason: 'y'.repeat(100_000) } }), json, statusOf(403)],
    ['400 with a very long type', 400, JSON.stringify({ error: { type: 'x'.repeat(1000) } }), json, statusOf(400, 'x'.repeat(200))],
    ['a redirect', 302, '', { location: 'http://127.0.0.1:1/' }, statusOf(302)],
    ['204', 204, '', {}, statusOf(204)],
  ])('%s', async (_name, status, body, headers, sent) => {
    const peer = await peerOf(async (request) => {
      await request.body()
      if (request.number === 0) request.reply(status, body, headers as Record<string, string>)
      else request.reply(200, goodAnswer())
    })
    const { send } = senderTo(peer.url)
    expect(await send(line)).toEqual(sent)
    expect(await send(line), 'and the next request goes through').toEqual(done)
  })

  test('in many pieces', async () => {
    const answer = goodAnswer(200)
    const peer = await peerOf(async (request) => {
      await request.body()
      request.reply(200, '', { 'content-length': String(answer.length) })
      for (let at = 0; at < answer.length; at += 500) {
        request.socket.write(answer.slice(at, at + 500))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    expect(await senderTo(peer.url).send(line, 200)).toEqual(done)
  })

  test.each([
    ['200', 200],
    ['500', 500],
  ])('of %s that never ends is not read to its end', async (_name, status) => {
    const peer = await peerOf(async (request) => {
      await request.body()
      if (request.number > 0) return request.reply(200, goodAnswer())
      request.reply(status, '', { 'content-length': '', 'transfer-encoding': 'chunked' })
      const chunk = `1000\r\n${' '.repeat(4096)}\r\n`
      let bytes = 0
      while (!request.socket.destroyed) {
        bytes += chunk.length
        if (!request.socket.write(chunk)) await new Promise((resolve) => request.socket.once('drain', resolve).once('close', resolve))
      }
      expect(bytes, 'no more than its bound and what the kernel holds').toBeLessThan(limits.answerBytesBase + 64 * 1024 * 1024)
    })
    const { send } = senderTo(peer.url)
    const sent = await send(line)
    expect(sent).toEqual(status === 200 ? malformed('far longer') : statusOf(500))
    expect(await send(line)).toEqual(done)
  })
})

describe('no answer', () => {
  const failed = { kind: 'failed', message: expect.stringMatching(/./) }

  test.each([
    ['a reset before the body was read', async (request) => request.reset()],
    ['a reset after it', async (request) => (await request.body(), request.reset())],
    ['an end after it', async (request) => (await request.body(), request.socket.end())],
    ['half a head', async (request) => (await request.body(), request.socket.end('HTTP/1.1 200 O'))],
    ['something that is not HTTP', async (request) => (await request.body(), request.socket.end('SSH-2.0-OpenSSH_9.6\r\n'))],
    ['what a TLS port says', async (request) => (await request.body(), request.socket.end(Buffer.from('1503030002025a', 'hex')))],
    ['an answer that is cut', async (request) => (await request.body(), request.reply(200, goodAnswer().slice(0, 20), { 'content-length': '39' }), request.socket.end())],
    ['an answer that is cut by a reset', async (request) => (await request.body(), request.reply(200, goodAnswer().slice(0, 20), { 'content-length': '39' }), request.socket.once('drain', () => 0), request.reset())],
    ['chunks that are cut', async (request) => (await request.body(), request.reply(200, '27\r\n{"errors":false', { 'content-length': '', 'transfer-encoding': 'chunked' }), request.socket.end())],
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
      request.reply(200, `${goodAnswer()}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`, { 'content-length': String(goodAnswer().length) })
    })
    const { send } = senderTo(peer.url)
    for (let round = 0; round < 3; round++) expect(await send(line)).toEqual(done)
  })

  test('nobody listens, and then somebody does', async () => {
    const gone = await peerOf(() => undefined)
    await gone.close()
    const { send } = senderTo(gone.url)
    expect(await send(line)).toEqual({ kind: 'failed', message: expect.stringContaining('ECONNREFUSED') })
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
      expect(await send(line)).toEqual({ kind: 'failed', message: 'the server that answered is not Elasticsearch' })
    }
    expect(await send(line)).toEqual(done)
  }, 20_000)

  test.each([
    ['says nothing', () => undefined],
    ['says half of a head', (request) => void request.socket.write('HTTP/1.1 200 OK\r\ncontent-')],
    ['says half of an answer', (request) => request.reply(200, '{"errors":false', { 'content-length': '39' })],
    ['says half of an error', (request) => request.reply(503, '{"error":', { 'content-length': '39' })],
  ] as [string, (request: Parameters<Parameters<typeof peerOf>[0]>[0]) => void][])('a server that %s is given up in time, or when the agent stops', async (_name, stall) => {
    const peer = await peerOf(async (request) => {
      await request.body()
      stall(request)
    })
    const patient = senderTo(peer.url)
    const impatient = senderTo(peer.url, { requestTimeoutMs: 100 })
    expect(await impatient.send(line)).toEqual({ kind: 'failed', message: 'no answer within 0.1 s' })

    const requests = peer.requests.length
    const sending = patient.send(line)
    await until(() => peer.requests.length > requests)
    patient.stop.abort()
    expect(await sending).toEqual(failed)
  }, 10_000)

  test('a request that waits for a connection is given up when the agent stops', async () => {
    const peer = await peerOf(() => undefined)
    const { send, stop } = senderTo(peer.url)
    const sending = [send(line), send(line)]
    await until(() => peer.requests.length === 1)
    stop.abort()
    expect(await Promise.all(sending)).toEqual([failed, failed])
    expect(await send(line)).toEqual(failed)
    expect(peer.requests).toHaveLength(1)
  }, 10_000)

  test('a connection that the server closed while it was idle is no failure, but only once', async () => {
    const peer = await peerOf(async (request) => {
      await request.body()
      if (request.number === 1 || request.number >= 3) return request.reset()
      request.reply(200, goodAnswer())
    })
    const { send } = senderTo(peer.url)
    expect(await send(line)).toEqual(done)
    expect(await send(line), 'sent again on a new connection').toEqual(done)
    expect(peer.requests).toHaveLength(3)
    expect(await send(line)).toEqual(failed)
    expect(peer.requests).toHaveLength(5)
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

  test('a CA file that cannot be read names its setting', () => {
    const settings = { urls: ['https://127.0.0.1:1'], apiKey: undefined, username: undefined, password: undefined, requestTimeoutMs: 1000, connections: 1 }
    const make = () => makeClient({ ...settings, caFile: '/nowhere/ca.pem' })
    expect(make).toThrow(RemoraError)
    expect(make).toThrow(/^REMORA_CA_FILE: ENOENT/)
  })
})
