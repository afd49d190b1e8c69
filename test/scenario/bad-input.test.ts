import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'

const isRoot = process.getuid?.() === 0
/** Nobody: what root may read is no test of rights. */
const nobody = 65534

let directory: string
let logs: string
let server: BulkServer
let agent: AgentProcess | undefined

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-bad-'))
  fs.chmodSync(directory, 0o777)
  logs = path.join(directory, 'logs')
  fs.mkdirSync(logs, { mode: 0o755 })
  server = await startBulkServer({ documentsPath: path.join(directory, 'documents.ndjson') })
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  await server.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

function start(more: Record<string, string> = {}, user?: number): AgentProcess {
  agent = startAgent(
    {
      REMORA_PATHS: `${logs}/*.log`,
      REMORA_STATE_DIR: path.join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: server.url,
      REMORA_POD_UID: 'bad-input',
      REMORA_SCAN_INTERVAL: '500ms',
      ...more,
    },
    user,
  )
  return agent
}

function write(name: string, text: string | Buffer): void {
  fs.writeFileSync(path.join(logs, name), text)
}

async function until(condition: () => boolean, mostMs = 30_000): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (!condition() && performance.now() < deadlineMs) await delay(50)
}

async function messages(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for await (const { _source: source } of readDocuments(path.join(directory, 'documents.ndjson'))) {
    const document = source as { message: string; log: { file: { path: string } } }
    const name = path.basename(document.log.file.path)
    found.set(name, [...(found.get(name) ?? []), document.message])
  }
  return found
}

/** Ships `good.log` beside the trouble, and returns what the agent has said once that has arrived and `code` was said. */
async function shipsOn(code: string, more: Record<string, string> = {}, user?: number): Promise<string> {
  write('good.log', 'one\ntwo\n')
  const running = start(more, user)
  await until(() => server.account().documents >= 2 && running.output().includes(`"${code}"`))
  const output = running.output()
  expect((await messages()).get('good.log'), output).toEqual(['one', 'two'])
  const line = output.split('\n').find((text) => text.includes(`"event.code":"${code}"`))
  expect(line, output).toBeDefined()
  return line!
}

describe('a file that cannot be tailed is named, with the way out, and the others go on', () => {
  test.runIf(isRoot)('one that may not be read; it is shipped as soon as it may', async () => {
    write('secret.log', 'hidden\n')
    fs.chmodSync(path.join(logs, 'secret.log'), 0o600)
    const said = await shipsOn('EACCES', {}, nobody)
    expect(said).toContain('secret.log')
    expect(said).toMatch(/uid 65534.*owner 0:0, mode 0600.*fsGroup/)
    fs.chmodSync(path.join(logs, 'secret.log'), 0o644)
    await until(() => server.account().documents >= 3)
    expect((await messages()).get('secret.log')).toEqual(['hidden'])
  })

  test('a directory', async () => {
    fs.mkdirSync(path.join(logs, 'x.log'))
    expect(await shipsOn('NOT_A_FILE')).toMatch(/x\.log: a directory is not a log file.*REMORA_EXCLUDE/)
  })

  test('a FIFO, which nobody waits for', async () => {
    execFileSync('mkfifo', [path.join(logs, 'pipe.log')])
    expect(await shipsOn('NOT_A_FILE')).toMatch(/pipe\.log: a fifo is not a log file/)
  })

  test('a symlink that leads outside', async () => {
    fs.writeFileSync(path.join(directory, 'outside'), 'not yours\n')
    fs.symlinkSync(path.join(directory, 'outside'), path.join(logs, 'link.log'))
    expect(await shipsOn('SYMLINK_OUTSIDE')).toContain('link.log')
    expect((await messages()).size).toBe(1)
  })

  test('one that is compressed in a way that is not read', async () => {
    write('old.log', Buffer.from('fd377a585a000004e6d6b446', 'hex'))
    expect(await shipsOn('COMPRESSED')).toMatch(/old\.log.*REMORA_EXCLUDE/)
  })
})

test('a binary file is shipped, repaired, with a word of warning', async () => {
  write('core.log', Buffer.concat([Buffer.from([1, 0, 2, 0xff, 0xfe, 0]), Buffer.from('\n')]))
  expect(await shipsOn('BINARY_FILE')).toContain('core.log')
  await until(() => server.account().documents >= 3)
  expect((await messages()).get('core.log')).toEqual(['\u0001\0\u0002\ufffd\ufffd\0'])
})

test('a line of 100 MB is cut, marked, and the rest of it is no document', { timeout: 120_000 }, async () => {
  write('long.log', Buffer.concat([Buffer.alloc(100_000_000, 'x'), Buffer.from('\nafter\n')]))
  write('good.log', 'one\ntwo\n')
  const running = start()
  await until(() => server.account().documents >= 4, 90_000)
  expect(await running.end('SIGTERM'), running.output()).toBe(0)
  expect(running.output()).toMatch(/"LINE_CUT".*long\.log.*REMORA_MAX_LINE_BYTES/)
  const found = await messages()
  expect(found.get('good.log')).toEqual(['one', 'two'])
  expect(found.get('long.log')).toEqual(['x'.repeat(65_536), 'after'])
})

test('a glob that matches nothing is said once, and what comes later is shipped', async () => {
  const running = start({ REMORA_BATCH_LINGER: '0ms' })
  await until(() => running.output().includes('"NO_FILES"'))
  expect(running.output()).toMatch(/no file matches .*REMORA_PATHS/)
  write('late.log', 'here\n')
  await until(() => server.account().documents >= 1)
  expect((await messages()).get('late.log')).toEqual(['here'])
})

test('a server that is not there is said once; lines wait, and go when it is', async () => {
  write('good.log', 'one\ntwo\n')
  const running = start({ REMORA_ELASTICSEARCH_URL: 'http://127.0.0.1:1', REMORA_SHUTDOWN_GRACE: '3s' })
  await until(() => running.output().includes('ELASTICSEARCH_UNREACHABLE'))
  await delay(1500)
  expect(running.output().match(/ELASTICSEARCH_UNREACHABLE/g)).toHaveLength(1)
  expect(running.output()).toMatch(/ECONNREFUSED.*REMORA_ELASTICSEARCH_URL/)
  expect(await running.end('SIGTERM', 40_000), 'a clean stop with a rest').toBe(0)
  expect(running.output()).toContain('STOPPED_WITH_REST')
  const again = start()
  await until(() => server.account().documents >= 2)
  expect((await messages()).get('good.log'), again.output()).toEqual(['one', 'two'])
}, 60_000)

test('wrong credentials hold everything and name the settings', async () => {
  await server.close()
  server = await startBulkServer({
    documentsPath: path.join(directory, 'documents.ndjson'),
    faults: { onBulk: () => ({ status: 401, body: '{"error":{"type":"security_exception"},"status":401}' }) },
  })
  write('good.log', 'one\n')
  const running = start({ REMORA_USERNAME: 'shipper', REMORA_PASSWORD: 'not-the-right-one' })
  await until(() => running.output().includes('ELASTICSEARCH_HOLDING'))
  expect(running.output()).toMatch(/401 security_exception.*REMORA_USERNAME and REMORA_PASSWORD/)
  expect(running.output()).not.toContain('not-the-right-one')
})

test.runIf(isRoot)('a full state disk does not stop the shipping', async () => {
  const state = path.join(directory, 'state')
  fs.mkdirSync(state)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', state])
  try {
    fs.writeFileSync(path.join(state, 'filler'), Buffer.alloc(60 * 1024))
    expect(await shipsOn('CHECKPOINT_FAILED')).toMatch(/ENOSPC.*REMORA_STATE_DIR/)
    await agent?.end('SIGTERM')
  } finally {
    execFileSync('umount', ['-l', state])
  }
})

test('bad settings are said all at once, and the exit code is 2', async () => {
  const running = start({ REMORA_BATCH_BYTES: '1MB', REMORA_PATH: '/x', REMORA_ADMIN_PORT: 'x' })
  const code = await running.ended()
  expect(code).toBe(2)
  expect(running.output()).toMatch(
    /REMORA_BATCH_BYTES[\s\S]*REMORA_ADMIN_PORT|REMORA_ADMIN_PORT[\s\S]*REMORA_BATCH_BYTES/,
  )
  expect(running.output()).toMatch(/REMORA_PATHS/)
})
