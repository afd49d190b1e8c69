import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'

let directory: string
let server: BulkServer
let agent: AgentProcess | undefined

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-awkward-'))
  fs.mkdirSync(path.join(directory, 'logs'))
  server = await startBulkServer({ documentsPath: path.join(directory, 'documents.ndjson') })
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  await server.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

const at = (name: string) => path.join(directory, 'logs', name)

function start(more: Record<string, string> = {}): AgentProcess {
  agent = startAgent({
    REMORA_PATHS: at('*.log'),
    REMORA_STATE_DIR: path.join(directory, 'state'),
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_POD_UID: 'awkward',
    ...more,
  })
  return agent
}

async function arrived(documents: number, mostMs = 20_000): Promise<string[]> {
  const deadlineMs = performance.now() + mostMs
  while (server.account().documents < documents && performance.now() < deadlineMs) await delay(20)
  const texts: string[] = []
  for await (const { _source: source } of readDocuments(path.join(directory, 'documents.ndjson'))) {
    texts.push((source as { message: string }).message)
  }
  return texts.toSorted()
}

test('a file that is truncated and written anew each second loses nothing that stood for a second', async () => {
  start()
  const lines = Array.from({ length: 6 }, (_, n) => `life ${n}`)
  for (const line of lines) {
    fs.writeFileSync(at('a.log'), `${line}\n`)
    await delay(1000)
  }
  expect(await arrived(lines.length)).toEqual(lines)
})

test('a hole of gigabytes does not stop probes or other files', async () => {
  const port = await findFreePort()
  fs.writeFileSync(at('hole.log'), '')
  fs.truncateSync(at('hole.log'), 40 * 1024 ** 3)
  fs.writeFileSync(at('b.log'), 'here\n')
  start({ REMORA_ADMIN_PORT: String(port) })
  expect(await arrived(1)).toEqual(['here'])
  const begun = performance.now()
  const probe = await fetch(`http://127.0.0.1:${port}/livez`, { signal: AbortSignal.timeout(5_000) })
  expect(probe.status, `after ${performance.now() - begun} ms`).toBe(200)
})

test('more files than descriptors: all are shipped', async () => {
  const texts = Array.from({ length: 1_500 }, (_, n) => `file ${String(n).padStart(4, '0')}`)
  for (const [n, text] of texts.entries()) fs.writeFileSync(at(`f${n}.log`), `${text}\n`)
  const running = start()
  expect(await arrived(texts.length), running.output().slice(0, 2000)).toEqual(texts)
})

test('what is excluded stays excluded, also when its name looks like a rotated one', async () => {
  start({ REMORA_EXCLUDE: at('secret-2*.log'), REMORA_SCAN_INTERVAL: '300ms' })
  await delay(500)
  fs.writeFileSync(at('secret-2026.log'), 'not this\n')
  fs.writeFileSync(at('a.log'), 'this\n')
  await arrived(1)
  await delay(800)
  expect(await arrived(1)).toEqual(['this'])
})

test('a line that is written while the last answers are awaited is shipped before the end', async () => {
  await server.close()
  server = await startBulkServer({
    documentsPath: path.join(directory, 'documents.ndjson'),
    faults: { onBulk: ({ number }) => (number <= 1 ? { delayMs: 2_000 } : undefined) },
  })
  fs.writeFileSync(at('a.log'), 'one\n')
  const running = start()
  await delay(1_200)
  setTimeout(() => fs.appendFileSync(at('a.log'), 'two\n'), 500)
  expect(await running.end('SIGTERM'), running.output()).toBe(0)
  expect(await arrived(2)).toEqual(['one', 'two'])
})
