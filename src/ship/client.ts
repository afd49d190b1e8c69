import type http from 'node:http'
import type { BaseConnectionPool, Connection } from '@elastic/transport'
import Diagnostic from '@elastic/transport/lib/Diagnostic.js'
import Serializer from '@elastic/transport/lib/Serializer.js'
import Transport from '@elastic/transport/lib/Transport.js'
import HttpConnection from '@elastic/transport/lib/connection/HttpConnection.js'
import { limits } from '../base/limits.ts'
import { authorizationOf, type Access } from '../connect/access.ts'
import { makeAgent } from '../connect/agents.ts'

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

/**
 * The transport of Elastic's client, and nothing of the client around it: of its API Remora uses none, and it takes 8 MiB.
 * Without `productCheck` it takes answers of servers that do not send `X-Elastic-Product`, as OpenSearch; what answers in
 * the place of a server is known by its answers: a bulk answer must be whole, with an item for each document (`answer.ts`),
 * and so must those of `lookup.ts`.
 */
export interface Client {
  readonly transport: Transport
  /** Closes the sockets, whatever is under way. */
  close(): Promise<void>
}

/** A client, and the agents that hold its sockets: whoever has no more use for it destroys them. */
export interface Connected {
  readonly client: Client
  readonly agents: readonly http.Agent[]
}

/**
 * The node is chosen by Remora (`nodes.ts`) and comes with the request. None of the transport's own pools will do: with
 * streamed answers they learn nothing but broken connections, and look at a dead node again after a minute, then two, up to
 * 32. Nor is their base class loaded, which brings undici with it.
 */
class ChosenPool {
  readonly connections: Connection[]
  readonly size: number

  constructor(connections: Connection[]) {
    this.connections = connections
    this.size = connections.length
  }

  getConnection({ context }: { context: unknown }): Connection | null {
    const node = context !== null && typeof context === 'object' && 'node' in context ? Number(context.node) : 0
    return this.connections[node] ?? null
  }

  markAlive(): this {
    return this
  }

  markDead(): this {
    return this
  }
}

export function connect(settings: ConnectionSettings): Connected {
  const agents: http.Agent[] = []
  const authorization = authorizationOf(settings)
  const agentFor = (href: string): http.Agent => {
    const { connections, requestTimeoutMs, proxies } = settings
    const url = settings.urls.find((each) => new URL(each).href === href) ?? href
    const connectTimeoutMs = Math.min(requestTimeoutMs, limits.connectTimeoutMs)
    const agent = makeAgent(url, { tls: settings, proxy: proxies?.get(url)?.url, connections, connectTimeoutMs })
    agents.push(agent)
    return agent
  }
  const diagnostic = new Diagnostic()
  const headers = authorization === undefined ? {} : { authorization }
  // Node's own client: as fast as undici here, and 7 MiB smaller, for its parser is not one more wasm to optimize.
  const connections = settings.urls.map(
    (url) =>
      new HttpConnection({
        url: new URL(url),
        agent: ({ url: of }: { readonly url: URL }) => agentFor(of.href),
        timeout: settings.requestTimeoutMs,
        diagnostic,
      }),
  )
  const transport = new Transport({
    diagnostic,
    serializer: new Serializer(),
    connectionPool: new ChosenPool(connections) as unknown as BaseConnectionPool,
    requestTimeout: settings.requestTimeoutMs,
    // Remora decides when to try again: the transport would do it at once and never on 429.
    maxRetries: 0,
    enableMetaHeader: false,
    headers,
    redaction,
  })
  const close = (): Promise<void> => {
    for (const agent of agents) agent.destroy()
    return Promise.resolve()
  }
  return { client: { transport, close }, agents }
}

/** For who wants nothing but a client: it is closed by its own `close`. */
export function makeClient(settings: ConnectionSettings): Client {
  return connect(settings).client
}
