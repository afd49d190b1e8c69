import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { describeElasticsearch, startElasticsearch, type RealElasticsearch } from '../kit/elasticsearch.ts'
import { FaultProxy, type Passing } from '../kit/fault-proxy.ts'
import { allOf, storedOf, WrittenLines } from '../kit/stored.ts'

/** There is more to ship than the server takes for so long. */
const loadMs = Number(process.env['TEST_LOAD_MS'] ?? 18_000)
/** In the first seconds the agents find out how much it takes. */
const learningMs = 10_000
/** Of the requests after these, at most so many are refused. */
const refusedShareMax = 0.05
const lineBytes = 1_500
/** Not read yet, of each file; what is more is not written. */
const backlogLines = 4_000

let server: RealElasticsearch

interface Shipping {
  readonly target: string
  readonly written: WrittenLines
  readonly agent: AgentProcess
}

/** A refused request: as a whole, or some of its documents. */
function isRefused({ status, content }: Passing): boolean {
  return status === 429 || content?.includes('"status":429') === true
}

async function shipWith(agents: number, name: string): Promise<void> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-throttled-'))
  const proxy = await FaultProxy.before(server.port)
  proxy.readsAnswers = true
  const all: Shipping[] = Array.from({ length: agents }, (_, n) => {
    const target = `throttled-${name}-${n}`
    const written = new WrittenLines(path.join(directory, `app-${n}.log`))
    written.append(backlogLines, lineBytes)
    const agent = startAgent({
      REMORA_PATHS: written.path,
      REMORA_STATE_DIR: path.join(directory, `state-${n}`),
      REMORA_ELASTICSEARCH_URL: proxy.url,
      REMORA_INDEX: target,
      REMORA_BATCH_BYTES: '512Ki',
      REMORA_CONCURRENCY: '16',
    })
    return { target, written, agent }
  })
  try {
    const endMs = performance.now() + loadMs
    const stored = ({ target }: Shipping) => server.count(target).catch(() => 0)
    while (performance.now() < endMs) {
      await delay(500)
      for (const one of all) {
        const missing = backlogLines - (one.written.count - (await stored(one)))
        if (missing > 0) one.written.append(missing, lineBytes)
      }
    }
    const deadlineMs = performance.now() + 120_000
    for (const one of all) {
      while ((await stored(one)) < one.written.count && performance.now() < deadlineMs) await delay(300)
    }
    for (const { target, written, agent } of all) {
      expect(await agent.end('SIGTERM'), agent.output()).toBe(0)
      expect(await storedOf(server, target, written), agent.output()).toEqual(allOf(written))
      expect(agent.output()).not.toContain('DEAD_LETTER')
    }
  } finally {
    for (const { agent } of all) await agent.end('SIGKILL')
    await proxy.close()
    fs.rmSync(directory, { recursive: true, force: true })
  }
  expect(proxy.failures).toEqual([])
  const beganMs = proxy.bulks[0]!.atMs
  const late = proxy.bulks.filter(({ atMs }) => atMs > beganMs + learningMs)
  const early = proxy.bulks.filter((passing) => !late.includes(passing))
  const told = (some: readonly Passing[]) => `${some.filter(isRefused).length} of ${some.length}`
  console.log(`${agents} agents: refused ${told(early)} requests in the first ten seconds, ${told(late)} after them`)
  // A server that refuses nothing shows nothing.
  expect(early.filter(isRefused).length).toBeGreaterThan(0)
  expect(late.length).toBeGreaterThan(50)
  expect(late.filter(isRefused).length / late.length).toBeLessThanOrEqual(refusedShareMax)
}

describeElasticsearch('a server that refuses what is too much for it (429)', () => {
  beforeAll(async () => {
    server = await startElasticsearch({
      settings: {
        'node.processors': '1',
        'thread_pool.write.size': '1',
        // One under way and five that wait: more than each of four agents needs, less than one may send.
        'thread_pool.write.queue_size': '5',
        'indexing_pressure.memory.limit': '4mb',
      },
    })
  })
  afterAll(() => server?.remove())

  test.for([1, 4])('%i agents: all is shipped, and few requests are refused', { timeout: 300_000 }, async (agents) => {
    expect(agents).toBeGreaterThan(0)
    await shipWith(agents, String(agents))
  })
})
