import { Agent, request, type IncomingMessage } from 'node:http'
import { Agent as SecureAgent, request as requestSecurely } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { scan, type Hit, type HitsOptions } from './scan.ts'

const answerMaxMs = 120_000

export interface User {
  readonly name: string
  readonly password: string
}

export interface Answer {
  readonly status: number
  /** Parsed JSON; the text when it is none (`_cat`); undefined when empty (HEAD, 413). */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read what they expect to be there
  readonly body: any
}

/** What a test may do with a server that others use too. */
export interface Elasticsearch {
  /** Without a trailing slash. */
  readonly url: string
  readonly port: number
  /** Holds `config`, `data`, `logs`, `tmp`. */
  readonly directory: string
  /** A superuser; undefined when security is off. */
  readonly user: User | undefined
  /** A string or bytes go out as NDJSON, anything else as JSON. Rejects only when there is no answer. */
  request(method: string, path: string, body?: unknown): Promise<Answer>
  /** Documents in an index, data stream or pattern after a refresh; 0 when there is none. */
  count(index: string): Promise<number>
  /** Every document, in no order, in pages. See `HitsOptions`. */
  hits(index: string, options?: HitsOptions): AsyncGenerator<Hit>
}

/** A client of its own for each test process; the server may be another process's. */
export class ElasticsearchClient implements Elasticsearch {
  readonly url: string
  readonly port: number
  readonly directory: string
  readonly user: User | undefined
  readonly #agent: Agent
  readonly #secure: boolean

  /** @param cert  of the server, when it speaks TLS: nothing but this one is trusted */
  constructor(port: number, directory: string, user: User | undefined, cert?: string) {
    this.#secure = cert !== undefined
    const options = { keepAlive: true, maxSockets: 8 }
    this.#agent =
      cert === undefined ? new Agent(options) : new SecureAgent({ ...options, ca: cert, allowPartialTrustChain: true })
    this.url = `${this.#secure ? 'https' : 'http'}://127.0.0.1:${port}`
    this.port = port
    this.directory = directory
    this.user = user
  }

  request(method: string, path: string, body?: unknown): Promise<Answer> {
    const raw = typeof body === 'string' || body instanceof Uint8Array
    const payload = body === undefined || raw ? body : JSON.stringify(body)
    const headers: Record<string, string | number> = { accept: 'application/json' }
    if (this.user !== undefined) headers['authorization'] = basicAuthorization(this.user)
    if (payload !== undefined) {
      headers['content-type'] = raw ? 'application/x-ndjson' : 'application/json'
      headers['content-length'] = Buffer.byteLength(payload)
    }
    const { port } = this
    const agent = this.#agent
    return new Promise((resolve, reject) => {
      const ask = this.#secure ? requestSecurely : request
      const sent = ask({ agent, host: '127.0.0.1', port, method, path, headers }, (answer) => {
        read(answer).then(resolve, reject)
      })
      sent.setTimeout(answerMaxMs, () =>
        sent.destroy(new Error(`no answer to ${method} ${path} for ${answerMaxMs} ms`)),
      )
      sent.on('error', reject)
      sent.end(payload)
    })
  }

  async count(index: string): Promise<number> {
    const options = 'ignore_unavailable=true&allow_no_indices=true'
    await succeed(this, 'POST', `/${index}/_refresh?${options}`)
    const path = `/${index}/_count?${options}`
    // The shards of an index that was made just now are not there yet: 503.
    for (let tries = 0; tries < 50 && (await this.request('GET', path)).status === 503; tries++) await delay(100)
    const body = await succeed(this, 'GET', path)
    return body.count
  }

  hits(index: string, options?: HitsOptions): AsyncGenerator<Hit> {
    return scan(this, index, options)
  }
}

export function basicAuthorization(user: User): string {
  return `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`
}

/** The body of an answer that must be a success; throws with the whole answer when it is not. */
// oxlint-disable-next-line typescript/no-explicit-any -- as `Answer.body`
export async function succeed(client: Elasticsearch, method: string, path: string, body?: unknown): Promise<any> {
  const answer = await client.request(method, path, body)
  if (answer.status < 200 || answer.status > 299) {
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  }
  return answer.body
}

async function read(answer: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part)
  const text = Buffer.concat(parts).toString('utf8')
  const json = answer.headers['content-type']?.includes('json') === true && text !== ''
  return { status: answer.statusCode ?? 0, body: text === '' ? undefined : json ? JSON.parse(text) : text }
}
