/** What an application may put into the directory that it shares with Remora: nothing outside of it is read, and nothing breaks. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { parseExposition } from '../admin/exposition.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'
import { SecretVolume } from '../kit/secret-volume.ts'

/** Whatever has it in it came from where nothing is to be read. */
const canary = 'canary-7f3a9c'

let directory: string
let logs: string
let server: BulkServer
let agent: AgentProcess | undefined
let port: number

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-hostile-'))
  logs = path.join(directory, 'logs')
  fs.mkdirSync(logs)
  port = await findFreePort()
  server = await startBulkServer({ documentsPath: path.join(directory, 'documents.ndjson') })
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  await server.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

function start(more: Record<string, string> = {}): AgentProcess {
  agent = startAgent({
    REMORA_PATHS: `${logs}/**/*.log`,
    REMORA_STATE_DIR: path.join(directory, 'state'),
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_POD_UID: 'hostile',
    REMORA_SCAN_INTERVAL: '300ms',
    REMORA_ADMIN_PORT: String(port),
    ...more,
  })
  return agent
}

async function until(condition: () => boolean, mostMs = 30_000): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (!condition() && performance.now() < deadlineMs) await delay(25)
}

async function documents(): Promise<{ name: string; message: string }[]> {
  const found: { name: string; message: string }[] = []
  for await (const { _source: source } of readDocuments(path.join(directory, 'documents.ndjson'))) {
    const { message, log } = source as { message: string; log: { file: { path: string } } }
    found.push({ name: path.relative(logs, log.file.path), message })
  }
  return found
}

const ask = async (at: string) => (await fetch(`http://127.0.0.1:${port}${at}`)).text()

/** Everything that anybody gets to see. */
async function shown(running: AgentProcess): Promise<Record<string, string>> {
  return {
    documents: fs.readFileSync(path.join(directory, 'documents.ndjson'), 'utf8'),
    output: running.output(),
    metrics: await ask('/metrics'),
    page: await ask('/'),
    ready: await ask('/readyz'),
  }
}

/** Names that mean something to a terminal, a page, a metric, a format, a shell or an object. */
const names = [
  'two\nlines.log',
  '<script>alert(1)<script>.log',
  '"><img src=x onerror=alert(1)>.log',
  '\u001b[2J\u009b31m.log',
  '\u202egol.exe.log',
  'a",account="lost"} 1\nremora_forged_total 1\n#.log',
  '{"message":"forged"}.log',
  '%s%d%n${HOME}.log',
  '__proto__.log',
  ' .log',
  `${'n'.repeat(251)}.log`,
]

test('links to secrets, what is no file, and names of all kinds: the files are shipped, once each, and nothing else', async () => {
  const secret = new SecretVolume(path.join(directory, 'secret'), {
    password: `${canary}-password`,
    'a.log': `${canary}\n`,
  })
  const links = {
    'secret.log': secret.path('a.log'),
    'relative.log': '../secret/a.log',
    'environ.log': '/proc/self/environ',
    'parent.log': '/proc/1/environ',
    'stdout.log': '/proc/self/fd/1',
    'memory.log': '/proc/self/maps',
    'state.log': '../state/checkpoint.json',
    'letters.log': '../state/dead-letters',
    'chain.log': 'chain-2.log',
    'chain-2.log': 'secret.log',
    'loop.log': 'loop.log',
    'nowhere.log': 'nowhere',
    directory: secret.directory,
    'directory.log': secret.directory,
    root: '/',
  }
  for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, path.join(logs, name))
  fs.mkdirSync(path.join(logs, 'deep'))
  fs.symlinkSync('../../secret', path.join(logs, 'deep/secret'))
  execFileSync('mkfifo', [path.join(logs, 'fifo.log')])
  const socket = createServer().listen(path.join(logs, 'socket.log'))
  onTestFinished(() => void socket.close())
  // Endless when it is read; where somebody may make one.
  try {
    execFileSync('mknod', [path.join(logs, 'device.log'), 'c', '1', '5'], { stdio: 'ignore' })
  } catch {}
  fs.writeFileSync(path.join(logs, 'good.log'), 'one\ntwo\n')
  fs.linkSync(path.join(logs, 'good.log'), path.join(logs, 'hard.log'))
  fs.linkSync(path.join(logs, 'good.log'), path.join(logs, 'deep/hard.log'))
  fs.symlinkSync('good.log', path.join(logs, 'inside.log'))
  for (const [n, name] of names.entries()) fs.writeFileSync(path.join(logs, name), `named ${n}\n`)
  fs.writeFileSync(
    Buffer.concat([Buffer.from(`${logs}/`), Buffer.from([0xff, 0x0a]), Buffer.from('.log')]),
    `${canary}\n`,
  )

  const running = start({
    REMORA_USERNAME: 'somebody',
    REMORA_PASSWORD_FILE: secret.path('password'),
    DATABASE_KEY: canary,
  })
  await until(() => server.account().documents >= names.length + 2)
  // Written to while it runs, by several names.
  fs.appendFileSync(path.join(logs, 'deep/hard.log'), 'three\n')
  await until(() => server.account().documents >= names.length + 3)
  // A few looks more.
  await delay(1_500)

  const found = await documents()
  expect(found.map(({ message }) => message).toSorted(), running.output()).toEqual(
    ['one', 'two', 'three', ...names.map((_, n) => `named ${n}`)].toSorted(),
  )
  for (const [n, name] of names.entries())
    expect(found.find(({ message }) => message === `named ${n}`)?.name).toBe(name)

  const { metrics, page, ready, output, documents: stored } = await shown(running)
  for (const text of [metrics, page, ready, output, stored]) expect(text).not.toContain(canary)
  // What a name says stays a name.
  expect(page).not.toMatch(/<script>alert|<img/)
  for (const text of [page!, output!])
    for (const character of ['\u001b', '\u009b', '\u202e']) expect(text.includes(character)).toBe(false)
  const { samples } = parseExposition(metrics!)
  expect(samples.map(({ name }) => name)).not.toContain('remora_forged_total')
  const lines = output!
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
  const codesOf = (name: string) =>
    lines.filter((line) => line['file.path'] === path.join(logs, name)).map((line) => line['event.code'])
  for (const name of ['secret.log', 'environ.log', 'state.log', 'chain.log', 'stdout.log', 'directory.log'])
    expect(codesOf(name), name).toEqual(['SYMLINK_OUTSIDE'])
  for (const name of ['fifo.log', 'socket.log']) expect(codesOf(name), name).toEqual(['NOT_A_FILE'])

  expect(await running.end('SIGTERM'), running.output()).toBe(0)
})

test('the state in the directory of the logs is not shipped, by whatever way', async () => {
  const state = path.join(logs, '.state')
  fs.writeFileSync(path.join(logs, 'good.log'), 'one\n')
  fs.symlinkSync('.state/checkpoint.json', path.join(logs, 'checkpoint.log'))
  fs.symlinkSync('.state/instance', path.join(logs, 'instance.log'))
  // Where it is said to be is a link to where it is.
  fs.mkdirSync(state)
  fs.symlinkSync(state, path.join(directory, 'state'))
  const running = start({ REMORA_PATHS: `${logs}/**/*.log,${logs}/**/*.json,${logs}/.state/*` })
  await until(() => server.account().documents >= 1 && running.output().includes('"OWN_STATE"'))
  await delay(1_500)
  expect(await documents(), running.output()).toEqual([{ name: 'good.log', message: 'one' }])
  expect(running.output()).toMatch(/"OWN_STATE".*checkpoint\.json.*REMORA_STATE_DIR/)
})

/**
 * Swaps a directory for a symlink to another one and back, as fast as it can, while it writes into a file that it holds open in
 * the directory.
 */
const swapper = `
  const fs = require('node:fs')
  const [logs, outside, rounds] = process.argv.slice(1)
  const at = (name) => logs + '/' + name
  const log = fs.openSync(at('sub/app.log'), 'a')
  fs.symlinkSync(outside, at('.link'))
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (let round = 0; round < Number(rounds); round++) {
    fs.renameSync(at('sub'), at('.aside'))
    fs.renameSync(at('.link'), at('sub'))
    fs.writeSync(log, 'line ' + round + '\\n')
    Atomics.wait(pause, 0, 0, round % 3)
    fs.renameSync(at('sub'), at('.link'))
    fs.renameSync(at('.aside'), at('sub'))
    Atomics.wait(pause, 0, 0, round % 2)
  }`

test(
  'a directory that is swapped for a symlink all the time: each line once, and none of the other place',
  { timeout: 90_000 },
  async () => {
    const rounds = 2_000
    const outside = path.join(directory, 'outside')
    fs.mkdirSync(outside)
    fs.mkdirSync(path.join(logs, 'sub'))
    fs.writeFileSync(path.join(logs, 'sub/app.log'), '')
    for (const name of ['app.log', 'app.log.1', ...Array.from({ length: 20 }, (_, n) => `${n}.log`)])
      fs.writeFileSync(path.join(outside, name), `${canary} in ${name}\n`.repeat(50))
    const running = start({ REMORA_SCAN_INTERVAL: '100ms', REMORA_BATCH_LINGER: '0ms' })
    await until(() => running.output().includes('"MEMORY_PLAN"'))
    const child = spawn(process.execPath, ['-e', swapper, logs, outside, String(rounds)], { stdio: 'inherit' })
    expect(await once(child, 'exit')).toEqual([0, null])
    await until(() => server.account().documents >= rounds)
    await delay(1_000)
    expect(await running.end('SIGTERM'), running.output()).toBe(0)
    const found = await documents()
    expect(found.filter(({ message }) => message.includes(canary))).toEqual([])
    expect(found.map(({ message }) => message).toSorted()).toEqual(
      Array.from({ length: rounds }, (_, round) => `line ${round}`).toSorted(),
    )
    expect(running.output()).not.toContain(canary)
  },
)
