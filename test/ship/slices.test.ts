import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import type { Readable } from 'node:stream'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { isEncrypted } from '../../src/connect/access.ts'
import { inSlices } from '../../src/ship/slices.ts'
import { runs } from '../base/runs.ts'
import { certificates } from '../check/certificates.ts'
import type { Request } from './peer.ts'
import { goodAnswer, securePeerOf, senderTo, until } from './sending.ts'

const { encryptBytes } = limits
const done = { kind: 'answered', answer: { kind: 'done' } }
const trusting = { ca: certificates.authority }
const mebibyte = 1024 * 1024

/** Bytes that differ from their neighbours and from slice to slice. */
function bodyOf(bytes: number): Buffer {
  return Buffer.from(new Uint8Array(bytes).map((_, at) => (at * 31 + (at >>> 8) * 17) & 255))
}

/** Says how far the body was taken, each time that a slice of it is. */
function watch(body: Buffer, taken: (end: number) => void): void {
  const subarray = body.subarray.bind(body)
  body.subarray = (start?: number, end?: number) => {
    taken(end ?? body.length)
    return subarray(start, end)
  }
}

describe('a body in slices', () => {
  test('is all of its bytes, in views of its memory, none longer than a slice', async () => {
    const near = fc.integer({ min: -2, max: 2 })
    const lengths = fc.tuple(fc.nat(4), near).map(([slices, more]) => Math.max(0, slices * encryptBytes + more))
    await fc.assert(
      fc.asyncProperty(lengths, async (bytes) => {
        const body = bodyOf(bytes)
        const { content, contentBytes } = inSlices(body)
        const inOne = bytes <= encryptBytes
        expect([Buffer.isBuffer(content), contentBytes]).toEqual([inOne, inOne ? undefined : bytes])
        const chunks = Buffer.isBuffer(content) ? [content] : ((await content.toArray()) as Buffer[])
        expect(Buffer.concat(chunks).equals(body)).toBe(true)
        for (const chunk of chunks) {
          expect(chunk.buffer).toBe(body.buffer)
          expect(chunk.length).toBeLessThanOrEqual(encryptBytes)
        }
      }),
      runs(60),
    )
  })

  test('let go of in the middle: it has no end, and nothing is taken of it any more', async () => {
    const body = bodyOf(4 * mebibyte)
    let takes = 0
    watch(body, () => takes++)
    const payload = inSlices(body)
    const stream = payload.content as Readable
    let ended = false
    stream.on('end', () => (ended = true)).once('data', () => stream.pause())
    await until(() => takes > 0)
    payload.release()
    const before = takes
    stream.resume()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([takes, ended, stream.destroyed]).toEqual([before, false, true])
  })
})

/** The next request that this process makes. */
function nextRequest(): { current: ClientRequest | undefined } {
  const found: { current: ClientRequest | undefined } = { current: undefined }
  const channel = 'http.client.request.created'
  const seen = (message: unknown) => (found.current ??= (message as { request: ClientRequest }).request)
  subscribe(channel, seen)
  onTestFinished(() => void unsubscribe(channel, seen))
  return found
}

describe('over https', () => {
  test.each([1, encryptBytes, encryptBytes + 1, 3 * mebibyte])('%i bytes arrive, their length told', async (bytes) => {
    const body = bodyOf(bytes)
    const arrived: Buffer[] = []
    const peer = await securePeerOf(async (request) => {
      arrived.push(await request.body())
      request.reply(200, goodAnswer())
    })
    const { send } = senderTo(peer.url, trusting)
    expect([await send(body), await send(body)]).toEqual([done, done])
    expect(arrived.map((each) => each.equals(body))).toEqual([true, true])
    expect(peer.requests.map((each) => [each.header('content-length'), each.header('transfer-encoding')])).toEqual([
      [String(bytes), undefined],
      [String(bytes), undefined],
    ])
    expect(peer.connections).toBe(1)
  })

  test('a server that does not read: no more is encrypted ahead, or kept, than a few slices', async () => {
    const body = Buffer.alloc(64 * mebibyte, 'a')
    let taken = 0
    watch(body, (end) => (taken = end))
    const request = nextRequest()
    const peer = await securePeerOf(() => new Promise<void>(() => undefined))
    const { send, stop } = senderTo(peer.url, trusting)
    const before = process.memoryUsage().external
    const sending = send(body)
    await until(() => peer.requests.length === 1)
    // Until the kernel, too, takes no more.
    for (let seen = -1; seen !== taken;) {
      seen = taken
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    const { socket, writableLength } = request.current!
    expect(taken).toBeGreaterThan(0)
    expect(taken).toBeLessThan(body.length / 2)
    expect(socket!.writableLength).toBeGreaterThan(0)
    expect(socket!.writableLength).toBeLessThanOrEqual(2 * encryptBytes)
    expect(writableLength).toBeLessThanOrEqual(2 * encryptBytes)
    // Node tells V8 of what OpenSSL has encrypted and the kernel has not taken.
    expect(process.memoryUsage().external - before).toBeLessThan(4 * mebibyte)
    stop.abort()
    expect(await sending).toMatchObject({ kind: 'failed', reached: true })
  }, 20_000)

  test('the connection is away while a body waits: it fails, and the next one takes another', async () => {
    const peer = await securePeerOf(async (request: Request) => {
      if (request.number > 0) {
        await request.body()
        return request.reply(200, goodAnswer())
      }
      await request.body(encryptBytes)
      request.reset()
    })
    const { send } = senderTo(peer.url, trusting)
    const body = bodyOf(16 * mebibyte)
    expect(await send(body)).toMatchObject({ kind: 'failed', reached: true })
    expect(await send(body)).toEqual(done)
    expect(peer.connections).toBe(2)
  })
})

test.each([
  ['http://es:9200', undefined, false],
  ['https://es:9200', undefined, true],
  ['https://es:9200', 'http://proxy:3128', true],
  // The proxy reads it; on the way to the proxy it is encrypted.
  ['http://es:9200', 'https://proxy:3129', true],
  ['http://es:9200', 'http://proxy:3128', false],
])('%s through %s: encrypted here is %s', (url, proxy, expected) => {
  const proxies = proxy === undefined ? undefined : new Map([[url, { url: proxy, shown: proxy }]])
  expect(isEncrypted(url, proxies)).toBe(expected)
})
