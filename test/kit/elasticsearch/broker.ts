import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messageOf } from '../../../src/base/errors.ts'
import { startElasticsearch, type RealElasticsearch } from './server.ts'

/** What a test process needs in order to talk to a server of another process. */
export interface SharedAddress {
  readonly port: number
  readonly directory: string
}

export type SharedServer = SharedAddress & Pick<RealElasticsearch, 'remove'>

export interface Broker {
  /** For `askBroker`, in this process or another one. */
  readonly url: string
  close(): Promise<void>
}

/** Holds one server for several processes: started when the first of them asks, ended by `close`. */
export async function startBroker(start: () => Promise<SharedServer> = startElasticsearch): Promise<Broker> {
  let starting: Promise<SharedServer> | undefined
  const listener = createServer((_, response) => {
    starting ??= start()
    starting.then(
      ({ port, directory }) => response.end(JSON.stringify({ port, directory })),
      (error: unknown) => response.writeHead(500).end(messageOf(error, 5_000)),
    )
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- listens on a port, so this is its address
  const { port } = listener.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      listener.close()
      const server = await starting?.catch(() => undefined)
      await server?.remove()
    },
  }
}

/** Returns when the broker's server is ready; its start may take minutes when it must be installed first. */
export async function askBroker(url: string): Promise<SharedAddress> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject)
  })
  const text = Buffer.concat(await answer.toArray()).toString('utf8')
  if (answer.statusCode !== 200) throw new Error(text)
  return JSON.parse(text)
}
