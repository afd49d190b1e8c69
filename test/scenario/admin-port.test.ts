/** The port for probes and metrics is in the application's own network: it may be taken, and it may be attacked. Neither harms the shipping. */
import { once } from 'node:events'
import fs from 'node:fs'
import { createServer, get } from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cgroupsAvailable } from '../../src/bench/machine/cgroup.ts'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'
import { LimitedAgent } from '../kit/limited-agent.ts'

const mebibyte = 1024 * 1024

async function until(condition: () => boolean | Promise<boolean>, mostMs = 30_000): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (!(await condition()) && performance.now() < deadlineMs) await delay(50)
}

describe('a port', () => {
  let directory: string
  let server: BulkServer
  let agent: AgentProcess | undefined
  let port: number

  beforeEach(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-admin-'))
    fs.mkdirSync(path.join(directory, 'logs'))
    server = await startBulkServer({ documentsPath: undefined })
    port = await findFreePort()
  })

  afterEach(async () => {
    await agent?.end('SIGKILL')
    agent = undefined
    await server.close()
    fs.rmSync(directory, { recursive: true, force: true })
  })

  function start(more: Record<string, string> = {}): AgentProcess {
    agent = startAgent({
      REMORA_PATHS: `${directory}/logs/*.log`,
      REMORA_STATE_DIR: path.join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: server.url,
      REMORA_ADMIN_PORT: String(port),
      ...more,
    })
    return agent
  }

  const statusOf = (at: string, host = '127.0.0.1') =>
    fetch(`http://${host}:${port}${at}`).then(
      ({ status }) => status,
      () => 0,
    )

  test('that the application has is left to it: one message, lines are shipped, and it is taken when it is free', async () => {
    const application = createServer((_, response) => response.end('the application')).listen(port, '::')
    await once(application, 'listening')
    fs.writeFileSync(path.join(directory, 'logs/app.log'), 'one\n')
    const running = start()
    await until(() => server.account().documents >= 1)
    expect(server.account().documents, running.output()).toBe(1)
    expect(await (await fetch(`http://127.0.0.1:${port}/livez`)).text()).toBe('the application')
    // Tried again at least once.
    await delay(6_000)
    expect(running.output().match(/"ADMIN_PORT_UNAVAILABLE"/g)).toHaveLength(1)
    expect(running.output()).toMatch(/ADMIN_PORT_UNAVAILABLE.*EADDRINUSE.*REMORA_ADMIN_PORT/)
    application.close()
    application.closeAllConnections()
    await until(async () => (await statusOf('/livez')) === 200)
    expect(running.output()).toContain('"ADMIN_PORT_LISTENING"')
    expect(await running.end('SIGTERM'), running.output()).toBe(0)
  })

  test('answers a probe although nothing else works: no directory, no state, no server, no credentials', async () => {
    fs.rmSync(path.join(directory, 'logs'), { recursive: true })
    fs.writeFileSync(path.join(directory, 'state'), 'a file where a directory should be')
    const running = start({ REMORA_ELASTICSEARCH_URL: 'http://127.0.0.1:1', REMORA_SHUTDOWN_GRACE: '2s' })
    await until(async () => (await statusOf('/livez')) === 200)
    expect(await statusOf('/livez'), running.output()).toBe(200)
    await until(async () => (await statusOf('/readyz')) === 200)
    expect(await statusOf('/readyz'), 'a restart would help nobody').toBe(200)
    expect(running.child.exitCode).toBeNull()
    for (const code of ['STATE_DIR_UNAVAILABLE', 'ENOENT']) expect(running.output()).toContain(`"event.code":"${code}"`)
    await running.end('SIGTERM')
  })

  const hasIpv6 = Object.values(os.networkInterfaces())
    .flat()
    .some((one) => one?.family === 'IPv6' && one.internal)

  test.runIf(hasIpv6)('is open on IPv6 and IPv4', async () => {
    start()
    await until(async () => (await statusOf('/livez')) === 200)
    expect([await statusOf('/livez'), await statusOf('/livez', '[::1]')]).toEqual([200, 200])
  })
})

/** Of this machine, as a node has one beside its loopback. */
const nodeAddress = Object.values(os.networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

/** The kubelet: another neighbourhood than the attacker's. @returns the status, or what went wrong */
function probe(port: number, at: string): Promise<number | string> {
  return new Promise((resolve) => {
    const address = nodeAddress ?? '127.0.0.9'
    const options = { host: address, port, path: at, localAddress: address, agent: false, timeout: 5_000 }
    const request = get(options, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')))
    request.on('error', (error) => resolve(error.message))
  })
}

const rounds = 30

/** One of everything, again and again. */
async function attack(port: number): Promise<void> {
  const sockets: net.Socket[] = []
  const connect = (text: string | Uint8Array, reads = true) => {
    // Ever new addresses: a container has all of these.
    const localAddress = `127.0.${1 + (sockets.length % 200)}.${1 + Math.floor(Math.random() * 250)}`
    const socket = net.connect({ port, host: '127.0.0.1', localAddress }, () => socket.write(text))
    socket.on('error', () => undefined)
    if (reads) socket.resume()
    sockets.push(socket)
  }
  const pipelined = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20_000)
  const keptAlive = 'GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n'.repeat(20_000)
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < 20; n++) connect('')
    for (let n = 0; n < 20; n++) connect('GET /metrics HTTP/1.1\r\nx: ')
    for (let n = 0; n < 20; n++) connect('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n', false)
    for (let n = 0; n < 5; n++) connect(pipelined)
    for (let n = 0; n < 5; n++) connect(keptAlive)
    connect(`GET /${'x'.repeat(mebibyte)} HTTP/1.1\r\n`)
    connect(`GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(100_000)}`)
    connect(
      Buffer.concat([
        Buffer.from('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n'),
        Buffer.alloc(mebibyte),
      ]),
    )
    connect(Buffer.from(Array.from({ length: 10_000 }, (_, n) => (n * 7919) % 256)))
    await delay(200)
    for (const socket of sockets.splice(0, sockets.length - 100)) socket.destroy()
  }
  for (const socket of sockets) socket.destroy()
}

const answer = cgroupsAvailable()
describe.skipIf(!answer.available)(`under attack${answer.available ? '' : ` (${answer.reason})`}`, () => {
  test('in 64 MiB: all lines arrive once, probes are answered, nobody is killed', { timeout: 240_000 }, async () => {
    const agent = await LimitedAgent.start({ memoryBytes: 64 * mebibyte })
    try {
      let answers = 0
      for (let tries = 0; tries < 100 && answers === 0; tries++) {
        if ((await probe(agent.port, '/readyz')) === 200) answers++
        else await delay(100)
      }
      const ended = { yes: false }
      const failures: (number | string)[] = []
      const probing = (async () => {
        while (!ended.yes) {
          for (const at of ['/livez', '/readyz', '/metrics']) {
            const status = await probe(agent.port, at)
            if (status === 200) answers++
            else failures.push(status)
          }
          await delay(500)
        }
      })()
      const attacking = attack(agent.port).finally(() => (ended.yes = true))
      const lines = await agent.write({ bytesMax: 256 * mebibyte, pauseMs: 20, enough: () => ended.yes })
      await attacking
      await probing
      const { is, shouldBe } = await agent.arrived(lines, 120_000)
      expect(failures, agent.said()).toEqual([])
      expect(answers).toBeGreaterThan(3)
      expect(is, agent.said()).toEqual(shouldBe)
      expect(agent.group.sample().oomKills).toBe(0)
      expect(await agent.stop(), agent.said()).toEqual([0, null])
    } finally {
      await agent.remove()
    }
  })
})
