import type http from 'node:http'
import { BaseConnectionPool, Client, HttpConnection, type ClientOptions } from '@elastic/elasticsearch'
import { limits } from '../base/limits.ts'
import { authorizationOf, type Access } from '../connect/access.ts'
import { makeAgent } from '../connect/agents.ts'
import { AnyServerTransport } from './any-server-transport.ts'

export interface ConnectionSettings extends Access {
  readonly urls: readonly string[]
  readonly requestTimeoutMs: number
  /** Sockets to each node. */
  readonly connections: number
  /** Bodies are compressed with this level; undefined: they are not. */
  readonly gzipLevel?: number | undefined
}

/**
 * The default copies the request into each error, byte by byte: 1.7 s and 200 MB for a body of 4 MiB. Nothing of an error
 * is shown but its message (`explain`).
 */
export const redaction = { type: 'off' } as const

/** A client, and the agents that hold its sockets: whoever has no more use for it destroys them. */
export interface Connected {
  readonly client: Client
  readonly agents: readonly http.Agent[]
}

/**
 * The node is chosen by Remora (`nodes.ts`) and comes with the request. None of the client's own pools will do: with streamed
 * answers they learn nothing but broken connections, and look at a dead node again after a minute, then two, up to 32.
 */
class ChosenPool extends BaseConnectionPool {
  override getConnection({ context }: { context: unknown }) {
    const node = context !== null && typeof context === 'object' && 'node' in context ? Number(context.node) : 0
    return this.connections[node] ?? null
  }
}

export function connect(settings: ConnectionSettings): Connected {
  const agents: http.Agent[] = []
  const authorization = authorizationOf(settings)
  const options: ClientOptions = {
    nodes: [...settings.urls],
    agent: ({ url }: { readonly url: URL }) => agentFor(url.href),
    requestTimeout: settings.requestTimeoutMs,
    // Remora decides when to try again: the client would do it at once and never on 429.
    maxRetries: 0,
    // Node's own client: as fast as undici here, and 7 MiB smaller, for its parser is not one more wasm to optimize.
    Connection: HttpConnection,
    ConnectionPool: ChosenPool,
    Transport: AnyServerTransport,
    enableMetaHeader: false,
    redaction,
    ...(authorization !== undefined && { headers: { authorization } }),
  }
  const agentFor = (href: string): http.Agent => {
    const { connections, requestTimeoutMs, proxies } = settings
    const url = settings.urls.find((each) => new URL(each).href === href) ?? href
    const connectTimeoutMs = Math.min(requestTimeoutMs, limits.connectTimeoutMs)
    const agent = makeAgent(url, { tls: settings, proxy: proxies?.get(url)?.url, connections, connectTimeoutMs })
    agents.push(agent)
    return agent
  }
  return { client: new Client(options), agents }
}

/** For who wants nothing but a client: it is closed by its own `close`. */
export function makeClient(settings: ConnectionSettings): Client {
  return connect(settings).client
}
