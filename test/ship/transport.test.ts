import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { bulkTargetOf } from '../../src/ship/bulk-target.ts'
import { makeSend } from '../../src/ship/transport.ts'
import { goodAnswer, peerOf, senderTo } from './sending.ts'

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
    expect(Object.fromEntries(query)).toEqual({
      filter_path: 'errors,items.*.status,items.*.failure_store,items.*.error.type',
    })
    expect({ type: request!.header('content-type'), accept: request!.header('accept') }).toEqual({
      type: 'application/x-ndjson',
      accept: 'application/json',
    })
    expect(request!.header('authorization')).toBeUndefined()
    expect(request!.header('x-elastic-client-meta'), 'nothing is told that nobody asked for').toBeUndefined()
  })

  test.each([
    [{ apiKey: 'c2VjcmV0OmtleQ==' }, 'ApiKey c2VjcmV0OmtleQ=='],
    [{ bearerToken: 'eyJ.a.b' }, 'Bearer eyJ.a.b'],
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
    const { connections } = senderTo(peer.url)
    await makeSend(connections, bulkTargetOf('<logs-{now/d}>'), 5000)(line, 1, new AbortController().signal)
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

const malformed = (why: string) => ({
  kind: 'answered',
  answer: { kind: 'malformed', why: expect.stringContaining(why) },
})
const statusOf = (status: number, errorType = '', retryAfterMs = 0) => ({
  kind: 'status',
  status,
  errorType,
  retryAfterMs,
})

describe('an answer', () => {
  const json = { 'content-type': 'application/json' }
  const unauthorized = '{"error":{"type":"security_exception","reason":"missing"},"status":401}'

  test.each([
    ['whole and good', 200, goodAnswer(), json, done],
    ['of OpenSearch, which names no product', 200, goodAnswer(), { ...json, 'x-elastic-product': '' }, done],
    [
      'with refusals',
      200,
      '{"errors":true,"items":[{"create":{"status":400,"error":{"type":"x"}}}]}',
      json,
      { kind: 'answered', answer: { kind: 'items', items: [{ status: 400, errorType: 'x' }] } },
    ],
    ['for another number of documents', 200, goodAnswer(2), json, malformed('2 items for 1 documents')],
    ['of HTML', 200, '<html>Welcome</html>', { 'content-type': 'text/html' }, malformed('is a proxy in the way?')],
    ['that is empty', 200, '', {}, malformed('cut after 0 bytes')],
    [
      '401',
      401,
      unauthorized,
      json,
      { ...statusOf(401, 'security_exception'), hint: 'it asks for credentials, and none are given' },
    ],
    ['413 without a body or a product', 413, '', { 'x-elastic-product': '' }, statusOf(413)],
    ['413 that closes', 413, '', { connection: 'close' }, statusOf(413)],
    [
      '429 with a time',
      429,
      '{"error":{"type":"circuit_breaking_exception"}}',
      { ...json, 'retry-after': '7' },
      statusOf(429, 'circuit_breaking_exception', 7000),
    ],
    ['502 of a proxy', 502, '<html>Bad Gateway</html>', { 'x-elastic-product': '' }, statusOf(502)],
    ['503 with a text for an error', 503, '{"error":"down","status":503}', json, statusOf(503)],
    [
      '403 with a very long error',
      403,
      JSON.stringify({ error: { type: 'x', reason: 'y'.repeat(100_000) } }),
      json,
      statusOf(403),
    ],
    [
      '400 with a very long type',
      400,
      JSON.stringify({ error: { type: 'x'.repeat(1000) } }),
      json,
      statusOf(400, 'error_without_a_name'),
    ],
    ['a redirect', 302, '', { location: 'http://127.0.0.1:1/' }, statusOf(302)],
    ['204', 204, '', {}, statusOf(204)],
  ])('%s', async (_name, status, body, headers, sent) => {
    const peer = await peerOf(async (request) => {
      await request.body()
      if (request.number === 0) request.reply(status, body, headers)
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
        if (!request.socket.write(chunk))
          await new Promise((resolve) => request.socket.once('drain', resolve).once('close', resolve))
      }
      expect(bytes, 'no more than its bound and what the kernel holds').toBeLessThan(
        limits.answerBytesBase + 64 * 1024 * 1024,
      )
    })
    const { send } = senderTo(peer.url)
    const sent = await send(line)
    expect(sent).toEqual(status === 200 ? malformed('far longer') : statusOf(500))
    expect(await send(line)).toEqual(done)
  })
})
