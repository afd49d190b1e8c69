import { type Clock, sleep } from '../base/clock.ts'
import type { Settings } from '../config/types.ts'
import { Arrivals } from './arrivals.ts'
import { type Destination, messageOf, pathOf } from './destination.ts'
import { Remote } from './remote.ts'

interface Page {
  readonly _scroll_id?: string
  readonly hits?: { readonly hits?: readonly Hit[] }
}

interface Hit {
  /** The backing index, where the target is a data stream. */
  readonly _index: string
  readonly _id: string
  readonly _source: Record<string, unknown>
}

const pageDocuments = 5_000
const answerMs = 5_000
const pollMs = 200
/** How long new documents may take to be found; a stream is refreshed every second. */
const visibleMs = 5_000

/**
 * The user's own Elasticsearch.
 *
 * @param settings  as the agent has them; nothing but this run writes to their target, so the count is exact
 * @throws RemoraError when nobody answers there, or not to these credentials
 */
export async function ownElasticsearch(settings: Settings, clock: Clock): Promise<Destination> {
  const { target } = settings
  const remote = new Documents(settings, clock)
  try {
    await remote.greet()
  } catch (error) {
    await remote.close()
    throw error
  }
  const url = settings.elasticsearchUrls[0] ?? ''
  let isStream = true
  return {
    name: `${url}, into ${target}`,
    async arrivals(expected, signal) {
      // Without the privilege to refresh, the stream does it by itself after a while.
      await remote.ask('POST', `/${target}/_refresh`, undefined, signal)
      await remote.untilVisible(target, expected, signal)
      const { arrivals, index } = await remote.readAll(target, signal)
      // Without a template for data streams, as on a server that is not Elastic's own, it became a plain index.
      if (index === target) isStream = false
      return arrivals
    },
    remains: () =>
      `The documents are in ${target}, and nothing else was changed. To delete them:\n${deletion(settings, url, `${isStream ? '_data_stream/' : ''}${target}`)}`,
    files: [],
    next: [
      `curl -s ${access(settings)}'${url}/${target}/_search?size=1' | jq '.hits.hits[]._source'`,
      "REMORA_PATHS='/path/to/*.log' npm run remora -- check",
      'npm run remora, with REMORA_PATHS and REMORA_STATE_DIR of your own',
    ],
    close: () => remote.close(),
  }
}

const deletion = (settings: Settings, url: string, name: string) =>
  `  curl -X DELETE ${access(settings)}'${url}/${name}'`

/** The options of curl that stand for the settings. Variables, not their values: no secret is ever printed. */
function access({ apiKey, bearerToken, username, caFile, clientCertFile, clientKeyFile }: Settings): string {
  const shown = clientCertFile === undefined ? '' : `--cert '${clientCertFile}' --key '${clientKeyFile}' `
  const authority = `${caFile === undefined ? '' : `--cacert '${caFile}' `}${shown}`
  if (bearerToken !== undefined) return `${authority}-H "Authorization: Bearer $REMORA_BEARER_TOKEN" `
  if (apiKey !== undefined) return `${authority}-H "Authorization: ApiKey $REMORA_API_KEY" `
  return username === undefined ? authority : `${authority}-u "${username}:$REMORA_PASSWORD" `
}

class Documents extends Remote {
  readonly #clock: Clock

  constructor(settings: Settings, clock: Clock) {
    super(
      settings,
      answerMs,
      'the demo',
      'Check REMORA_ELASTICSEARCH_URL and the network; `npm run remora -- check` tells more. Without that setting the demo brings its own server.',
    )
    this.#clock = clock
  }

  /** Waits until as many documents can be found, or for a while. */
  async untilVisible(target: string, documents: number, signal: AbortSignal): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + visibleMs
    while (this.#clock.monotonicMs() < untilMs && !signal.aborted) {
      const { status, body } = await this.ask('GET', `/${target}/_count`, undefined, signal)
      if (status !== 200 || (body as { count: number }).count >= documents) return
      await sleep(this.#clock, pollMs, signal)
    }
  }

  /** All documents in pages. A scroll, for every version and kind of server has it. */
  async readAll(target: string, signal: AbortSignal): Promise<{ arrivals: Arrivals; index: string }> {
    const arrivals = new Arrivals()
    let index = ''
    const query = { size: pageDocuments, sort: ['_doc'], _source: ['message', 'log.file.path'] }
    let { status, body } = await this.ask('POST', `/${target}/_search?scroll=1m`, query, signal)
    for (;;) {
      // Nothing arrived, not even the first document, which makes the stream.
      if (status === 404) return { arrivals, index }
      if (status !== 200)
        throw this.refused(status, `To count the documents the credentials need the privilege read on ${target}`)
      const { _scroll_id, hits } = body as Page
      const page = hits?.hits ?? []
      index = page[0]?._index ?? index
      for (const { _id, _source } of page) arrivals.add(_id, pathOf(_source), messageOf(_source))
      if (page.length === 0) {
        await this.ask('DELETE', '/_search/scroll', { scroll_id: _scroll_id }, signal)
        return { arrivals, index }
      }
      ;({ status, body } = await this.ask('POST', '/_search/scroll', { scroll: '1m', scroll_id: _scroll_id }, signal))
    }
  }
}
