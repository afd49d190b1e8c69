import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'

/** Published with each request that is made; its head has its headers. Source: Node, "Diagnostics Channel", `http.client.request.created`. */
const channel = 'http.client.request.created'

interface Entry {
  request: ClientRequest | undefined
  /** A connection stood: the server may have got the request, or a part of it. */
  connected: boolean
  /** As Node has thrown it: the client passes on no more than its message. */
  error: Error | undefined
}

/**
 * The requests under way, by the id that we gave them: the client does not show them. Needed because a server may answer
 * before it has read the whole body (413, 429). The rest of the body then still waits to be written, out of a slot that
 * must not be filled again before.
 */
export class Outgoing {
  readonly #requests = new Map<string, Entry>()
  readonly #started = (message: unknown): void => {
    const { request } = message as { request: ClientRequest }
    const id = request.getHeader('x-opaque-id')
    const entry = typeof id === 'string' ? this.#requests.get(id) : undefined
    if (entry === undefined) return
    entry.request = request
    if (request.socket !== null) noteConnection(entry, request, request.socket)
    else request.once('socket', (socket) => noteConnection(entry, request, socket))
    // What answers may not be HTTP, as a TLS port is not. The client takes that error for a body after a HEAD, says
    // nothing, and its promise never settles (@elastic/transport 9.4, HttpConnection): so it comes under another code.
    request.prependListener('error', (error: NodeJS.ErrnoException) => {
      entry.error ??= error
      if (error.code === 'HPE_INVALID_CONSTANT') error.code = 'NOT_HTTP'
    })
  }

  constructor() {
    subscribe(channel, this.#started)
  }

  close(): void {
    unsubscribe(channel, this.#started)
  }

  expect(id: string): void {
    this.#requests.set(id, { request: undefined, connected: false, error: undefined })
  }

  forget(id: string): void {
    this.#requests.delete(id)
  }

  /** Closes the connection: an answer that the client has not read would keep it from all further requests. */
  abandon(id: string): void {
    this.#requests.get(id)?.request?.destroy()
  }

  /** Whether the request went out on a connection that an earlier one had used: the server may just have closed it. */
  wasReused(id: string): boolean {
    return this.#requests.get(id)?.request?.reusedSocket ?? false
  }

  /** Why it failed, with Node's own code; undefined when it did not, or not by itself. */
  errorOf(id: string): Error | undefined {
    return this.#requests.get(id)?.error
  }

  /** Whether a connection stood: then some of the request may have arrived, whatever came of it. */
  hasReached(id: string): boolean {
    return this.#requests.get(id)?.connected ?? false
  }

  /**
   * Resolves when the request's last byte has left this process or its socket is closed: by force after `mostMs`, or at
   * once when the signal aborts.
   */
  async drained(id: string, mostMs: number, signal: AbortSignal): Promise<void> {
    const request = this.#requests.get(id)?.request
    if (request === undefined || request.writableFinished) return
    const deadline = performance.now() + mostMs
    const { socket } = request
    // With the last byte of the answer Node ceases to tell the request that its socket takes more (lib/_http_client.js,
    // socketOnData), and a body that is a stream would wait for ever.
    const goOn = () => {
      if (socket?.writable === true && !socket.writableNeedDrain && !request.destroyed) request.emit('drain')
    }
    socket?.on('drain', goOn)
    goOn()
    const pending = () => !request.writableFinished && socket?.destroyed === false
    while (pending()) {
      if (signal.aborted || performance.now() > deadline) socket?.destroy()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    socket?.off('drain', goOn)
    // A destroyed socket gives up its pending write when its handle is closed: one more turn of the loop.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Of a request over TLS no byte leaves before the handshake is done. */
function noteConnection(entry: Entry, request: ClientRequest, socket: Socket): void {
  if (request.reusedSocket || !socket.connecting) entry.connected = true
  else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => (entry.connected = true))
}
