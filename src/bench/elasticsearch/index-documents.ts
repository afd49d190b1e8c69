import { setTimeout as delay } from 'node:timers/promises'
import { RemoraError } from '../../base/errors.ts'
import type { Answered, Remote } from '../../demo/remote.ts'

/** What is asked for at once: neither too many documents for the server (`index.max_result_window`) nor too many bytes. */
const pageDocumentsMax = 10_000
const pageDocumentsMin = 50
const pageBytes = 16 * 1024 * 1024
const keepAlive = '5m'
const triesMax = 4
const retryMs = 1_000

export interface IndexCounts {
  readonly documents: number
  /** Bulk requests, as the one shard counts them. */
  readonly requests: number
  /** Documents that were refused, for they are there under their `_id`; 0 where the server does not tell. */
  readonly conflicts: number
}

interface Stats {
  readonly _all?: {
    readonly primaries?: {
      readonly indexing?: { readonly index_total?: number; readonly index_failed_due_to_version_conflict?: number }
      readonly bulk?: { readonly total_operations?: number }
    }
  }
}

interface Page {
  readonly pit_id?: string
  readonly hits?: {
    readonly hits?: readonly { readonly _source?: { readonly message?: unknown }; readonly sort?: unknown }[]
  }
}

/** `message` stays in `_source` as it was sent; nothing else of a document is asked for. */
const mappingsWith = (message: object) => ({
  _source: { enabled: true },
  properties: {
    '@timestamp': { type: 'date' },
    message,
    log: {
      properties: { offset: { type: 'long' }, file: { properties: { path: { type: 'keyword', ignore_above: 1024 } } } },
    },
  },
})

/** As `remora setup` maps it where the server has that type. */
const messages = [{ type: 'match_only_text' }, { type: 'text', norms: false }]
/** Serverless and other kinds of server choose these themselves. */
const settings = { 'index.number_of_shards': 1, 'index.number_of_replicas': 0 }
const bodies = messages.flatMap((message) => {
  const mappings = mappingsWith(message)
  return [{ settings, mappings }, { mappings }]
})

/** The one index of a run, on the user's server. */
export class IndexDocuments {
  readonly #remote: Remote
  readonly #name: string

  constructor(remote: Remote, name: string) {
    this.#remote = remote
    this.#name = name
  }

  /** @throws RemoraError when it cannot be made */
  async create(): Promise<void> {
    let reason = ''
    for (const body of bodies) {
      const { status, body: answer } = await this.#remote.ask('PUT', `/${this.#name}`, body)
      if (status === 200) return
      if (status !== 400) throw this.#refusal(status)
      reason = typeOf(answer)
    }
    throw new RemoraError(
      'INDEX_NOT_MADE',
      `Elasticsearch does not make the index ${this.#name} (${reason})`,
      'An index template for all indices, or one for remora-*, may forbid it.',
    )
  }

  async counts(): Promise<IndexCounts> {
    const { status, body } = await this.#remote.ask(
      'GET',
      `/${this.#name}/_stats/indexing,bulk?filter_path=_all.primaries`,
    )
    if (status !== 200) throw this.#refusal(status)
    const { _all: all } = body as Stats
    const { indexing, bulk } = all?.primaries ?? {}
    return {
      documents: indexing?.index_total ?? 0,
      requests: bulk?.total_operations ?? 0,
      conflicts: indexing?.index_failed_due_to_version_conflict ?? 0,
    }
  }

  /**
   * The messages of all documents, as they are when the first page is asked for. A document without a text in `message` is
   * an empty one. Source: Elasticsearch reference, "Paginate search results": a point in time, `search_after`, `_shard_doc`.
   *
   * @param meanBytes  of a message
   */
  async *messages(meanBytes: number): AsyncGenerator<readonly string[]> {
    await this.#asked('POST', `/${this.#name}/_refresh`)
    const size = Math.round(Math.min(pageDocumentsMax, Math.max(pageDocumentsMin, pageBytes / meanBytes)))
    const opened = await this.#asked('POST', `/${this.#name}/_pit?keep_alive=${keepAlive}`)
    let { id } = opened.body as { id: string }
    let after: unknown
    try {
      for (;;) {
        const question = {
          size,
          sort: ['_shard_doc'],
          track_total_hits: false,
          pit: { id, keep_alive: keepAlive },
          _source: ['message'],
          ...(after !== undefined && { search_after: after }),
        }
        const filter = 'filter_path=pit_id,hits.hits._source,hits.hits.sort'
        const { pit_id: next, hits } = (await this.#asked('POST', `/_search?${filter}`, question)).body as Page
        id = next ?? id
        const page = hits?.hits ?? []
        if (page.length === 0) return
        after = page.at(-1)!.sort
        yield page.map(({ _source: source }) => (typeof source?.message === 'string' ? source.message : ''))
      }
    } finally {
      await this.#remote.ask('DELETE', '/_pit', { id }).catch(() => undefined)
    }
  }

  /** A server that has just been filled may have too much to do. */
  async #asked(method: 'GET' | 'POST', at: string, body?: object): Promise<Answered> {
    for (let tried = 1; ; tried++) {
      try {
        const answer = await this.#remote.ask(method, at, body)
        if (answer.status === 200) return answer
        throw this.#refusal(answer.status)
      } catch (error) {
        const isPassing = error instanceof RemoraError && error.code === 'ELASTICSEARCH_UNREACHABLE'
        if (!isPassing || tried === triesMax) throw error
      }
      await delay(retryMs * tried)
    }
  }

  #refusal(status: number): RemoraError {
    const wayOut =
      'The bench makes an index of its own, fills, counts, reads and deletes it: the credentials need ' +
      'create_index, create_doc, monitor, maintenance, read and delete_index on remora-bench-*'
    return this.#remote.refused(status, wayOut)
  }
}

function typeOf(answer: unknown): string {
  const { error } = answer as { error?: { type?: unknown } }
  return typeof error?.type === 'string' ? error.type.slice(0, 200) : 'status 400'
}
