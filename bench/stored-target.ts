import { sleep, systemClock } from '../src/base/clock.ts'
import type { RealElasticsearch } from '../test/kit/elasticsearch.ts'
import { succeed } from '../test/kit/elasticsearch/client.ts'
import type { Received, Receiver } from './agent.ts'

/** Seldom: what the server spends on an answer is counted too, in every variant alike. */
const pollMs = 250
const mergesMsMax = 120_000
/** Far below `runMsMax`: a server that takes nothing for so long will not. */
const quietMsMax = 60_000

/** One index of a real server, counted while it is written to, and weighed afterwards. */
export class StoredTarget implements Receiver<Received> {
  readonly url: string
  private readonly server: RealElasticsearch
  private readonly name: string
  private readonly indexMode: string
  private firstAtMs = 0
  private lastAtMs = 0

  constructor(server: RealElasticsearch, name: string, indexMode: string) {
    this.server = server
    this.url = server.url
    this.name = name
    this.indexMode = indexMode
  }

  /** An index anew, from the template that is there: no run has the documents of another to look through. */
  async reset(): Promise<void> {
    await succeed(this.server, 'DELETE', `/${this.name}?ignore_unavailable=true`)
    const settings = { 'index.mode': this.indexMode, 'index.number_of_replicas': 0 }
    await succeed(this.server, 'PUT', `/${this.name}`, { settings })
    this.firstAtMs = 0
    this.lastAtMs = 0
  }

  /** Documents that the server has indexed, to be searched already or not; answers to them may be on their way. */
  async totals(): Promise<Received> {
    const path = `/${this.name}/_stats/indexing?filter_path=_all.primaries.indexing`
    const { _all: all } = await succeed(this.server, 'GET', path)
    const documents: number = all?.primaries?.indexing?.index_total ?? 0
    // One that it refuses is missing here, one that came twice without an id is too much: no run passes for good with either.
    return { documents, firstAtMs: this.firstAtMs, lastAtMs: this.lastAtMs, failures: 0, failure: '' }
  }

  /** As the sink does it; at the end it waits for one look more, in which the agent gets its last answers. */
  async waitFor(documents: number, deadlineMs: number, signal: AbortSignal): Promise<Received> {
    let seen = 0
    let quietPolls = 0
    for (let poll = 0; poll < deadlineMs / pollMs && quietPolls < quietMsMax / pollMs && !signal.aborted; poll++) {
      const now = await this.totals()
      const nowMs = systemClock.nowMs()
      if (now.documents > 0 && this.firstAtMs === 0) this.firstAtMs = nowMs
      if (now.documents > seen) this.lastAtMs = nowMs
      quietPolls = now.documents === seen ? quietPolls + 1 : 0
      seen = now.documents
      await sleep(systemClock, pollMs, signal)
      if (seen >= documents) break
    }
    return this.totals()
  }

  /** Makes everything searchable and waits until the merges that this started are over. @returns the documents */
  async settle(): Promise<number> {
    const documents = await this.server.count(this.name)
    for (let poll = 0; poll < mergesMsMax / pollMs; poll++) {
      const path = `/${this.name}/_stats/merge?filter_path=_all.primaries.merges.current`
      const { _all: all } = await succeed(this.server, 'GET', path)
      if (all.primaries.merges.current === 0) return documents
      await sleep(systemClock, pollMs)
    }
    throw new Error(`merges were not over after ${mergesMsMax / 1000} s`)
  }

  /** Merges to one segment. @returns its bytes on disk  @throws Error when there is not one */
  async mergeToOne(): Promise<number> {
    await succeed(this.server, 'POST', `/${this.name}/_forcemerge?max_num_segments=1`)
    // Until the next refresh, the segments that were merged are still read.
    await succeed(this.server, 'POST', `/${this.name}/_refresh`)
    const { indices }: Segmented = await succeed(this.server, 'GET', `/${this.name}/_segments`)
    const shards = Object.values(indices).flatMap((index) => Object.values(index.shards).flat())
    const segments = shards.flatMap((shard) => Object.values(shard.segments))
    if (shards.length !== 1 || segments.length !== 1)
      throw new Error(`${segments.length} segments in ${shards.length} shards instead of one`)
    return segments[0]!.size_in_bytes
  }
}

/** Source: Elasticsearch reference, "Index segments API". A shard has a list of its copies. */
interface Segmented {
  readonly indices: Record<string, { readonly shards: Record<string, readonly Copy[]> }>
}

interface Copy {
  readonly segments: Record<string, { readonly size_in_bytes: number }>
}
