import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { temporaryTree, type Tree } from '../kit/agent-tree.ts'

let tree: Tree
let server: BulkServer
let agent: AgentProcess | undefined
let isAway = false

beforeEach(async () => {
  tree = temporaryTree()
  tree.directory('logs')
  isAway = false
  server = await startBulkServer({
    documentsPath: tree.at('documents.ndjson'),
    faults: { onBulk: () => (isAway ? { status: 503 } : undefined) },
  })
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  await server.close()
})

function start(settings: Readonly<Record<string, string>> = {}): AgentProcess {
  agent = startAgent({
    REMORA_PATHS: tree.at('logs/*.log'),
    REMORA_STATE_DIR: tree.at('state'),
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_SCAN_INTERVAL: '1s',
    ...settings,
  })
  return agent
}

async function until(holds: () => boolean, mostMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (!holds() && performance.now() < deadlineMs) await delay(20)
  expect(holds(), agent?.output()).toBe(true)
}

/** The messages with a code. */
const said = (running: AgentProcess, code: string) =>
  running
    .output()
    .split('\n')
    .filter((line) => line.includes(`"event.code":"${code}"`))
    .map((line) => JSON.parse(line) as { message: string; remora?: object })

const lines = (count: number) => 'a line\n'.repeat(count)

test('an application that writes on after the signal is followed until it is quiet', async () => {
  tree.write('logs/app.log', lines(10))
  const running = start({ REMORA_DRAIN_QUIET: '1s', REMORA_SHUTDOWN_GRACE: '20s' })
  await until(() => server.account().documents === 10)
  const ended = running.end('SIGTERM')
  for (let n = 0; n < 10; n++) {
    await delay(100)
    tree.append('logs/app.log', lines(10))
  }
  expect(await ended, running.output()).toBe(0)
  expect(server.account().documents).toBe(110)
  expect(said(running, 'STOPPED')[0]?.message).toContain('everything is shipped: read 110 lines, acknowledged 110')
})

test('what is left is named, and shipped after a restart', async () => {
  const first = start({ REMORA_SHUTDOWN_GRACE: '3s' })
  tree.write('logs/a.log', lines(10))
  await until(() => server.account().documents === 10)
  isAway = true
  tree.append('logs/a.log', lines(20))
  await until(() => first.output().includes('ELASTICSEARCH_OVERLOADED'))
  expect(await first.end('SIGTERM'), first.output()).toBe(0)
  const [message] = said(first, 'STOPPED_WITH_REST')
  expect(message?.message).toContain(`${tree.at('logs/a.log')}: 0 bytes unread, 20 lines held`)
  expect(message?.remora).toMatchObject({ checkpoint: 'written', ledger: { readLines: 30, heldLines: 20 } })
  isAway = false
  const second = start()
  await until(() => server.account().documents === 30)
  expect(await second.end('SIGTERM'), second.output()).toBe(0)
  expect(said(second, 'STOPPED')[0]?.message).toContain('read 20 lines, acknowledged 20 (0 were there already)')
})

test('a second signal stops at once', async () => {
  isAway = true
  tree.write('logs/a.log', lines(20))
  const running = start({ REMORA_SHUTDOWN_GRACE: '1m' })
  await until(() => running.output().includes('ELASTICSEARCH_OVERLOADED'))
  running.child.kill('SIGTERM')
  await until(() => running.output().includes('STOPPING'))
  // A terminal and npm tell one wish twice, within half a second.
  await delay(700)
  expect(await running.end('SIGTERM', 20_000), running.output()).toBe(0)
  expect(said(running, 'STOPPED_WITH_REST')[0]?.remora).toMatchObject({ checkpoint: 'written' })
})

test('a disk that takes no checkpoint does not keep it from ending, nor from saying so', async () => {
  tree.write('logs/a.log', lines(20))
  // To open a FIFO that nobody writes to is to wait for ever, in a thread that nothing ends: as on a device that hangs.
  const fifo = JSON.stringify(tree.fifo('waits'))
  const preload = `import fs from 'node:fs'; process.on('SIGTERM', () => {
    const { open } = fs.promises; fs.promises.open = () => open(${fifo}, 'r') })`
  const running = start({
    REMORA_SHUTDOWN_GRACE: '3s',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
  })
  await until(() => server.account().documents === 20)
  expect(await running.end('SIGTERM', 30_000), running.output()).toBe(1)
  expect(said(running, 'STOPPED')[0]?.message).toContain('did not take the last checkpoint in time')
})

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = net.createServer().listen(0, () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })

describe('the admin server', () => {
  test('shows the ledger of each file, whatever its name is', async () => {
    const port = await freePort()
    tree.write('logs/<img src=x onerror=alert(1)>.log', lines(3))
    const running = start({ REMORA_ADMIN_PORT: String(port) })
    await until(() => server.account().documents === 3)
    const ask = async (at: string) => (await fetch(`http://127.0.0.1:${port}${at}`)).text()
    // The verdicts are in a moment after the documents.
    let page = ''
    for (let tries = 0; tries < 100 && !page.includes('<td>3</td><td>3</td>'); tries++) {
      page = await ask('/')
      await delay(20)
    }
    expect(page).toMatch(
      /&lt;img src=x onerror=alert\(1\)&gt;\.log<[^t]*<\/th>(?:<td>[^<]*<\/td>){5}<td>3<\/td><td>3<\/td>/,
    )
    expect(page).not.toContain('<img')
    expect(page).toContain('takes documents')
    const metrics = await ask('/metrics')
    expect(metrics).toMatch(
      /remora_file_lines_total\{path="[^"]*onerror=alert\(1\)>\.log",account="acknowledged"\} 3\n/,
    )
    expect(metrics).toMatch(/remora_file_events_total\{kind="found",why="[^"]+"\} 1\n/)
    expect(await running.end('SIGTERM'), running.output()).toBe(0)
  })
})
