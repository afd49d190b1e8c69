/** What whoever reaches the port may do to it: none of it keeps a probe waiting, and none of it costs more than a bound. */
import net from 'node:net'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startAdmin, type AdminRoutes, type AdminServer } from '../../src/admin/server.ts'
import type { Notice } from '../../src/admin/logger.ts'
import { limits } from '../../src/base/limits.ts'
import { runs } from '../base/runs.ts'
import { VirtualClock } from '../kit/agent-clock.ts'

let clock: VirtualClock
let server: AdminServer
let made: { pages: number; metrics: number; ready: number }
const sockets: net.Socket[] = []

const metricsText = 'remora_files 7\n'.repeat(1_000_000)

beforeEach(async () => {
  clock = new VirtualClock()
  made = { pages: 0, metrics: 0, ready: 0 }
  server = await startAdmin(
    0,
    {
      ready: () => {
        made.ready++
        return { ready: true, detail: {} }
      },
      metrics: async () => {
        made.metrics++
        return { contentType: 'text/plain', text: metricsText }
      },
      page: async () => {
        made.pages++
        return { text: '<p>page</p>', policy: '' }
      },
      status: async () => ({}),
    },
    () => undefined,
    // All of loopback belongs to the container: here 127.0.0.x is the kubelet, unless it is 1.
    { clock: clock.view(() => true), neighbourhood: (address) => (/127\.0\.0\.[^1]$/.test(address) ? 'node' : 'pod') },
  )
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.close()
})

interface Visitor {
  readonly socket: net.Socket
  text(): string
  readonly closed: Promise<void>
}

/** @param from  loopback has a whole network of addresses */
async function visit(first: string | Uint8Array = '', from = '127.0.0.1', reads = true): Promise<Visitor> {
  const socket = net.connect({ port: server.port, host: '127.0.0.1', localAddress: from })
  sockets.push(socket)
  const chunks: Buffer[] = []
  if (reads) socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)))
  // A reset is an end, too.
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
  if (first.length > 0) socket.write(first)
  return { socket, closed, text: () => Buffer.concat(chunks).toString('latin1') }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`

async function probe(from?: string): Promise<string> {
  const visitor = await visit(get('/livez'), from)
  await visitor.closed
  return visitor.text().split('\r\n')[0] ?? ''
}

const isOpen = ({ socket }: Visitor) => !socket.destroyed

describe('many connections', () => {
  test('that say nothing: a probe is answered, and no more than a bound stay', async () => {
    const idle: Visitor[] = []
    for (let n = 0; n < 5 * limits.adminConnectionsMax; n++) idle.push(await visit())
    expect(await probe()).toBe('HTTP/1.1 200 OK')
    await vi.waitFor(() => expect(idle.filter(isOpen).length).toBeLessThanOrEqual(limits.adminConnectionsMax))
  })

  test('of one address: whoever has one of another keeps it, however slow', async () => {
    const kubelet = await visit('GET /livez HT', '127.0.0.2')
    for (let n = 0; n < 5 * limits.adminConnectionsMax; n++) await visit('GET / HTTP/1.1\r\nx: ')
    expect(isOpen(kubelet)).toBe(true)
    kubelet.socket.write('TP/1.1\r\nhost: x\r\n\r\n')
    await kubelet.closed
    expect(kubelet.text()).toMatch(/^HTTP\/1\.1 200 OK/)
  })

  test('of ever new addresses of one container: the kubelet keeps its own, however slow', async () => {
    const kubelet = await visit('GET /livez HT', '127.0.0.2')
    for (let n = 0; n < 5 * limits.adminConnectionsMax; n++) await visit('', `127.0.${1 + (n >> 7)}.${(n % 128) + 1}`)
    expect(isOpen(kubelet)).toBe(true)
    kubelet.socket.write('TP/1.1\r\nhost: x\r\n\r\n')
    await kubelet.closed
    expect(kubelet.text()).toMatch(/^HTTP\/1\.1 200 OK/)
  })

  test('that have asked and do not read: they go after those that never ask', async () => {
    const reader = await visit(get('/metrics'), '127.0.0.1', false)
    expect(await probe('127.0.0.2')).toBe('HTTP/1.1 200 OK')
    for (let n = 0; n < 2 * limits.adminConnectionsMax; n++) await visit()
    reader.socket.resume()
    await reader.closed
    expect(reader.socket.bytesRead).toBeGreaterThan(metricsText.length)
  })

  test('of many addresses: a new one is answered all the same', async () => {
    for (let n = 0; n < 3 * limits.adminConnectionsMax; n++) await visit('', `127.0.1.${n + 1}`)
    expect(await probe('127.0.0.3')).toBe('HTTP/1.1 200 OK')
  })
})

describe('slow ones', () => {
  test.each([
    ['that send nothing', ''],
    ['that send a header for ever', 'GET / HTTP/1.1\r\nx: '],
    ['that send a body for ever', 'GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nx'],
  ])('%s are ended', async (_, first) => {
    const visitor = await visit(first)
    // It is known to the server.
    expect(await probe()).toBe('HTTP/1.1 200 OK')
    await clock.advanceTo(clock.nowMs + limits.adminConnectionMs)
    await visitor.closed
  })

  test('that do not read their answer are ended, and what was made for one serves all', async () => {
    const visitors: Visitor[] = []
    for (let n = 0; n < limits.adminConnectionsMax - 1; n++)
      visitors.push(await visit(get('/metrics'), '127.0.0.1', false))
    expect(await probe()).toBe('HTTP/1.1 200 OK')
    expect(made.metrics).toBe(1)
    await clock.advanceTo(clock.nowMs + limits.adminConnectionMs)
    // Whether it was ended shows when somebody reads.
    for (const { socket } of visitors) socket.resume()
    await Promise.all(visitors.map(({ closed }) => closed))
    for (const { socket } of visitors) expect(socket.bytesRead).toBeLessThan(metricsText.length)
  })
})

describe('one request is answered for each connection', () => {
  test.each(['HTTP/1.1\r\nhost: x', 'HTTP/1.0\r\nconnection: keep-alive'])(
    'of thousands in one piece (%j) no more than one is, and the others cost nothing',
    async (rest) => {
      const visitor = await visit(`GET /readyz ${rest}\r\n\r\n`.repeat(5_000))
      await visitor.closed
      expect(visitor.text().split('200 OK').length - 1).toBeLessThanOrEqual(1)
      expect(made.ready).toBe(1)
      expect(await probe()).toBe('HTTP/1.1 200 OK')
    },
  )

  test('and it says so', async () => {
    const visitor = await visit(get('/'))
    await visitor.closed
    expect(visitor.text()).toMatch(/\r\nconnection: close\r\n/i)
  })
})

async function manyAsk(): Promise<void> {
  const visitors = await Promise.all(Array.from({ length: 20 }, (_, n) => visit(get(n % 2 ? '/' : '/metrics'))))
  for (const visitor of visitors) await visitor.closed
}

test('page and metrics are made once for all who ask at once, and again later', async () => {
  await manyAsk()
  expect(made).toMatchObject({ pages: 1, metrics: 1 })
  await clock.advanceTo(clock.nowMs + limits.adminFreshMs)
  await manyAsk()
  expect(made).toMatchObject({ pages: 2, metrics: 2 })
})

async function statusOf(path: string): Promise<string> {
  const visitor = await visit(get(path))
  await visitor.closed
  return visitor.text().slice(9, 12)
}

test('who asks for ever other pages does not blind the monitoring', async () => {
  const pages = new Set<string>()
  for (let n = 0; n <= limits.adminMakesMax; n++) pages.add(await statusOf(`/?find=${n}`))
  expect([...pages]).toEqual(['200', '503'])
  expect(await statusOf('/metrics')).toBe('200')
})

describe('what is no request', () => {
  const header = 'x'.repeat(limits.adminHeaderBytesMax)
  test.each([
    ['a header too large', `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${header}\r\n\r\n`],
    ['a path too long', `GET /${header} HTTP/1.1\r\nhost: x\r\n\r\n`],
    ['headers without end', `GET /livez HTTP/1.1\r\n${'x: y\r\n'.repeat(5_000)}\r\n`],
    ['two lengths', 'GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    ['two framings', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a chunk of no size', 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['no host', 'GET /livez HTTP/1.1\r\n\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'],
    ['TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
    ['a tunnel', 'CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['a method that nobody knows', 'FETCH / HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['nothing', '\r\n\r\n\r\n'],
  ])('%s: it ends, and the next one is answered', async (_, bytes) => {
    const visitor = await visit(bytes)
    expect(await probe()).toBe('HTTP/1.1 200 OK')
    await clock.advanceTo(clock.nowMs + limits.adminConnectionMs)
    await visitor.closed
    expect(visitor.text()).not.toMatch(/^HTTP\/1\.1 200/)
    expect(made).toEqual({ pages: 0, metrics: 0, ready: 0 })
  })

  test.each([
    ['an upgrade', 'upgrade: websocket\r\nconnection: upgrade'],
    ['an expectation', 'expect: 100-continue'],
    ['a body', 'content-length: 3'],
  ])('%s is passed over', async (_, more) => {
    const visitor = await visit(`GET /livez HTTP/1.1\r\nhost: x\r\n${more}\r\n\r\nabc`)
    await visitor.closed
    expect(visitor.text()).toMatch(/HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok\n$/)
  })

  test('a body that never ends is not read', async () => {
    const visitor = await visit(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n`)
    visitor.socket.write(Buffer.alloc(8 * 1024 * 1024))
    await visitor.closed
    expect(visitor.socket.bytesWritten).toBeLessThan(100 * 1024 * 1024)
    expect(await probe()).toBe('HTTP/1.1 200 OK')
  })

  test('any bytes at all', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom(
          'GET ',
          'HEAD ',
          'POST ',
          '/livez',
          '/metrics',
          ' HTTP/1.1',
          '\r\n',
          '\r\n\r\n',
          'host: x',
          ': ',
          'a',
        )
        .map((text) => Buffer.from(text)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        const visitor = await visit(Buffer.concat(pieces))
        visitor.socket.end()
        await visitor.closed
        expect(await probe()).toBe('HTTP/1.1 200 OK')
      }),
      runs(100),
    )
  })
})

describe('a port that is taken', () => {
  const routes: AdminRoutes = {
    ready: () => ({ ready: true, detail: {} }),
    metrics: () => Promise.reject(new Error('none')),
    page: async () => ({ text: '', policy: '' }),
    status: async () => ({}),
  }

  test('is said once and tried again until it is free; then that is said', async () => {
    const application = net.createServer().listen(0, '::')
    await new Promise((resolve) => application.once('listening', resolve))
    const { port } = application.address() as net.AddressInfo
    const [warnings, news]: [Notice[], Notice[]] = [[], []]
    const listen = vi.spyOn(net.Server.prototype, 'listen')
    const admin = await startAdmin(port, routes, (notice) => warnings.push(notice), {
      clock: clock.view(() => true),
      info: (notice) => news.push(notice),
    })
    const own = listen.mock.contexts[0] as net.Server
    const listeners = () => own.eventNames().reduce((sum, name) => sum + own.listenerCount(name), 0)
    const atFirst = listeners()
    for (let tries = 0; tries < 20; tries++) await clock.advanceTo(clock.nowMs + limits.adminRetryMs)
    expect(listen.mock.calls.length).toBeGreaterThan(20)
    listen.mockRestore()
    expect(warnings).toEqual([expect.objectContaining({ code: 'ADMIN_PORT_UNAVAILABLE' })])
    expect([admin.port, news]).toEqual([0, []])
    expect(listeners(), 'of an attempt nothing stays').toBe(atFirst)

    await new Promise((resolve) => application.close(resolve))
    await clock.advanceTo(clock.nowMs + limits.adminRetryMs)
    await vi.waitFor(() => expect(news).toEqual([expect.objectContaining({ code: 'ADMIN_PORT_LISTENING' })]))
    expect(admin.port).toBe(port)
    const answer = await fetch(`http://127.0.0.1:${port}/livez`)
    expect(answer.status).toBe(200)
    await admin.close()
    expect(clock.nextMs).toBe(Infinity)
  })

  test('nobody tries again after the end', async () => {
    const taken = server.port
    const admin = await startAdmin(taken, routes, () => undefined, { clock: clock.view(() => true) })
    expect(clock.nextMs).toBeLessThan(Infinity)
    await admin.close()
    expect(clock.nextMs).toBe(Infinity)
  })
})

test.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])('a machine without IPv6 (%s): IPv4 alone', async (code) => {
  const listen = vi.spyOn(net.Server.prototype, 'listen').mockImplementationOnce(function (this: net.Server) {
    process.nextTick(() => this.emit('error', Object.assign(new Error(code), { code })))
    return this
  })
  const warnings: Notice[] = []
  const admin = await startAdmin(
    0,
    {
      ready: () => ({ ready: true, detail: {} }),
      metrics: () => Promise.reject(new Error('none')),
      page: async () => ({ text: '', policy: '' }),
      status: async () => ({}),
    },
    (notice) => warnings.push(notice),
  )
  expect(listen.mock.calls.map(([where]) => (where as { host: string }).host)).toEqual(['::', '0.0.0.0'])
  listen.mockRestore()
  expect(warnings).toEqual([])
  expect((await fetch(`http://127.0.0.1:${admin.port}/livez`)).status).toBe(200)
  await admin.close()
})
