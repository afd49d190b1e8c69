import { RemoraError } from '../base/errors.ts'
import { readSettingFile } from '../config/read-file.ts'
import type { Settings } from '../config/types.ts'
import { accessOf } from '../connect/access.ts'
import { explain, jsonHeaders, makeClient, type Client } from '../ship/transport.ts'

export interface Answered {
  readonly status: number
  readonly body: unknown
}

/** The user's own Elasticsearch, asked with the credentials, the TLS and the proxy of the agent's settings. */
export class Remote {
  readonly #client: Client
  readonly #asker: string
  readonly #wayOut: string

  /** @param asker  `the demo`  @param wayOut  for a person whose server cannot be reached */
  constructor(settings: Settings, answerMs: number, asker: string, wayOut: string) {
    this.#client = makeClient({
      ...accessOf(settings, readSettingFile),
      urls: settings.elasticsearchUrls,
      requestTimeoutMs: answerMs,
      connections: 1,
    })
    this.#asker = asker
    this.#wayOut = wayOut
  }

  /** @throws RemoraError when there is no answer; any status is one that blames the question */
  async ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    at: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<Answered> {
    const [path = '', querystring] = at.split('?')
    try {
      const answer = await this.#client.transport.request(
        {
          method,
          path,
          ...(querystring !== undefined && { querystring }),
          ...(body !== undefined && { body: { ...body } }),
        },
        {
          meta: true,
          headers: jsonHeaders,
          ignore: [400, 401, 403, 404, 405],
          ...(signal !== undefined && { signal }),
        },
      )
      return { status: answer.statusCode ?? 0, body: answer.body }
    } catch (error) {
      signal?.throwIfAborted()
      throw new RemoraError(
        'ELASTICSEARCH_UNREACHABLE',
        `${this.#asker} cannot reach Elasticsearch: ${explain(error)}`,
        this.#wayOut,
      )
    }
  }

  /** @throws RemoraError when nobody answers there, or not to these credentials */
  async greet(): Promise<void> {
    const { status } = await this.ask('GET', '/')
    if (status === 401) throw this.refused(status, 'Check REMORA_API_KEY, or REMORA_USERNAME and REMORA_PASSWORD')
  }

  /** @param wayOut  without its full stop */
  refused(status: number, wayOut: string): RemoraError {
    return new RemoraError(
      'ELASTICSEARCH_REFUSES',
      `Elasticsearch refuses ${this.#asker} (status ${status})`,
      `${wayOut}.`,
    )
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}
