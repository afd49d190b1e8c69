import { ResponseError } from '@elastic/transport/lib/errors.js'
import type { Clock, Timer } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { connect, redaction, type Client, type Connected, type ConnectionSettings } from './client.ts'
import type { CredentialFiles } from './credential-files.ts'
import { Nodes, type NodeNews } from './nodes.ts'

/** A client for one request. */
export interface Lease {
  readonly client: Client
  readonly settings: ConnectionSettings
  /** Which node the request goes to: its number, and its URL. */
  readonly node: number
  readonly url: string
  /** To be called once, when nothing of the request is left: no byte to be sent, none to be read. */
  done(news: NodeNews): void
}

interface Generation extends Connected {
  readonly settings: ConnectionSettings
  leases: number
}

export interface ConnectionsOptions {
  readonly settings: ConnectionSettings
  readonly clock: Clock
  readonly random: () => number
  /** Files that the credentials and certificates come from; undefined: they never change. */
  readonly files?: CredentialFiles | undefined
}

/**
 * The connections to Elasticsearch: one client at a time, made anew when credentials or certificates have changed. What is
 * under way then ends on the old one, whose sockets are closed after that.
 */
export class Connections {
  readonly #o: ConnectionsOptions
  readonly #nodes: Nodes
  #current: Generation
  #changed: () => void = () => undefined
  #timer: Timer | undefined
  #lookedMs = -Infinity
  #closed = false

  constructor(options: ConnectionsOptions) {
    this.#o = options
    this.#current = generationOf(options.settings)
    const { clock, random, settings } = options
    this.#nodes = new Nodes({ count: settings.urls.length, clock, random, probe: (node) => this.#probe(node) })
    this.#lookLater()
  }

  /** How many nodes there are: after a failure so many can be tried at once. */
  get nodes(): number {
    return this.#o.settings.urls.length
  }

  /** As they were at first: what can change while Remora runs is nobody else's concern. */
  get settings(): ConnectionSettings {
    return this.#o.settings
  }

  get current(): Client {
    return this.#current.client
  }

  /** Called when new credentials or certificates are in use: what waits may be tried at once. */
  onChanged(changed: () => void): void {
    this.#changed = changed
  }

  take(): Lease {
    const generation = this.#current
    const node = this.#nodes.take()
    generation.leases++
    let over = false
    return {
      client: generation.client,
      settings: generation.settings,
      node,
      url: generation.settings.urls[node] ?? '',
      done: (news) => {
        if (over) return
        over = true
        this.#nodes.done(node, news)
        generation.leases--
        if (generation !== this.#current && generation.leases === 0) end(generation)
      },
    }
  }

  /**
   * The server, or our own verification, has refused what this request came with.
   *
   * @returns whether there are others by now: then it is worth another try at once
   */
  refused({ client }: Lease): boolean {
    if (client === this.#current.client) this.reload(limits.credentialsRetryMs)
    return client !== this.#current.client
  }

  /** Compares the files, unless that was done less than `atMostEveryMs` ago. */
  reload(atMostEveryMs = 0): void {
    const { files, clock } = this.#o
    const nowMs = clock.monotonicMs()
    if (files === undefined || this.#closed || nowMs - this.#lookedMs < atMostEveryMs) return
    this.#lookedMs = nowMs
    const settings = files.look(this.#current.settings)
    if (settings === undefined) return
    const old = this.#current
    this.#current = generationOf(settings)
    if (old.leases === 0) end(old)
    else for (const agent of old.agents) closeIdle(agent)
    this.#nodes.forgive()
    this.#changed()
  }

  /** Closes what there is, whatever is under way. */
  close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    end(this.#current)
    return Promise.resolve()
  }

  #lookLater(): void {
    if (this.#o.files === undefined) return
    this.#timer = this.#o.clock.after(limits.credentialsIntervalMs, () => {
      this.reload()
      if (!this.#closed) this.#lookLater()
    })
  }

  /** Any answer but a proxy's that nobody is there. The rights of these credentials do not matter. */
  async #probe(node: number): Promise<boolean> {
    const late = new AbortController()
    const over = Promise.withResolvers<boolean>()
    const timer = this.#o.clock.after(limits.nodeProbeTimeoutMs, () => {
      late.abort()
      // Of what is not HTTP at all the client never tells.
      over.resolve(false)
    })
    const alive = await Promise.race([isAlive(this.#current.client, node, late.signal), over.promise])
    timer.cancel()
    return alive
  }
}

async function isAlive(client: Client, node: number, signal: AbortSignal): Promise<boolean> {
  try {
    await client.transport.request({ method: 'HEAD', path: '/' }, { meta: true, signal, context: { node }, redaction })
    return true
  } catch (error) {
    return error instanceof ResponseError && !isAway(error.statusCode ?? 0)
  }
}

/** A proxy says that the node is not there, or the node that it is not ready. */
export function isAway(status: number): boolean {
  return status === 502 || status === 503 || status === 504
}

function generationOf(settings: ConnectionSettings): Generation {
  return { ...connect(settings), settings, leases: 0 }
}

function end({ agents }: Generation): void {
  for (const agent of agents) agent.destroy()
}

/** Those in use are closed when their request is over, and no new one comes to the others. */
function closeIdle({ freeSockets }: { readonly freeSockets: NodeJS.ReadOnlyDict<{ destroy(): unknown }[]> }): void {
  for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}
