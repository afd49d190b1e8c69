import { createServer, type Server } from 'node:http'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Notice } from './logger.ts'

export interface AdminRoutes {
  /** `/readyz`: whether the watcher is up, and a word on everything else. */
  ready(): { readonly ready: boolean; readonly detail: unknown }
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  /** `/`: HTML for a person, and what it may do. @param find  part of a file's name, from a stranger; empty: any */
  page(find: string): Promise<{ readonly text: string; readonly policy: string }>
  /** `/status.json`: what that page shows, as of now. */
  status(find: string): Promise<unknown>
}

/** Of what is no page: nothing may come of it, whatever a browser takes it for. */
const noPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export interface AdminServer {
  /** 0 when it does not listen. */
  readonly port: number
  close(): Promise<void>
}

/**
 * Probes, metrics and the status page, read-only. A port that is taken is a message and shipping goes on: the network namespace is the
 * application's too.
 */
export async function startAdmin(
  port: number,
  routes: AdminRoutes,
  warn: (notice: Notice) => void,
): Promise<AdminServer> {
  const server = createServer(
    { maxHeaderSize: 8192, requestTimeout: 5_000, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      const answer = (status: number, contentType: string, text: string, policy = noPolicy) => {
        response.writeHead(status, {
          'content-type': contentType,
          'content-length': Buffer.byteLength(text),
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'content-security-policy': policy,
          'referrer-policy': 'no-referrer',
        })
        response.end(request.method === 'HEAD' ? undefined : text)
      }
      // What shows how things are must never be what ends them.
      const serve = (make: () => Promise<Parameters<typeof answer>>) =>
        void make()
          .then((made) => answer(...made))
          .catch((error: unknown) => {
            if (response.headersSent) response.destroy()
            else answer(500, 'text/plain', `${messageOf(error)}\n`)
          })
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD')
        return answer(405, 'text/plain', 'read-only\n')
      }
      const { url = '' } = request
      const mark = url.includes('?') ? url.indexOf('?') : url.length
      const [path, query] = [url.slice(0, mark), url.slice(mark + 1)]
      const find = () => new URLSearchParams(query).get('find')?.slice(0, limits.statusFindMax) ?? ''
      switch (path) {
        // The loop turns, or this would not be answered. Never Elasticsearch: a restart helps nobody there.
        case '/livez':
          return answer(200, 'text/plain', 'ok\n')
        case '/readyz':
          return serve(async () => {
            const { ready, detail } = routes.ready()
            return [ready ? 200 : 503, 'application/json', `${JSON.stringify(detail)}\n`]
          })
        case '/metrics':
          return serve(async () => {
            const { contentType, text } = await routes.metrics()
            return [200, contentType, text]
          })
        case '/':
          return serve(async () => {
            const { text, policy } = await routes.page(find())
            return [200, 'text/html; charset=utf-8', text, policy]
          })
        case '/status.json':
          return serve(async () => [200, 'application/json', `${JSON.stringify(await routes.status(find()))}\n`])
        default:
          return answer(404, 'text/plain', 'there are /, /livez, /readyz, /metrics and /status.json\n')
      }
    },
  )
  server.maxConnections = 32
  server.on('clientError', (_error, socket) => socket.destroy())
  try {
    await listen(server, port)
  } catch (error) {
    warn({
      code: 'ADMIN_PORT_UNAVAILABLE',
      message: `port ${port} for probes and metrics: ${messageOf(error)}`,
      wayOut: 'Choose another with REMORA_ADMIN_PORT (0: none); shipping goes on without it.',
    })
    return { port: 0, close: () => Promise.resolve() }
  }
  // Out of descriptors, for one: the probes suffer, and nothing else may.
  server.on('error', (error) =>
    warn({
      code: 'ADMIN_SERVER_FAILED',
      message: `probes and metrics on port ${port}: ${messageOf(error)}`,
      wayOut: 'Shipping goes on. If it stays so, look at what the machine is short of.',
    }),
  )
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** On every address, IPv6 too where the machine has it. */
async function listen(server: Server, port: number): Promise<void> {
  try {
    await listenOn(server, port, '::')
  } catch (error) {
    if (codeOf(error) !== 'EAFNOSUPPORT' && codeOf(error) !== 'EADDRNOTAVAIL') throw error
    await listenOn(server, port, '0.0.0.0')
  }
}

function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
