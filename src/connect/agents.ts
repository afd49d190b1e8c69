/** How sockets to one node are made and kept: time limits, TLS, the proxy. */
import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { limits } from '../base/limits.ts'
import type { TlsMaterial } from './access.ts'
import { watchCertificate } from './certificate.ts'
import { pinned } from './pin.ts'

export interface AgentOptions {
  readonly tls: TlsMaterial
  /** URL of a proxy, with its credentials. */
  readonly proxy: string | undefined
  /** Sockets at once. */
  readonly connections: number
  /** Until a socket can carry a request: names, proxy and TLS included. */
  readonly connectTimeoutMs: number
}

type Callback = (error: Error | null, socket: Duplex) => void

/** @param url  of a node */
export function makeAgent(url: string, options: AgentOptions): http.Agent {
  return url.startsWith('https:') ? new SecureAgent(options) : new PlainAgent(options)
}

function commonOptions({ connections, proxy }: AgentOptions): http.AgentOptions {
  return {
    keepAlive: true,
    maxSockets: connections,
    maxFreeSockets: connections,
    scheduling: 'lifo',
    // An idle socket is closed before whatever stands in between forgets it: the next request would be lost on it.
    timeout: limits.idleSocketMs,
    // Which proxy is decided in `config/proxy.ts`, NO_PROXY included; Node only goes through it.
    ...(proxy !== undefined && { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
  }
}

class PlainAgent extends http.Agent {
  readonly #connectTimeoutMs: number

  constructor(options: AgentOptions) {
    super(commonOptions(options))
    this.#connectTimeoutMs = options.connectTimeoutMs
  }

  override createConnection(options: http.ClientRequestArgs, callback?: Callback): Duplex | null | undefined {
    const socket = super.createConnection(options, callback)
    if (socket !== null && socket !== undefined) bound(socket as Socket, 'connect', this.#connectTimeoutMs)
    return socket
  }
}

class SecureAgent extends https.Agent {
  readonly #options: AgentOptions
  /** The authority with the fingerprint, once it was seen. */
  #authority: string | undefined

  constructor(options: AgentOptions) {
    const { ca, clientCert, clientKey } = options.tls
    super({
      ...commonOptions(options),
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...(ca !== undefined && { ca }),
      ...(clientCert !== undefined && { cert: clientCert, key: clientKey }),
    })
    this.#options = options
  }

  override createConnection(options: https.RequestOptions, callback?: Callback): Duplex | null | undefined {
    const { caFingerprint } = this.#options.tls
    if (caFingerprint === undefined || callback === undefined) return this.#connect(options, callback)
    void this.#handOver(options, caFingerprint, callback)
    return undefined
  }

  async #handOver(options: https.RequestOptions, fingerprint: string, callback: Callback): Promise<void> {
    let socket: Duplex
    try {
      socket = await this.#connectPinned(options, fingerprint)
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), undefined as never)
      return
    }
    callback(null, socket)
  }

  /** Node calls back by itself when the socket goes through a proxy, and returns that to the proxy. */
  #connect(options: https.RequestOptions, callback: Callback | undefined): Duplex | null | undefined {
    const { proxy, connectTimeoutMs } = this.#options
    let done: (() => void) | undefined
    const socket = super.createConnection(options, (error, made) => {
      done?.()
      callback?.(error, made)
    })
    if (socket === null || socket === undefined) return socket
    if (proxy === undefined) {
      watchCertificate(socket as TLSSocket)
      bound(socket as Socket, 'secureConnect', connectTimeoutMs)
      return socket
    }
    // Node listens to it until the tunnel stands, and tells of nothing that comes between that and the end of the handshake.
    done = bound(kept(socket) as Socket, undefined, connectTimeoutMs, (error) => callback?.(error, undefined as never))
    return socket
  }

  async #connectPinned(options: https.RequestOptions, fingerprint: string): Promise<Duplex> {
    const authority = this.#authority ?? (await this.#look(options, fingerprint))
    this.#authority = authority
    try {
      // The certificate may be any of the chain: the server's own, or an authority below the root.
      const only = { ca: authority, allowPartialTrustChain: true, rejectUnauthorized: true }
      return await this.#open({ ...options, ...only })
    } catch (error) {
      // The server may have another chain by now: it is looked at again.
      this.#authority = undefined
      throw error
    }
  }

  /** Nothing is sent on this connection: no request, no certificate of ours; and its session is not kept. */
  async #look(options: https.RequestOptions, fingerprint: string): Promise<string> {
    const bare = { ...options, cert: undefined, key: undefined, session: undefined, _agentKey: undefined }
    const socket = await this.#open({ ...bare, rejectUnauthorized: false })
    try {
      return pinned(socket as TLSSocket, fingerprint)
    } finally {
      socket.destroy()
    }
  }

  /** Resolves when the handshake is done. */
  #open(options: https.RequestOptions): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const { proxy } = this.#options
      const socket = this.#connect(options, (error, made) => {
        if (error === null) resolve(kept(made))
        else reject(error)
      })
      if (proxy !== undefined || socket === null || socket === undefined) return
      socket.once('error', reject)
      socket.once('secureConnect', () => resolve(kept(socket)))
    })
  }
}

/** It may fail before the request has it: an error that nobody listens to would end the process. */
function kept(socket: Duplex): Duplex {
  return socket.on('error', () => undefined)
}

/** Destroys the socket when it is not ready in time. @returns what ends the waiting */
function bound(
  socket: Socket,
  ready: 'connect' | 'secureConnect' | undefined,
  mostMs: number,
  late?: (error: Error) => void,
): () => void {
  const timer = setTimeout(() => {
    const error = Object.assign(new Error(`no connection within ${mostMs / 1000} s`), { code: 'CONNECT_TIMEOUT' })
    socket.destroy(error)
    late?.(error)
  }, mostMs)
  const done = () => clearTimeout(timer)
  if (ready !== undefined) socket.once(ready, done)
  socket.once('close', done)
  return done
}
