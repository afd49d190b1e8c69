import { once } from 'node:events'
import { createServer, request as ask, type IncomingMessage } from 'node:http'
import net from 'node:net'
import type { Proxy } from '../../src/config/proxy.ts'

/** A real proxy, for CONNECT and for plain requests, that counts. */
export interface ConnectProxy {
  readonly url: string
  readonly port: number
  /** `HOST:PORT` of each tunnel, and the URL of each plain request. */
  readonly passed: string[]
  close(): Promise<void>
}

/** @param credentials  `USER:PASSWORD` that it asks for */
export async function startProxy(credentials?: string): Promise<ConnectProxy> {
  const sockets = new Set<net.Socket>()
  const passed: string[] = []
  const wanted = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  const isWelcome = ({ headers }: IncomingMessage) => wanted === undefined || headers['proxy-authorization'] === wanted
  const server = createServer((request, response) => {
    if (!isWelcome(request)) {
      response.writeHead(407).end()
      return
    }
    passed.push(request.url ?? '')
    const { 'proxy-authorization': _hidden, ...headers } = request.headers
    const onward = ask(request.url ?? '', { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.writeHead(502).end())
    request.pipe(onward)
  })
  server.on('connect', (request: IncomingMessage, near: net.Socket) => {
    near.on('error', () => undefined)
    if (!isWelcome(request)) {
      near.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    passed.push(request.url ?? '')
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const far = net.connect(Number(port), host, () => {
      near.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      far.pipe(near).pipe(far)
    })
    far.on('error', () => near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    near.on('close', () => far.destroy())
  })
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as net.AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    passed,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

/** What the settings would say of this proxy, for a URL that is loopback too. */
export function viaProxy(url: string, proxy: string): ReadonlyMap<string, Proxy> {
  return new Map([[url, { url: proxy, shown: new URL(proxy).origin, variable: 'HTTPS_PROXY' }]])
}
