import type { Client } from '@elastic/elasticsearch'
import { afterEach } from 'vitest'
import { bulkTargetOf } from '../../src/ship/bulk-target.ts'
import { makeClient, makeSend, type ConnectionSettings, type Sent } from '../../src/ship/transport.ts'
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

export interface Sender {
  readonly send: (body: Buffer, documents?: number) => Promise<Sent>
  readonly stop: AbortController
  readonly client: Client
}

export function senderTo(url: string | readonly string[], set: Partial<ConnectionSettings> = {}): Sender {
  const requestTimeoutMs = set.requestTimeoutMs ?? 30_000
  const client = makeClient({
    urls: typeof url === 'string' ? [url] : url,
    apiKey: undefined,
    username: undefined,
    password: undefined,
    caFile: undefined,
    requestTimeoutMs,
    connections: 1,
    ...set,
  })
  open.push(() => client.close())
  const stop = new AbortController()
  const send = makeSend(client, bulkTargetOf('logs-generic-default'), requestTimeoutMs)
  return { client, stop, send: (body, documents = 1) => send(body, documents, stop.signal) }
}

export const goodAnswer = (documents = 1): string =>
  JSON.stringify({ errors: false, items: Array.from({ length: documents }, () => ({ create: { status: 201 } })) })

/** Resolves when `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
