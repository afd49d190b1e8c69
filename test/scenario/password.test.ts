import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import {
  accountOf,
  describeElasticsearch,
  LineAccount,
  startElasticsearch,
  type RealElasticsearch,
} from '../kit/elasticsearch.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'
import { SecretVolume } from '../kit/secret-volume.ts'

/** How long the password is wrong; `TEST_WRONG_PASSWORD_MS=600000` for the ten minutes. */
const wrongMs = Number(process.env['TEST_WRONG_PASSWORD_MS'] ?? 12_000)
const index = 'password'
const user = { name: 'remora', password: 'the-right-one' }

let server: RealElasticsearch
let directory: string
let secret: SecretVolume
let agent: AgentProcess
let adminPort: number
let account: LineAccount

interface Ready {
  readonly ready: boolean
  readonly elasticsearch: { readonly state: string; readonly detail?: string }
}

const readyz = async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).json() as Promise<Ready>

function write(lines: number): void {
  const texts: string[] = []
  for (let line = 0; line < lines; line++) {
    const text = `order ${account.count} accepted ${'x'.repeat(account.count % 120)}`
    account.add(text)
    texts.push(`${text}\n`)
  }
  fs.appendFileSync(path.join(directory, 'app.log'), texts.join(''))
}

/** 1,000 lines a second. */
async function writeFor(durationMs: number): Promise<void> {
  const endMs = performance.now() + durationMs
  while (performance.now() < endMs) {
    write(100)
    await delay(100)
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  // What was written meanwhile is to be indexed, on a machine that may be busy.
  const deadlineMs = performance.now() + 90_000 + wrongMs
  while (!(await condition())) {
    expect(agent.child.exitCode, agent.output()).toBeNull()
    expect(performance.now(), agent.output()).toBeLessThan(deadlineMs)
    await delay(100)
  }
}

/** What it has said about the server or the credentials. */
const said = (code: string) =>
  agent
    .output()
    .split('\n')
    .filter((line) => line.includes(`"event.code":"${code}`))

describeElasticsearch('credentials in a mounted Secret', () => {
  beforeAll(async () => {
    server = await startElasticsearch({ user })
  }, 300_000)
  afterAll(() => server.remove())

  beforeEach(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-password-'))
    secret = new SecretVolume(path.join(directory, 'secret'), { username: user.name, password: 'the-wrong-one' })
    adminPort = await findFreePort()
    account = new LineAccount()
  })
  afterEach(async () => {
    await agent.end('SIGKILL')
    fs.rmSync(directory, { recursive: true, force: true })
  })

  test(
    'wrong under load, then right: every line is there, none twice, without a restart',
    { timeout: wrongMs * 2 + 300_000 },
    async () => {
      agent = startAgent({
        REMORA_PATHS: `${directory}/*.log`,
        REMORA_STATE_DIR: `${directory}/state`,
        REMORA_ELASTICSEARCH_URL: server.url,
        REMORA_INDEX: index,
        REMORA_USERNAME_FILE: secret.path('username'),
        REMORA_PASSWORD_FILE: secret.path('password'),
        REMORA_ADMIN_PORT: String(adminPort),
      })
      write(1_000)
      await until(() => said('ELASTICSEARCH_').length > 0)
      await writeFor(wrongMs)

      const { ready, elasticsearch } = await readyz()
      expect(ready, 'a restart would help nobody').toBe(true)
      expect(elasticsearch).toEqual({
        state: 'holding',
        detail: expect.stringMatching(
          /answers 401 security_exception: it does not accept REMORA_USERNAME and REMORA_PASS/,
        ),
      })
      expect(said('ELASTICSEARCH_').length, agent.output()).toBeLessThanOrEqual(1 + Math.floor(wrongMs / 60_000))
      expect(await server.count(index)).toBe(0)

      // Another wrong one is no reason to give up.
      secret.swap({ username: user.name, password: 'wrong-again' })
      await until(() => said('CREDENTIALS_RELOADED').length === 1)
      secret.swap({ username: user.name, password: user.password })
      const swappedMs = performance.now()
      await writeFor(1_000)
      await until(async () => (await readyz()).elasticsearch.state === 'ok')
      expect(performance.now() - swappedMs, 'as soon as the file is read again').toBeLessThan(15_000)
      await until(async () => (await server.count(index)) >= account.count)

      expect(await agent.end('SIGTERM'), agent.output()).toBe(0)
      expect(await accountOf(server, index)).toEqual(account.account())
      for (const password of ['the-wrong-one', 'wrong-again', user.password]) {
        expect(agent.output()).not.toContain(password)
      }
    },
  )
})
