/** Remora's own messages in the directory that it watches: none of them makes another one. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'

let directory: string
let server: BulkServer
let agent: AgentProcess | undefined

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-own-'))
  fs.mkdirSync(path.join(directory, 'logs'))
  server = await startBulkServer({ documentsPath: path.join(directory, 'documents.ndjson') })
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  await server.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

const at = (name: string) => path.join(directory, 'logs', name)

/** @param redirected  what a shell does with the output */
function start(redirected: string): AgentProcess {
  agent = startAgent(
    {
      REMORA_PATHS: at('*.log'),
      REMORA_STATE_DIR: path.join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: server.url,
      REMORA_POD_UID: 'own',
      REMORA_SCAN_INTERVAL: '200ms',
      REMORA_BATCH_LINGER: '0ms',
      REMORA_LOG_LEVEL: 'trace',
    },
    undefined,
    ['bash', '-c', `exec "$0" "$@" ${redirected}`],
  )
  return agent
}

async function until(condition: () => boolean, mostMs = 30_000): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (!condition() && performance.now() < deadlineMs) await delay(25)
}

async function shippedOf(name: string): Promise<number> {
  let count = 0
  for await (const { _source: source } of readDocuments(path.join(directory, 'documents.ndjson')))
    if ((source as { log: { file: { path: string } } }).log.file.path === at(name)) count++
  return count
}

test('its output is a file there: that is not shipped, by none of its names', async () => {
  const lines = Array.from({ length: 300 }, (_, n) => `line ${n}\n`)
  start(`>> '${at('remora.log')}' 2>&1`)
  fs.writeFileSync(at('app.log'), lines.slice(0, 100).join(''))
  await until(() => server.account().documents >= 100)
  fs.renameSync(at('remora.log'), at('remora.log.1'))
  fs.appendFileSync(at('app.log'), lines.slice(100).join(''))
  await until(() => server.account().documents >= 300)
  await delay(1_500)
  expect(await agent!.end('SIGTERM')).toBe(0)
  const said = fs.readFileSync(at('remora.log.1'), 'utf8')
  expect(said).toMatch(/"OWN_OUTPUT".*remora\.log/)
  expect(said).toContain('"STOPPED"')
  expect(await shippedOf('app.log')).toBe(300)
  expect(server.account().documents, said).toBe(300)
})

test('it comes there by a way that nobody can see: it is shipped, and ends', { timeout: 60_000 }, async () => {
  start(`> >(exec tee -a '${at('remora.log')}') 2>&1`)
  fs.writeFileSync(at('app.log'), 'one\n')
  await until(() => server.account().documents > 1)
  // As long as messages about messages would make others it would not come to rest.
  let before = -1
  for (let looks = 0; looks < 20 && before !== server.account().documents; looks++) {
    before = server.account().documents
    await delay(2_000)
  }
  expect(server.account().documents, agent!.output()).toBe(before)
  expect(await shippedOf('app.log')).toBe(1)
  expect(before).toBeLessThan(100)
  await agent!.end('SIGTERM')
})
