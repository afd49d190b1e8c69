import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { startBulkServer } from '../../../src/demo/bulk-server.ts'
import { readDocuments } from '../../../src/demo/bulk-server-documents.ts'
import type { Elasticsearch } from '../elasticsearch/client.ts'
import { scanPages } from '../elasticsearch/scan.ts'
import type { StormLines } from './lines.ts'
import type { Progress } from './writer.ts'
import type { SinkTotals, StrictSinkOptions } from './strict-sink.ts'
import { Tally, type Outcome, type Written } from './tally.ts'

/** Where a storm's lines go, and what is there in the end. */
export interface Destination {
  readonly url: string
  /** Documents that are stored now; where it can be told, without those that are there twice. */
  stored(): Promise<number>
  /** How many lines are written and not stored, counted from the oldest that is missing where that can be told. */
  lag(progress: Progress): Promise<number>
  outcome(written: Written): Promise<Outcome>
  close(): Promise<void>
}

const sinkScript = fileURLToPath(new URL('strict-sink.ts', import.meta.url))
const sinkStartMsMax = 20_000
const askMsMax = 60_000
const pageDocuments = 5_000

export interface NullSink extends Destination {
  totals(): Promise<SinkTotals>
}

/** The strict null sink in a process of its own. */
export async function startNullSink(options: StrictSinkOptions): Promise<NullSink> {
  const child = spawn(process.execPath, [sinkScript, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(sinkStartMsMax) })
  const address: { port: number } = JSON.parse(String(line))
  const url = `http://127.0.0.1:${address.port}`
  const ask = async (at: string, body?: unknown) => {
    const signal = AbortSignal.timeout(askMsMax)
    const init = body === undefined ? { signal } : { signal, method: 'POST', body: JSON.stringify(body) }
    return (await fetch(`${url}${at}`, init)).json()
  }
  const totals = async () => {
    const answer = (await ask('/_totals')) as SinkTotals
    if (answer.failure !== '') throw new Error(`the sink was sent what is no bulk request: ${answer.failure}`)
    return answer
  }
  return {
    url,
    totals,
    stored: async () => {
      const { stored, distinct } = await totals()
      return options.anyText ? stored : distinct
    },
    lag: async ({ lines, destroyed }) => lines + 1 - ((await ask('/_missing', destroyed)) as number),
    outcome: async (written) => (await ask('/_outcome', written)) as Outcome,
    close: async () => {
      const closed = once(child, 'close')
      child.stdin.end()
      await closed
    },
  }
}

/** The demo's own server in this process, which keeps its documents in a file. */
export async function startEmbedded(directory: string, lines: StormLines): Promise<Destination> {
  const documentsPath = path.join(directory, 'documents.ndjson')
  const server = await startBulkServer({ documentsPath })
  return {
    url: server.url,
    stored: () => Promise.resolve(server.account().documents),
    lag: (progress) => Promise.resolve(owed(progress) - server.account().documents),
    async outcome(written) {
      const tally = new Tally(lines)
      for await (const { _source: source } of readDocuments(documentsPath)) {
        tally.add(Buffer.from((source as { message: string }).message))
      }
      return tally.outcome(written)
    },
    close: () => server.close(),
  }
}

/** Lines that must be there one day. */
function owed({ lines, destroyed }: Progress): number {
  return destroyed.reduce((sum, [from, to]) => sum - (to - from + 1), lines)
}

/** One index of a real Elasticsearch. */
export function intoElasticsearch(server: Elasticsearch, index: string, lines: StormLines): Destination {
  // Not a refresh at each look: those would be load of their own.
  const stored = async () => {
    const { status, body } = await server.request('GET', `/${index}/_stats/indexing?filter_path=indices.*.primaries`)
    return status === 200 ? Number(body.indices?.[index]?.primaries?.indexing?.index_total ?? 0) : 0
  }
  return {
    url: server.url,
    stored,
    lag: async (progress) => owed(progress) - (await stored()),
    async outcome(written) {
      const tally = new Tally(lines)
      for await (const page of scanPages(server, index, { sourceFilter: ['message'], pageDocuments })) {
        for (const hit of page) tally.add(Buffer.from(String(hit._source.message)))
      }
      return tally.outcome(written)
    },
    close: () => Promise.resolve(),
  }
}
