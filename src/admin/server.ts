import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createListener, type Server } from 'node:net'
import { systemClock, type Clock, type Timer } from '../base/clock.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { Connections } from './connections.ts'
import { Kept } from './kept.ts'
import type { Notice } from './logger.ts'
import { OneRequest } from './one-request.ts'
import { isOfForeignPage } from './foreign.ts'
import { formatFor } from './metrics/accept.ts'

export interface AdminRoutes {
  /** `/readyz`: whether the watcher is up, and a word on everything else. */
  ready(): { readonly ready: boolean; readonly detail: unknown }
  /** @param accept  header of the request: two formats are spoken */
  metrics(accept: string | undefined): Promise<{ readonly contentType: string; readonly text: string }>
  /** `/`: HTML for a person, and what it may do. @param find  part of a file's name, from a stranger; empty: any */
  page(find: string): Promise<{ readonly text: string; readonly policy: string }>
  /** `/status.json`: what that page shows, as of now. */
  status(find: string): Promise<unknown>
}

export interface AdminServer {
  /** 0 while it does not listen. */
  readonly port: number
  close(): Promise<void>
}

interface AdminOptions {
  readonly clock?: Clock
  /** Whether there is memory for an answer that takes some; asked before each. */
  readonly hasRoom?: () => boolean
  /** Whose connections are counted together: those of one address, of one network. */
  readonly neighbourhood?: (address: string) => string
  /** What is good news. */
  readonly info?: (notice: Notice) => void
}

/**
 * Probes, metrics and the status page, read-only. A port that is taken is a message, is tried again, and shipping goes on: the
 * network namespace is the application's too. Resolves after the first attempt.
 */
export async function startAdmin(
  port: number,
  routes: AdminRoutes,
  warn: (notice: Notice) => void,
  { clock = systemClock, info = () => {}, hasRoom = () => true, neighbourhood }: AdminOptions = {},
): Promise<AdminServer> {
  const connections = new Connections(clock, neighbourhood)
  const http = createServer(
    { maxHeaderSize: limits.adminHeaderBytesMax },
    handlerOf(routes, connections, clock, hasRoom),
  )
  http.on('clientError', (_error, stream) => stream.destroy())
  const server = createListener({ allowHalfOpen: true }, (socket) => {
    const request = new OneRequest(socket)
    if (connections.take(request, socket.remoteAddress)) http.emit('connection', request)
  })

  let again: Timer | undefined
  let closed = false
  const listening = () => {
    // Out of descriptors, for one: the probes suffer, and nothing else may.
    server.on('error', (error) =>
      warn({
        code: 'ADMIN_SERVER_FAILED',
        message: `probes and metrics on port ${port}: ${messageOf(error)}`,
        wayOut: 'Shipping goes on. If it stays so, look at what the machine is short of.',
      }),
    )
  }
  const attempt = async () => {
    try {
      await listen(server, port)
    } catch {
      if (!closed) tryAgain()
      return
    }
    if (closed) {
      server.close()
      return
    }
    listening()
    info({ code: 'ADMIN_PORT_LISTENING', message: `port ${port} for probes and metrics is open now` })
  }
  const tryAgain = () => {
    again = clock.after(limits.adminRetryMs, () => void attempt())
  }
  try {
    await listen(server, port)
    listening()
  } catch (error) {
    warn({
      code: 'ADMIN_PORT_UNAVAILABLE',
      message: `port ${port} for probes and metrics: ${messageOf(error)}`,
      wayOut: `Shipping goes on without it, and it is tried again every ${limits.adminRetryMs / 1000} s. All containers of a Pod share their ports, and whoever has this one answers the probes of Remora, too: choose another with REMORA_ADMIN_PORT (0: none), and the same as containerPort.`,
    })
    tryAgain()
  }
  return {
    get port() {
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : 0
    },
    close: () =>
      new Promise((resolve) => {
        closed = true
        again?.cancel()
        server.close(() => resolve())
        connections.endAll()
      }),
  }
}

/** The policy is what a browser may do with it: nothing when it is left out, whatever it takes it for. */
type Answer = readonly [status: number, contentType: string, text: string | Buffer, policy?: string]

const noPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

function handlerOf(routes: AdminRoutes, connections: Connections, clock: Clock, hasRoom: () => boolean) {
  // As bytes: for all who read them slowly they lie in memory once. One account for each kind: no question keeps another one
  // waiting, neither of two formats, nor a page the figures that it asks for at once.
  const account = () => new Kept<Promise<Answer>>(clock)
  const [metrics, pages, states] = [{ text: account(), openmetrics: account() }, account(), account()]

  const answerTo = (url: string, accept: string | undefined): Answer | Promise<Answer> => {
    const mark = url.includes('?') ? url.indexOf('?') : url.length
    const path = url.slice(0, mark)
    const find = () => new URLSearchParams(url.slice(mark + 1)).get('find')?.slice(0, limits.statusFindMax) ?? ''
    switch (path) {
      // The loop turns, or this would not be answered. Never Elasticsearch: a restart helps nobody there.
      case '/livez':
        return [200, 'text/plain', 'ok\n']
      case '/readyz': {
        const { ready, detail } = routes.ready()
        return [ready ? 200 : 503, 'application/json', `${JSON.stringify(detail)}\n`]
      }
      case '/metrics':
        return (
          metrics[formatFor(accept)].get('', async () => {
            // Made in any case: they tell that there is none.
            hasRoom()
            const { contentType, text } = await routes.metrics(accept)
            return [200, contentType, Buffer.from(text)]
          }) ?? tooMany
        )
      case '/':
        return (
          pages.get(find(), async () => {
            if (!hasRoom()) return noRoom
            const { text, policy } = await routes.page(find())
            return [200, 'text/html; charset=utf-8', Buffer.from(text), policy]
          }) ?? tooMany
        )
      case '/status.json':
        return (
          states.get(find(), async () => {
            if (!hasRoom()) return noRoom
            return [200, 'application/json', Buffer.from(`${JSON.stringify(await routes.status(find()))}\n`)]
          }) ?? tooMany
        )
      default:
        return nothingThere
    }
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    connections.asked(request.socket)
    const say = ([status, contentType, text, policy = noPolicy]: Answer) => {
      response.writeHead(status, {
        'content-type': contentType,
        'content-length': Buffer.byteLength(text),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'content-security-policy': policy,
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        vary: 'accept',
        connection: 'close',
      })
      response.end(request.method === 'HEAD' ? undefined : text)
    }
    // What shows how things are must never be what ends them.
    const failed = (error: unknown) => say([500, 'text/plain', `${messageOf(error)}\n`])
    if (isOfForeignPage(request.headers)) return say(foreign)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return say([405, 'text/plain', 'read-only\n'])
    }
    try {
      const answer = answerTo(request.url ?? '', request.headers.accept)
      if (answer instanceof Promise) answer.then(say, failed).catch(() => response.destroy())
      else say(answer)
    } catch (error) {
      failed(error)
    }
  }
}

const tooMany: Answer = [503, 'text/plain', 'too much is asked for at once: ask again in a second\n']

const foreign: Answer = [
  421,
  'text/plain',
  'a browser may ask for this as localhost, by an address, or by a name within the cluster: `kubectl port-forward` and http://localhost\n',
]

const noRoom: Answer = [
  503,
  'text/plain',
  'too little memory is left to show it: ask again; /metrics and /readyz answer\n',
]

const nothingThere: Answer = [404, 'text/plain', 'there are /, /livez, /readyz, /metrics and /status.json\n']

/** On every address, IPv6 too where the machine has it. */
async function listen(server: Server, port: number): Promise<void> {
  try {
    await listenOn(server, port, '::')
  } catch (error) {
    if (codeOf(error) !== 'EAFNOSUPPORT' && codeOf(error) !== 'EADDRNOTAVAIL') throw error
    await listenOn(server, port, '0.0.0.0')
  }
}

/** It may be called again after a failure, for ever: nothing of an attempt stays behind. */
function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const opened = () => {
      server.off('error', failed)
      resolve()
    }
    const failed = (error: unknown) => {
      server.off('listening', opened)
      reject(error)
    }
    server.once('listening', opened).once('error', failed).listen({ port, host })
  })
}
