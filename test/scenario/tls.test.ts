import { createHash, X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { certificates } from '../check/certificates.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { describeElasticsearch, startElasticsearch, type RealElasticsearch } from '../kit/elasticsearch.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'
import { SecretVolume } from '../kit/secret-volume.ts'

const { authority, namesake, good, key } = certificates
const user = { name: 'remora', password: 'the-right-one' }
const lines = 2_000

let server: RealElasticsearch
let directory: string
let agent: AgentProcess | undefined

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 90_000
  while (!(await condition())) {
    expect(agent!.child.exitCode, agent!.output()).toBeNull()
    expect(performance.now(), agent!.output()).toBeLessThan(deadlineMs)
    await delay(100)
  }
}

function run(index: string, settings: Readonly<Record<string, string>>): void {
  const texts = Array.from({ length: lines }, (_, n) => `order ${n} accepted\n`)
  fs.writeFileSync(path.join(directory, 'app.log'), texts.join(''))
  agent = startAgent({
    REMORA_PATHS: `${directory}/*.log`,
    REMORA_STATE_DIR: `${directory}/state`,
    REMORA_ELASTICSEARCH_URL: server.url.replace('127.0.0.1', 'localhost'),
    REMORA_INDEX: index,
    REMORA_USERNAME: user.name,
    REMORA_PASSWORD: user.password,
    ...settings,
  })
}

const fileOf = (name: string, text: string) => {
  fs.writeFileSync(path.join(directory, name), text)
  return path.join(directory, name)
}

describeElasticsearch('a real Elasticsearch with TLS', () => {
  beforeAll(async () => {
    const tls = { cert: `${good}${authority}`, key, clientAuthority: authority }
    server = await startElasticsearch({ user, tls })
  }, 300_000)
  afterAll(() => server.remove())
  beforeEach(() => void (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-tls-'))))
  afterEach(async () => {
    await agent?.end('SIGKILL')
    fs.rmSync(directory, { recursive: true, force: true })
  })

  test.each([
    ['a CA file', () => ({ REMORA_CA_FILE: fileOf('ca.pem', authority) })],
    ['a fingerprint', () => ({ REMORA_CA_FINGERPRINT: digestOf(authority) })],
    [
      'a CA file, a client certificate and gzip',
      () => ({
        REMORA_CA_FILE: fileOf('ca.pem', authority),
        REMORA_CLIENT_CERT_FILE: fileOf('tls.crt', good),
        REMORA_CLIENT_KEY_FILE: fileOf('tls.key', key),
        REMORA_COMPRESSION: 'gzip',
      }),
    ],
  ])('takes everything: %s', { timeout: 240_000 }, async (name, settings) => {
    const index = `tls-${name.replaceAll(/\W+/g, '-').toLowerCase()}`
    run(index, settings())
    await until(async () => (await server.count(index)) === lines)
    expect(await agent!.end('SIGTERM'), agent!.output()).toBe(0)
  })

  test(
    'the wrong authority: nothing is sent, it is said why, and the right one in the mounted file mends it',
    {
      timeout: 240_000,
    },
    async () => {
      const secret = new SecretVolume(path.join(directory, 'secret'), { 'ca.crt': namesake })
      const adminPort = await findFreePort()
      run('tls-wrong', { REMORA_CA_FILE: secret.path('ca.crt'), REMORA_ADMIN_PORT: String(adminPort) })
      await until(() => agent!.output().includes('ELASTICSEARCH_UNREACHABLE'))
      const detail =
        /TLS: its certificate is from an authority \\?"Remora test authority\\?" that is not known here: not one of those in REMORA_CA_FILE/
      expect(agent!.output()).toMatch(detail)
      expect(await (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).text()).toMatch(detail)
      secret.swap({ 'ca.crt': authority })
      await until(async () => (await server.count('tls-wrong')) === lines)
      expect(await agent!.end('SIGTERM'), agent!.output()).toBe(0)
      expect(agent!.output().match(/ELASTICSEARCH_UNREACHABLE/g)).toHaveLength(1)
    },
  )
})

function digestOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')
}
