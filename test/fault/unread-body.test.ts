import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startAgent } from '../kit/agent-process.ts'
import { describeElasticsearch, sharedElasticsearch } from '../kit/elasticsearch.ts'
import { FaultProxy, type Fault, type Passing } from '../kit/fault-proxy.ts'
import { allOf, storedOf, WrittenLines } from '../kit/stored.ts'

const times = 2
/** Longer than a batch takes that is sent meanwhile: its slot could be filled again before the rest is read. */
const unreadMs = 3_000

/** In a request's body: documents of lines that nobody wrote there, or that do not follow one another. */
function mixedIn({ body }: Passing, written: WrittenLines): number {
  const text = Buffer.concat(body).toString('utf8')
  // The rest of what was cut is no line.
  const rows = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  let mixed = 0
  let before = -1
  for (let at = 0; at + 2 < rows.length; at += 2) {
    try {
      const { create } = JSON.parse(rows[at]!) as { create: { _id: string } }
      const { message, log } = JSON.parse(rows[at + 1]!) as { message: string; log: { offset: number } }
      if (create._id.length !== 28 || written.texts.get(log.offset) !== message || log.offset <= before) mixed++
      before = log.offset
    } catch {
      mixed++
    }
  }
  return mixed
}

/**
 * Of 4 MiB a tenth is read, so that a part of the rest is still in the process: a kernel takes half of them unasked.
 * Source: `net.ipv4.tcp_wmem`, `tcp_rmem`.
 */
const cases: readonly (readonly [name: string, at: number, fault: Fault])[] = [
  ['an early 413, half unread', 0.5, { kind: 'answer', status: 413, passedOn: false, unreadMs: 500 }],
  ['an early 413, nine tenths unread', 0.1, { kind: 'answer', status: 413, passedOn: false, unreadMs }],
  ['an early 429, nine tenths unread', 0.1, { kind: 'answer', status: 429, passedOn: false, unreadMs }],
  ['a reset, half unread', 0.5, { kind: 'reset', unreadMs: 500 }],
  ['a reset, nine tenths unread', 0.1, { kind: 'reset', unreadMs: 500 }],
]

describeElasticsearch('a body of 4 MiB that nobody reads', () => {
  test.for(cases)('%s: no byte of a request changes while it is sent', { timeout: 240_000 }, async (one) => {
    const [, at, fault] = one
    const server = await sharedElasticsearch()
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-unread-'))
    const target = `unread-${randomInt(1e9)}`
    const proxy = await FaultProxy.before(server.port, [])
    proxy.keepsBodies = true
    const written = new WrittenLines(path.join(directory, 'app.log'))
    written.append(30_000, 1_000)
    const agent = startAgent({
      REMORA_PATHS: written.path,
      REMORA_STATE_DIR: path.join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: proxy.url,
      REMORA_INDEX: target,
      REMORA_BATCH_BYTES: '4Mi',
      REMORA_CONCURRENCY: '2',
      REMORA_REQUEST_TIMEOUT: '10s',
    })
    onTestFinished(async () => {
      await agent.end('SIGKILL')
      await proxy.close()
      fs.rmSync(directory, { recursive: true, force: true })
    })
    const deadlineMs = performance.now() + 120_000
    // Requests are small until the server has taken some.
    const largest = () => Math.max(0, ...proxy.bulks.map(({ body }) => bytesOf(body)))
    while (largest() < 3_500_000 && performance.now() < deadlineMs) {
      await delay(100)
      if (written.count - (await server.count(target).catch(() => 0)) < 10_000) written.append(10_000, 1_000)
    }
    proxy.strike([{ fault, phase: 'request body', times, at }])
    written.append(30_000, 1_000)
    while (agent.child.exitCode === null && performance.now() < deadlineMs) {
      await delay(500)
      if (proxy.isOver && (await server.count(target).catch(() => 0)) >= written.count) break
    }
    expect(await agent.end('SIGTERM'), agent.output()).toBe(0)
    expect(proxy.failures).toEqual([])
    expect(proxy.hits).toEqual([times])
    expect(Math.max(...proxy.bulks.map(({ body }) => bytesOf(body)))).toBeGreaterThan(3_500_000)
    expect(proxy.bulks.map((passing) => mixedIn(passing, written)).filter((mixed) => mixed > 0)).toEqual([])
    expect(await storedOf(server, target, written), agent.output()).toEqual(allOf(written))
  })
})

const bytesOf = (pieces: readonly Buffer[]): number => pieces.reduce((sum, { length }) => sum + length, 0)
