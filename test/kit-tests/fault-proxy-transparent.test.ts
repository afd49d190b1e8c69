import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runs } from '../base/runs.ts'
import { FaultProxy } from '../kit/fault-proxy.ts'

interface Exchange {
  readonly request: Buffer
  readonly answer: Buffer
}

const bytes = fc.uint8Array({ maxLength: 3_000 }).map((array) => Buffer.from(array))
const token = fc.stringMatching(/^[a-z0-9]{1,12}$/)
const fields = fc
  .array(fc.tuple(token, token), { maxLength: 5 })
  .map((pairs) => pairs.map(([name, value]) => `X-${name}: ${value}\r\n`).join(''))

const chunked = fc
  .tuple(fc.array(bytes, { maxLength: 5 }), fc.boolean())
  .map(([chunks, trailer]) =>
    Buffer.concat([
      ...chunks
        .filter(({ length }) => length > 0)
        .flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)};x=y\r\n`), chunk, Buffer.from('\r\n')]),
      Buffer.from(trailer ? '0\r\nX-Trailer: a\r\n\r\n' : '0\r\n\r\n'),
    ]),
  )

/** A message behind its first line. */
const rest = fc.oneof(
  fc.tuple(fields, bytes).map(([more, body]) => ({
    head: `${more}Content-Length: ${body.length}\r\n\r\n`,
    body,
  })),
  fc.tuple(fields, chunked).map(([more, body]) => ({ head: `${more}Transfer-Encoding: chunked\r\n\r\n`, body })),
)

const withBody = fc
  .tuple(fc.constantFrom('POST', 'PUT', 'DELETE'), token, rest)
  .map(([method, path, { head, body }]) => ({
    method,
    request: Buffer.concat([Buffer.from(`${method} /${path}/_bulk HTTP/1.1\r\n${head}`), body]),
  }))
const bare = fc.tuple(fc.constantFrom('GET', 'HEAD'), token, fields).map(([method, path, more]) => ({
  method,
  request: Buffer.from(`${method} /${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`),
}))

const answers = fc.oneof(
  rest.map(({ head, body }) => ({ head: `HTTP/1.1 200 OK\r\n${head}`, body })),
  fields.map((more) => ({ head: `HTTP/1.1 204 No Content\r\n${more}\r\n`, body: Buffer.alloc(0) })),
  rest.map(({ head, body }) => ({ head: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n${head}`, body })),
)

const exchange: fc.Arbitrary<Exchange> = fc
  .tuple(fc.oneof(withBody, bare), answers)
  .map(([{ method, request }, { head, body }]) => ({
    request,
    // An answer to HEAD says a length and has no body.
    answer: method === 'HEAD' ? Buffer.from(head) : Buffer.concat([Buffer.from(head), body]),
  }))

/** Cuts for writing: a message may come in pieces of any length. */
const cuts = fc.array(fc.nat(4_000), { maxLength: 4 })

async function writeIn(socket: Socket, message: Buffer, at: readonly number[]): Promise<void> {
  let from = 0
  for (const cut of [...at.filter((place) => place < message.length).toSorted((a, b) => a - b), message.length]) {
    if (cut > from) socket.write(message.subarray(from, cut))
    from = Math.max(from, cut)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Reads so many bytes. */
async function read(socket: Socket, length: number): Promise<Buffer> {
  let got: Buffer = Buffer.alloc(0)
  while (got.length < length) {
    const more = socket.read() as Buffer | null
    if (more !== null) got = Buffer.concat([got, more])
    else if (socket.destroyed || socket.readableEnded) break
    else await Promise.race([once(socket, 'readable'), once(socket, 'close')])
  }
  return got
}

let server: Server
let proxy: FaultProxy
let accepted: (socket: Socket) => void

beforeAll(async () => {
  server = createServer((socket) => accepted(socket.on('error', () => {})))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  proxy = await FaultProxy.before((server.address() as AddressInfo).port)
})

afterAll(async () => {
  await proxy.close()
  server.close()
})

test('without a plan every byte comes out as it went in, in both directions, one request after the other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ exchange, asked: cuts, told: cuts }), { minLength: 1, maxLength: 5 }),
      async (exchanges) => {
        const coming = new Promise<Socket>((resolve) => (accepted = resolve))
        const client = connect(proxy.port, '127.0.0.1')
        let behind: Socket | undefined
        for (const {
          exchange: { request, answer },
          asked,
          told,
        } of exchanges) {
          void writeIn(client, request, asked)
          behind ??= await coming
          const arrived = await read(behind, request.length)
          expect(arrived.equals(request), 'the request').toBe(true)
          void writeIn(behind, answer, told)
          const returned = await read(client, answer.length)
          expect(returned.equals(answer), 'the answer').toBe(true)
        }
        client.destroy()
        behind?.destroy()
      },
    ),
    runs(150),
  )
  expect(proxy.failures).toEqual([])
})

test('a body without a length ends with its connection', async () => {
  const coming = new Promise<Socket>((resolve) => (accepted = resolve))
  const client = connect(proxy.port, '127.0.0.1')
  client.write('GET / HTTP/1.1\r\n\r\n')
  const behind = await coming
  await read(behind, 18)
  behind.end('HTTP/1.1 200 OK\r\n\r\nuntil the end')
  const text = Buffer.concat(await client.toArray()).toString()
  expect(text).toBe('HTTP/1.1 200 OK\r\n\r\nuntil the end')
})

test('an answer before the request is whole comes through, and the rest of the request too', async () => {
  const coming = new Promise<Socket>((resolve) => (accepted = resolve))
  const client = connect(proxy.port, '127.0.0.1')
  const head = 'POST /x HTTP/1.1\r\nContent-Length: 10\r\n\r\n'
  client.write(`${head}12345`)
  const behind = await coming
  expect((await read(behind, head.length + 5)).toString()).toBe(`${head}12345`)
  const early = 'HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n'
  behind.write(early)
  expect((await read(client, early.length)).toString()).toBe(early)
  client.write('67890')
  expect((await read(behind, 5)).toString()).toBe('67890')
  client.destroy()
})

test.each(['client', 'server'] as const)('when the %s goes, the other side hears of it', async (who) => {
  const coming = new Promise<Socket>((resolve) => (accepted = resolve))
  const client = connect(proxy.port, '127.0.0.1').on('error', () => {})
  client.write('GET / HTTP/1.1\r\n\r\n')
  const behind = await coming
  await read(behind, 18)
  const [leaving, staying] = who === 'client' ? [client, behind] : [behind, client]
  const told = once(staying.resume(), 'close')
  leaving.destroy()
  await told
  expect(staying.destroyed).toBe(true)
})
