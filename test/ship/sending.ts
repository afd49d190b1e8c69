import { afterEach } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { bulkTargetOf } from '../../src/ship/bulk-target.ts'
import { Connections } from '../../src/ship/connections.ts'
import { makeSend, type ConnectionSettings, type Sent } from '../../src/ship/transport.ts'
import { startPeer, type Peer, type Request } from './peer.ts'

const open: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

/** A server for one test. */
export async function peerOf(handle: (request: Request) => Promise<void> | void, port?: number): Promise<Peer> {
  const peer = await startPeer(handle, port)
  open.push(() => peer.close())
  return peer
}

/** The same over TLS, with a certificate of the test authority. */
export async function securePeerOf(handle: (request: Request) => Promise<void> | void): Promise<Peer> {
  const peer = await startPeer(handle, 0, true)
  open.push(() => peer.close())
  return peer
}

export interface Sender {
  readonly send: (body: Buffer, documents?: number) => Promise<Sent>
  readonly stop: AbortController
  readonly connections: Connections
}

export function senderTo(url: string | readonly string[], set: Partial<ConnectionSettings> = {}): Sender {
  const requestTimeoutMs = set.requestTimeoutMs ?? 30_000
  const settings = { urls: typeof url === 'string' ? [url] : url, requestTimeoutMs, connections: 1, ...set }
  const connections = new Connections({ settings, clock: systemClock, random: Math.random })
  open.push(() => connections.close())
  const stop = new AbortController()
  const send = makeSend(connections, bulkTargetOf('logs-generic-default'), requestTimeoutMs)
  return { connections, stop, send: (body, documents = 1) => send(body, documents, stop.signal) }
}

export const goodAnswer = (documents = 1): string =>
  JSON.stringify({ errors: false, items: Array.from({ length: documents }, () => ({ create: { status: 201 } })) })

/** Resolves when `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
