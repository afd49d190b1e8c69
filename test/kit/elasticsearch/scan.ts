import { succeed, type Elasticsearch } from './client.ts'

export interface HitsOptions {
  /** The fields of `_source` that are wanted; all when undefined. */
  readonly sourceFilter?: readonly string[]
  /** Documents per page, at most 10,000 (`index.max_result_window`). */
  readonly pageDocuments?: number
  /** Reads only part `id` of `max` disjoint parts, which together are everything. */
  readonly slice?: { readonly id: number; readonly max: number }
}

export interface Hit {
  readonly _id: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read what they expect to be there
  readonly _source: any
}

const keepAlive = '2m'

/** Every document of an index, data stream or pattern as it is when the first one is asked for. */
export async function* scan(client: Elasticsearch, index: string, options: HitsOptions = {}): AsyncGenerator<Hit> {
  for await (const page of scanPages(client, index, options)) yield* page
}

/**
 * The same in pages: one wait per page, not one per document.
 * Source: Elasticsearch reference, "Paginate search results": a point in time, `search_after` and `_shard_doc`.
 */
export async function* scanPages(
  client: Elasticsearch,
  index: string,
  { sourceFilter, pageDocuments = 10_000, slice }: HitsOptions = {},
): AsyncGenerator<readonly Hit[]> {
  await succeed(client, 'POST', `/${index}/_refresh`)
  const opened = await succeed(client, 'POST', `/${index}/_pit?keep_alive=${keepAlive}`)
  let id: string = opened.id
  let after: unknown
  try {
    for (;;) {
      const answer = await succeed(
        client,
        'POST',
        '/_search?filter_path=pit_id,hits.hits._id,hits.hits._source,hits.hits.sort',
        {
          size: pageDocuments,
          sort: ['_shard_doc'],
          track_total_hits: false,
          pit: { id, keep_alive: keepAlive },
          _source: sourceFilter ?? true,
          ...(slice === undefined || slice.max < 2 ? {} : { slice }),
          ...(after === undefined ? {} : { search_after: after }),
        },
      )
      id = answer.pit_id ?? id
      const page = answer.hits?.hits ?? []
      if (page.length === 0) return
      after = page.at(-1).sort
      yield page
      if (page.length < pageDocuments) return
    }
  } finally {
    await client.request('DELETE', '/_pit', { id })
  }
}
