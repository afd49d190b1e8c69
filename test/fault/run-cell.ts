import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startAgent } from '../kit/agent-process.ts'
import type { Elasticsearch } from '../kit/elasticsearch.ts'
import { FaultProxy } from '../kit/fault-proxy.ts'
import { storedOf, WrittenLines, type Stored } from '../kit/stored.ts'
import { succeed } from '../kit/elasticsearch/client.ts'
import type { Cell } from './cells.ts'

/** The data streams of the cells have this template: names that begin so. */
export const streams = 'faults-stream-'
/** Those that are rolled over. */
export const rolling = 'faults-rolling-'
const prefixes = { index: 'faults-index-', 'data stream': streams, rolling }

const mostMs = 90_000
const linesAtFirst = 2_500

/** What came of a cell. */
export interface Ran {
  readonly stored: Stored
  readonly expected: number
  /** Requests that each of its faults hit. */
  readonly hits: readonly number[]
  /** Codes of what the agent said that is no mere information, each once, sorted. */
  readonly said: readonly string[]
  readonly exitCode: number | null
  readonly proxyFailures: readonly unknown[]
  readonly output: string
}

/**
 * One agent, one target, and one proxy between them: trouble for some requests, then none.
 *
 * @param struck  before a request feels what hits it
 */
export async function runCell(
  server: Elasticsearch,
  cell: Pick<Cell, 'strikes'> & { readonly target: keyof typeof prefixes },
  name: string,
  struck: () => Promise<void> | void = () => {},
): Promise<Ran> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-fault-'))
  const target = `${prefixes[cell.target]}${name}`
  const proxy = await FaultProxy.before(server.port, cell.strikes)
  proxy.struck = struck
  const written = new WrittenLines(path.join(directory, 'app.log'))
  written.append(linesAtFirst)
  const agent = startAgent({
    REMORA_PATHS: written.path,
    REMORA_STATE_DIR: path.join(directory, 'state'),
    REMORA_ELASTICSEARCH_URL: proxy.url,
    REMORA_INDEX: target,
    REMORA_BATCH_BYTES: '128Ki',
    REMORA_MAX_LINE_BYTES: '5Ki',
    REMORA_CONCURRENCY: '2',
    REMORA_REQUEST_TIMEOUT: '2s',
  })
  try {
    const deadlineMs = performance.now() + mostMs
    const waiting = () => performance.now() < deadlineMs && agent.child.exitCode === null
    // More lines as long as something is to go wrong: some faults need a connection that has a pause.
    while (!proxy.isOver && waiting()) {
      await delay(100)
      if (written.count < 4 * linesAtFirst) written.append(50)
    }
    written.append(100)
    while ((await countOf(server, target)) < written.count && waiting()) await delay(200)
    const exitCode = await agent.end('SIGTERM')
    return {
      stored: await storedOf(server, target, written),
      expected: written.count,
      hits: proxy.hits,
      said: saidIn(agent.output()),
      exitCode,
      proxyFailures: proxy.failures,
      output: agent.output(),
    }
  } finally {
    await agent.end('SIGKILL')
    await proxy.close()
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** Makes a target with a document that goes again: what is said must not depend on how fast its first shard starts. */
export async function makeTarget(server: Elasticsearch, cell: Cell, name: string): Promise<void> {
  const seed = `{"create":{}}\n{"@timestamp":"2026-01-01T00:00:00Z"}\n`
  const answer = await succeed(server, 'POST', `/${prefixes[cell.target]}${name}/_bulk?refresh=wait_for`, seed)
  const { _index: index, _id: id } = answer.items[0].create
  await succeed(server, 'DELETE', `/${index}/_doc/${id}`)
}

/** Of an index that has only just been made, a shard may not have been started: it cannot be counted yet. */
async function countOf(server: Elasticsearch, target: string): Promise<number> {
  try {
    return await server.count(target)
  } catch {
    return 0
  }
}

/** Codes of warnings and worse. */
function saidIn(output: string): string[] {
  const codes = new Set<string>()
  for (const line of output.split('\n')) {
    if (!line.startsWith('{')) continue
    const said = JSON.parse(line) as Record<string, string>
    if (said['log.level'] !== 'info' && said['log.level'] !== 'debug') codes.add(said['event.code'] ?? '')
  }
  return [...codes].toSorted()
}
