import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { deserialize } from '../../src/settle/state-text.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { fillUp, mayMount, mountSmall, remount } from '../kit/mount.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

let directory: string
let server: BulkServer
let agents: AgentProcess[] = []

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-state-'))
  fs.mkdirSync(at('logs'))
  server = await startBulkServer({ documentsPath: at('documents.ndjson') })
})

afterEach(async () => {
  for (const agent of agents) await agent.end('SIGKILL')
  agents = []
  await server.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

const at = (name: string): string => path.join(directory, name)
const checkpoint = () => at('state/checkpoint.json')

/** No Pod UID: the ids hang on the state directory alone. */
function start(more: Record<string, string> = {}): AgentProcess {
  const agent = startAgent({
    REMORA_PATHS: `${directory}/logs/*.log`,
    REMORA_STATE_DIR: at('state'),
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_SCAN_INTERVAL: '500ms',
    ...more,
  })
  agents.push(agent)
  return agent
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > deadlineMs)
      throw new Error(`it did not come:\n${agents.map((each) => each.output()).join('\n')}`)
    await delay(50)
  }
}

let written = 0
function append(name: string, lines: number): void {
  const text = Array.from({ length: lines }, () => `line ${String(++written).padStart(6, '0')} of this file\n`).join('')
  fs.appendFileSync(at(`logs/${name}`), text)
}

async function stored(): Promise<string[]> {
  const messages: string[] = []
  for await (const document of readDocuments(at('documents.ndjson')))
    messages.push((document._source as { message: string }).message)
  return messages
}

const codesOf = (agent: AgentProcess): string[] =>
  [...agent.output().matchAll(/"event\.code":"([A-Z_]+)"/g)]
    .map(([, code = '']) => code)
    .filter((code) => /STATE|CHECKPOINT|INSTANCE/.test(code))

/** Ships until everything is there, and stops. */
async function ship(): Promise<AgentProcess> {
  const agent = start()
  await until(async () => new Set(await stored()).size === written)
  expect(await agent.end('SIGTERM')).toBe(0)
  return agent
}

function inspect(...argv: string[]): { code: number | null; text: string } {
  const env = { PATH: process.env['PATH'] ?? '', REMORA_STATE_DIR: at('state') }
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'inspect', ...argv], {
    env,
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect(stderr).toBe('')
  return { code: status, text: stdout }
}

beforeEach(() => void (written = 0))

test('inspect prints what a real agent has left, and what it holds while it runs', async () => {
  expect(inspect()).toMatchObject({ code: 0, text: expect.stringContaining('no such directory') })
  append('a.log', 100)
  append('b.log', 50)
  await ship()
  fs.renameSync(at('logs/b.log'), at('logs/b.log.1'))
  append('a.log', 10)
  const { code, text } = inspect()
  expect(code).toBe(0)
  const lag = fs.statSync(at('logs/a.log')).size - JSON.parse(inspect('--json').text).generations[0].offset
  expect(text).toMatch(new RegExp(`^ *${lag} .* live .* ${at('logs/a.log')}$`, 'm'))
  expect(text).toContain('checksum holds')
  expect(text).toMatch(new RegExp(`instance file +${fs.readFileSync(at('state/instance'), 'utf8').split('\n')[0]}`))
  start()
  await until(async () => new Set(await stored()).size === written)
  expect(inspect('--json').code).toBe(0)
})

test('a damaged checkpoint, damaged twice, costs neither a line nor a second document', async () => {
  append('a.log', 100)
  await ship()
  fs.truncateSync(checkpoint(), 100)
  expect(inspect().code).toBe(1)
  append('a.log', 10)
  expect(codesOf(await ship())).toEqual(['STATE_FALLBACK'])
  fs.writeFileSync(checkpoint(), '')
  fs.writeFileSync(at('state/checkpoint.previous.json'), '\0'.repeat(100))
  append('a.log', 10)
  expect(codesOf(await ship())).toEqual(['STATE_UNREADABLE'])
  expect(await stored(), 'the instance is known').toHaveLength(120)
  const { code, text } = inspect()
  expect(code).toBe(0)
  expect(text.match(/set aside/g)).toHaveLength(3)
})

test('a FIFO in the place of the checkpoint and of what is being written stops nothing', async () => {
  append('a.log', 100)
  await ship()
  fs.rmSync(checkpoint())
  for (const name of ['checkpoint.json', 'checkpoint.json.tmp']) execFileSync('mkfifo', [at(`state/${name}`)])
  append('a.log', 10)
  await ship()
  expect(await stored()).toHaveLength(110)
  expect(deserialize(fs.readFileSync(checkpoint(), 'utf8')).dropped).toEqual([])
})

test('a state of version 1 is gone on with: not a line is sent again under another id', async () => {
  append('a.log', 100)
  await ship()
  const { state } = deserialize(fs.readFileSync(checkpoint(), 'utf8'))
  const generations = state.generations.map((generation) => ({ ...generation, anchor: undefined, packing: undefined }))
  const body = JSON.stringify({ instance: state.instance, sinceMs: state.sinceMs, generations })
  const sha256 = createHash('sha256').update(body).digest('base64url')
  fs.rmSync(at('state'), { recursive: true })
  fs.mkdirSync(at('state'))
  fs.writeFileSync(checkpoint(), `${JSON.stringify({ remora: 'checkpoint', version: 1, sha256 })}\n${body}\n`)
  append('a.log', 10)
  expect(codesOf(await ship())).toEqual([])
  expect(await stored()).toHaveLength(110)
  expect(fs.readFileSync(at('state/instance'), 'utf8')).toContain(state.instance)
  expect(inspect().text).toContain('version 2, checksum holds')
})

test('a state of the next version is kept for the Remora that wrote it', async () => {
  append('a.log', 100)
  await ship()
  const text = fs.readFileSync(checkpoint(), 'utf8').replace('"version":2', '"version":3')
  for (const name of ['checkpoint.json', 'checkpoint.previous.json']) fs.writeFileSync(at(`state/${name}`), text)
  append('a.log', 10)
  const agent = await ship()
  expect(codesOf(agent)).toEqual(['STATE_UNREADABLE'])
  expect(agent.output()).toMatch(/newer Remora.*put that file back first/)
  const kept = fs.readdirSync(at('state')).filter((name) => name.startsWith('checkpoint.json.unreadable-'))
  expect(kept.map((name) => fs.readFileSync(at(`state/${name}`), 'utf8'))).toEqual([text])
  expect(await stored()).toHaveLength(110)
})

test('the state directory is deleted while it runs: it is made again, and nothing is sent twice', async () => {
  append('a.log', 100)
  const agent = start()
  await until(() => fs.existsSync(at('state/instance')))
  await until(async () => (await stored()).length === 100)
  for (let round = 1; round <= 3; round++) {
    fs.rmSync(at('state'), { recursive: true })
    append('a.log', 10)
    await until(() => fs.existsSync(at('state/instance')))
    await until(async () => (await stored()).length === written)
  }
  expect(await agent.end('SIGKILL')).toBeNull()
  expect(codesOf(agent)).toEqual(['STATE_DELETED', 'STATE_DELETED', 'STATE_DELETED'])
  append('a.log', 10)
  await ship()
  expect(await stored()).toHaveLength(140)
})

test('of two in one state directory the later one keeps it, and the other says so once and ships on', async () => {
  append('a.log', 100)
  const first = start()
  await until(async () => (await stored()).length === 100)
  const second = start()
  const since = () => codesOf(first).filter((code) => code === 'STATE_SHARED').length
  await until(() => {
    append('a.log', 1)
    return since() > 0
  })
  append('a.log', 10)
  await until(async () => new Set(await stored()).size === written)
  expect(await first.end('SIGTERM')).toBe(0)
  expect(await second.end('SIGTERM')).toBe(0)
  expect(codesOf(first)).toEqual(['STATE_SHARED'])
  expect(codesOf(second)).toEqual([])
  expect(await stored()).toHaveLength(written)
  expect(inspect().text).toMatch(/lag 0 bytes/)
})

describe.runIf(mayMount)('a small file system for the state', () => {
  let unmount: (() => void) | undefined
  beforeEach(() => {
    fs.mkdirSync(at('state'))
    unmount = mountSmall(at('state'), 'size=256k')
  })
  // Before the directory is removed: hooks that are asked for later run earlier.
  afterEach(() => unmount?.())

  test.each([
    ['full', () => fillUp(at('state/filling')), () => fs.rmSync(at('state/filling'))],
    ['read-only', () => remount(at('state'), 'ro'), () => remount(at('state'), 'rw')],
  ])(
    'that gets %s stops no line, is said once, and a crash meanwhile stores nothing twice',
    async (_how, spoil, mend) => {
      append('a.log', 100)
      const agent = start()
      await until(async () => fs.existsSync(at('state/instance')) && (await stored()).length === 100)
      spoil()
      for (let lines = 1; lines <= 3; lines++) {
        append('a.log', 100)
        append(`b${lines}.log`, 10)
        await until(async () => (await stored()).length === written)
      }
      await until(() => codesOf(agent).includes('CHECKPOINT_FAILED'))
      expect(await agent.end('SIGKILL')).toBeNull()
      expect(codesOf(agent)).toEqual(['CHECKPOINT_FAILED'])
      append('a.log', 10)
      const next = start()
      await until(async () => (await stored()).length === written)
      await until(() => codesOf(next).includes('CHECKPOINT_FAILED'))
      mend()
      await until(() => codesOf(next).includes('CHECKPOINT_RECOVERED'))
      expect(await next.end('SIGTERM')).toBe(0)
      expect(codesOf(next)).toEqual(['CHECKPOINT_FAILED', 'CHECKPOINT_RECOVERED'])
      expect(await stored()).toHaveLength(written)
      expect(inspect().text).toMatch(/lag 0 bytes/)
    },
  )
})
