import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import { text as textOf } from 'node:stream/consumers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { messageOf } from '../../src/base/errors.ts'
import { startAdmin, type AdminRoutes } from '../../src/admin/server.ts'
import type { Notice } from '../../src/admin/logger.ts'

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

const routes: AdminRoutes = {
  ready: () => ({ ready: true, detail: { ready: true, elasticsearch: { state: 'ok' } } }),
  metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'remora_files 7\n' }),
  page: (find) => Promise.resolve({ text: `<p>ä${find}</p>`, policy: "default-src 'none'; script-src 'sha256-x'" }),
  status: (find) => Promise.resolve({ find }),
}

/** `events.once` would reject with the reset that may come first. */
const closeOf = (socket: net.Socket) => new Promise((resolve) => socket.on('close', resolve))

async function start(given: Partial<AdminRoutes> = {}, port = 0) {
  const notices: Notice[] = []
  const server = await startAdmin(port, { ...routes, ...given }, (notice) => notices.push(notice))
  open.push(() => server.close())
  const ask = (path: string, method = 'GET', host = '127.0.0.1') =>
    fetch(`http://${host}:${server.port}${path}`, { method, headers: { connection: 'close' } })
  return { server, notices, ask }
}

const slowly = <T>(value: T) => {
  const untilMs = performance.now() + 30
  while (performance.now() < untilMs);
  return Promise.resolve(value)
}

const fails = () => {
  throw new Error('not now')
}

describe('what is answered', () => {
  test.each([
    ['/livez', 200, 'text/plain', 'ok\n'],
    ['/livez?verbose=1', 200, 'text/plain', 'ok\n'],
    ['/readyz', 200, 'application/json', '{"ready":true,"elasticsearch":{"state":"ok"}}\n'],
    ['/metrics', 200, 'text/plain; version=0.0.4', 'remora_files 7\n'],
    ['/', 200, 'text/html; charset=utf-8', '<p>ä</p>'],
    ['/?refresh', 200, 'text/html; charset=utf-8', '<p>ä</p>'],
    ['/?find=a%2Fb', 200, 'text/html; charset=utf-8', '<p>äa/b</p>'],
    ['/status.json', 200, 'application/json', '{"find":""}\n'],
    ['/status.json?x=1&find=%C3%A4%00+b?c', 200, 'application/json', '{"find":"ä\\u0000 b?c"}\n'],
    ['/status.json?find=%E4%zz', 200, 'application/json', '{"find":"\ufffd%zz"}\n'],
    [`/status.json?find=${'x'.repeat(3_000)}`, 200, 'application/json', `{"find":"${'x'.repeat(200)}"}\n`],
    ['/livez/', 404, 'text/plain', 'there are /, /livez, /readyz, /metrics and /status.json\n'],
    ['/metrics/../secret', 404, 'text/plain', 'there are /, /livez, /readyz, /metrics and /status.json\n'],
    ['/%2e%2e/etc/passwd', 404, 'text/plain', 'there are /, /livez, /readyz, /metrics and /status.json\n'],
  ])('%s', async (path, status, type, text) => {
    const { ask } = await start()
    const response = await ask(path)
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([status, type, text])
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    const head = await ask(path, 'HEAD')
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
      status,
      String(Buffer.byteLength(text)),
      '',
    ])
  })

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s changes nothing', async (method) => {
    const { ask } = await start({
      ready: () => expect.unreachable(),
      metrics: () => expect.unreachable(),
      page: () => expect.unreachable(),
      status: () => expect.unreachable(),
    })
    for (const path of ['/', '/livez', '/readyz', '/metrics', '/status.json', '/none']) {
      const response = await ask(path, method)
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    }
  })

  test('only the page may run anything', async () => {
    const { ask } = await start()
    for (const [path, runs] of [
      ['/', true],
      ['/status.json', false],
      ['/livez', false],
      ['/none', false],
    ] as const) {
      const policy = (await ask(path)).headers.get('content-security-policy') ?? ''
      expect(policy.includes('script-src'), path).toBe(runs)
    }
  })

  test('a page that calls this port by a name of its own is told nothing; who scrapes by that name is', async () => {
    const { server } = await start()
    const asked = async (path: string, headers: Record<string, string>) => {
      const request = http.get({ port: server.port, path, headers: { host: 'evil.example:9600', ...headers } })
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      return [response.statusCode, await textOf(response)]
    }
    for (const path of ['/', '/status.json', '/metrics']) {
      expect(await asked(path, { 'accept-language': 'en' })).toEqual([421, expect.stringContaining('localhost')])
    }
    expect(await asked('/metrics', {})).toEqual([200, 'remora_files 7\n'])
  })

  test('what took long to make keeps no other kind of answer waiting: a page asks for its figures at once', async () => {
    const { server, ask } = await start({
      page: () => slowly({ text: '<p>', policy: '' }),
      metrics: (accept) => slowly({ contentType: accept ?? '', text: '1' }),
    })
    expect((await ask('/')).status).toBe(200)
    expect((await ask('/status.json')).status).toBe(200)
    for (const accept of ['text/plain', 'application/openmetrics-text']) {
      const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`, {
        headers: { accept, connection: 'close' },
      })
      expect(answer.status, accept).toBe(200)
    }
  })

  test('not ready is 503 with a reason', async () => {
    const { ask } = await start({ ready: () => ({ ready: false, detail: { ready: false, why: 'starting' } }) })
    const response = await ask('/readyz')
    expect([response.status, await response.json()]).toEqual([503, { ready: false, why: 'starting' }])
    expect((await ask('/livez')).status, 'a restart would not help').toBe(200)
  })

  test('metrics are told what is accepted, and whoever keeps answers is told so', async () => {
    const seen: unknown[] = []
    const metrics = (accept: string | undefined) => {
      seen.push(accept)
      return routes.metrics(accept)
    }
    const { server } = await start({ metrics })
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`, {
      headers: { connection: 'close', accept: 'application/openmetrics-text' },
    })
    expect(answer.headers.get('vary')).toBe('accept')
    expect(seen).toEqual(['application/openmetrics-text'])
  })

  test('metrics that fail are 500 and do no harm', async () => {
    const { ask } = await start({ metrics: () => Promise.reject(new Error('no figures')) })
    const response = await ask('/metrics')
    expect([response.status, await response.text()]).toEqual([500, 'no figures\n'])
    expect((await ask('/livez')).status).toBe(200)
  })

  test('where too little memory is left the page waits, metrics are made all the same, and probes are not asked', async () => {
    let asked = 0
    const hasRoom = () => {
      asked++
      return false
    }
    const admin = await startAdmin(0, routes, () => expect.unreachable(), { hasRoom })
    const statusOf = async (at: string) => (await fetch(`http://127.0.0.1:${admin.port}${at}`)).status
    const seen: (readonly [string, number])[] = []
    for (const at of ['/livez', '/readyz', '/metrics', '/', '/status.json']) seen.push([at, await statusOf(at)])
    await admin.close()
    expect(seen).toEqual([
      ['/livez', 200],
      ['/readyz', 200],
      ['/metrics', 200],
      ['/', 503],
      ['/status.json', 503],
    ])
    expect(asked).toBe(3)
  })

  test.each(['/', '/readyz', '/status.json'] as const)('%s that fails is 500 and does no harm', async (path) => {
    const { ask } = await start({ ready: fails, page: fails, status: fails })
    const response = await ask(path)
    expect([response.status, await response.text()]).toEqual([500, 'not now\n'])
    expect((await ask('/livez')).status).toBe(200)
  })

  test.each([
    'nonsense\r\n\r\n',
    'GET / HTTP/1.1\r\nx: y\0\r\n\r\n',
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
    '\x16\x03\x01\x02',
  ])('after %j it still answers', async (bytes) => {
    const { server, ask } = await start()
    const socket = net.connect(server.port, '127.0.0.1').on('error', () => undefined)
    socket.end(bytes)
    socket.resume()
    await closeOf(socket)
    expect((await ask('/livez')).status).toBe(200)
  })
})

describe('where it listens', () => {
  const hasIpv6 = Object.values(os.networkInterfaces())
    .flat()
    .some((one) => one?.family === 'IPv6' && one.internal)

  test.runIf(hasIpv6)('on IPv6 as well', async () => {
    const { ask } = await start()
    expect((await ask('/livez', 'GET', '[::1]')).status).toBe(200)
    expect((await ask('/livez')).status).toBe(200)
  })

  test('a port that is taken is said, with a way out, and everything else goes on', async () => {
    const first = await start()
    const second = await start({}, first.server.port)
    expect(second.server.port).toBe(0)
    expect(second.notices).toEqual([
      {
        code: 'ADMIN_PORT_UNAVAILABLE',
        message: expect.stringContaining(`port ${first.server.port} for probes and metrics: listen EADDRINUSE`),
        wayOut: expect.stringContaining('REMORA_ADMIN_PORT'),
      },
    ])
    await second.server.close()
    expect((await first.ask('/livez')).status).toBe(200)
    expect(first.notices).toEqual([])
  })

  test('what goes wrong later is said, and ends nothing', async () => {
    const listen = vi.spyOn(net.Server.prototype, 'listen')
    const { ask, notices } = await start()
    const server = listen.mock.contexts[0] as net.Server
    listen.mockRestore()
    // As the kernel refuses a connection when the process is out of descriptors.
    server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
    expect(notices).toEqual([expect.objectContaining({ code: 'ADMIN_SERVER_FAILED' })])
    expect(notices[0]!.message).toContain('accept EMFILE')
    expect((await ask('/livez')).status).toBe(200)
  })

  test('it closes although somebody waits for an answer', async () => {
    const asked = Promise.withResolvers<void>()
    const { server, ask } = await start({
      metrics: () => {
        asked.resolve()
        return new Promise(() => undefined)
      },
    })
    const answer = ask('/metrics').catch(messageOf)
    await asked.promise
    await server.close()
    expect(await answer).toBe('fetch failed')
  })
})
