import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { compress } from '../../src/ship/compress.ts'
import { describeElasticsearch, sharedElasticsearch } from '../kit/elasticsearch.ts'
import { goodAnswer, peerOf, senderTo, until } from './sending.ts'

const line = Buffer.from('{"create":{}}\n{"message":"a line of the application"}\n')
const done = { kind: 'answered', answer: { kind: 'done' } }

async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('the stream', () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000])('of %i bytes is a gzip of them', async (bytes) => {
    for (const level of [1, 6, 9]) {
      const body = randomBytes(bytes)
      expect(gunzipSync(await collected(compress(body, level).stream)).equals(body)).toBe(true)
    }
  })

  test('let go of in the middle: the body is not read any more, and what came is no whole gzip', async () => {
    const body = Buffer.from(randomBytes(4_000_000).toString('base64'))
    const reads: number[] = []
    const copy = body.copy.bind(body)
    body.copy = (target, targetStart, start, end) => {
      reads.push(start ?? 0)
      return copy(target, targetStart, start, end)
    }
    const compressed = compress(body, 1)
    const { stream } = compressed
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    await until(() => reads.length > 3)
    compressed.release()
    const before = reads.length
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(reads.length).toBe(before)
    expect(stream.destroyed).toBe(true)
    expect(() => gunzipSync(Buffer.concat(chunks))).toThrow('unexpected end of file')
  })

  test('reads no further than what is taken of it', async () => {
    const body = randomBytes(8_000_000)
    let read = 0
    const copy = body.copy.bind(body)
    body.copy = (target, targetStart, start, end) => {
      read = Math.max(read, end ?? 0)
      return copy(target, targetStart, start, end)
    }
    const compressed = compress(body, 1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(read).toBeLessThan(1_000_000)
    compressed.release()
  })
})

/** Keeps what arrives whole; answers early when told. */
async function receiver(early?: number) {
  const bodies: Buffer[] = []
  const heads: (string | undefined)[] = []
  const http = createServer((request, response) => {
    heads.push(request.headers['content-encoding'])
    const chunks: Buffer[] = []
    if (early !== undefined) response.writeHead(early, { 'x-elastic-product': 'Elasticsearch' }).end()
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks))
      if (early === undefined) response.writeHead(200, { 'x-elastic-product': 'Elasticsearch' }).end(goodAnswer())
    })
  })
  onTestFinished(() => http.close().closeAllConnections())
  await once(http.listen(0, '127.0.0.1'), 'listening')
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, bodies, heads }
}

describe('a request', () => {
  test('says so, and is the body', async () => {
    const { url, bodies, heads } = await receiver()
    const { send } = senderTo(url, { gzipLevel: 1 })
    const body = Buffer.from(line.toString().repeat(50_000))
    for (let round = 0; round < 3; round++) expect(await send(body)).toEqual(done)
    expect(heads).toEqual(['gzip', 'gzip', 'gzip'])
    for (const got of bodies) expect(gunzipSync(got).equals(body)).toBe(true)
    expect(bodies[0]!.length).toBeLessThan(body.length / 20)
  })

  test('that is answered early and goes on is whole, or is none; its memory is free afterwards', async () => {
    const { url, bodies } = await receiver(413)
    const { send } = senderTo(url, { gzipLevel: 1 })
    for (let round = 0; round < 5; round++) {
      const body = Buffer.from(randomBytes(3_000_000).toString('base64'))
      const before = Buffer.from(body)
      expect(await send(body)).toMatchObject({ kind: 'status', status: 413 })
      body.fill('Z')
      for (const got of bodies.splice(0)) expect(gunzipSync(got).equals(before)).toBe(true)
    }
  })

  test('that is answered early and read later comes to its end all the same', async () => {
    const chunks: Buffer[] = []
    const http = createServer((request, response) => {
      // To the client the answer is whole; to Node's server it is not, which would read on by itself.
      response.writeHead(413, { 'content-length': '0' }).flushHeaders()
      setTimeout(() => request.on('data', (chunk: Buffer) => chunks.push(chunk)), 300)
      request.on('end', () => response.end())
    })
    onTestFinished(() => http.close().closeAllConnections())
    await once(http.listen(0, '127.0.0.1'), 'listening')
    const { send } = senderTo(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { gzipLevel: 1 })
    // More than the kernel takes on both sides: most of it is sent after the answer.
    const body = Buffer.from(randomBytes(18_000_000).toString('base64'))
    expect(await send(body)).toMatchObject({ kind: 'status', status: 413 })
    expect(gunzipSync(Buffer.concat(chunks)).equals(body)).toBe(true)
  })

  test.each(['the agent stops', 'the time is over'])(
    'is a failed one for the server when %s in the middle',
    async (why) => {
      const parts: Buffer[] = []
      const over = Promise.withResolvers<void>()
      let ended = false
      const http = createServer((request) => {
        request.on('end', () => (ended = true))
        request.on('error', () => over.resolve())
        request.once('data', (chunk: Buffer) => {
          parts.push(chunk)
          request.pause()
          setTimeout(() => request.resume().on('data', (more: Buffer) => parts.push(more)), 600)
        })
      })
      onTestFinished(() => http.close().closeAllConnections())
      await once(http.listen(0, '127.0.0.1'), 'listening')
      const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
      const { send, stop } = senderTo(url, {
        gzipLevel: 1,
        ...(why === 'the time is over' && { requestTimeoutMs: 300 }),
      })
      const body = Buffer.from(randomBytes(24_000_000).toString('base64'))
      const sending = send(body)
      await until(() => parts.length > 0)
      if (why === 'the agent stops') stop.abort()
      expect(await sending).toMatchObject({ kind: 'failed', reached: true })
      body.fill('Z')
      await over.promise
      expect(ended).toBe(false)
      expect(() => gunzipSync(Buffer.concat(parts))).toThrow('unexpected end of file')
    },
    20_000,
  )

  test.each([415, 400])('that is not taken for it (%i) says which setting it is about', async (status) => {
    const peer = await peerOf((request) => {
      request.reply(status, '{"error":{"type":"x"}}', { connection: 'close' })
      request.socket.end()
    })
    const sent = await senderTo(peer.url, { gzipLevel: 1 }).send(line)
    expect(sent).toMatchObject({ kind: 'status', status, hint: expect.stringContaining('REMORA_COMPRESSION=none') })
  })
})

describeElasticsearch('compressed, to a real Elasticsearch', () => {
  test('every document is there', async () => {
    const server = await sharedElasticsearch()
    const documents = Array.from({ length: 3_000 }, (_, n) =>
      JSON.stringify({ message: `compressed ${n} ${'x'.repeat(n % 700)}` }),
    )
    const body = Buffer.from(documents.map((each, n) => `{"create":{"_id":"gzip-${n}"}}\n${each}\n`).join(''))
    const before = await server.count('logs-generic-default')
    expect(await senderTo(server.url, { gzipLevel: 3 }).send(body, documents.length)).toEqual(done)
    expect(await server.count('logs-generic-default')).toBe(before + documents.length)
  }, 240_000)
})
