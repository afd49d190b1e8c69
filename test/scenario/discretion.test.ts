/** What Remora says of itself, in every place: never what is in a line, never what it proves itself with, whatever the server says. */
import fs from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'
import { SecretVolume } from '../kit/secret-volume.ts'

const password = 'hunter2-correct-horse'
const content = 'card-4111-1111'

let directory: string
let server: Server
let agent: AgentProcess | undefined
let asked: number

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-discretion-'))
  fs.mkdirSync(path.join(directory, 'logs'))
  asked = 0
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  server.close()
  server.closeAllConnections()
  fs.rmSync(directory, { recursive: true, force: true })
})

interface Told {
  /** Method and path. */
  readonly asked: string
  readonly body: string
  readonly authorization: string
  /** The same as it was before it was packed for the header. */
  readonly credentials: string
}

/** A server that repeats what it was told in each place that somebody might print. */
type Parrot = (told: Told, response: ServerResponse) => void

const json = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }

const items = (told: Told, item: (document: string) => object) => {
  const documents = told.body.split('\n').filter((_, n) => n % 2 === 1)
  return JSON.stringify({ errors: true, took: 1, items: documents.map((document) => ({ create: item(document) })) })
}

const parrots: Readonly<Record<string, Parrot>> = {
  'wrong credentials': (told, response) => {
    response.writeHead(401, { ...json, 'www-authenticate': told.authorization })
    const reason = `unable to authenticate ${told.credentials} ${told.authorization} ${told.body}`
    response.end(
      JSON.stringify({ error: { type: 'security_exception', reason, header: told.authorization }, status: 401 }),
    )
  },
  'a type that is no type': (told, response) => {
    response.writeHead(400, json)
    response.end(
      JSON.stringify({ error: { type: `${told.credentials} ${told.body}`, reason: told.body }, status: 400 }),
    )
  },
  'refused documents': (told, response) => {
    response.writeHead(200, json)
    response.end(
      items(told, (document) => ({
        _index: 'x',
        status: 400,
        error: { type: 'document_parsing_exception', reason: `${document} ${told.authorization}` },
      })),
    )
  },
  'items of an unknown type': (told, response) => {
    response.writeHead(200, json)
    response.end(
      items(told, (document) => ({ _index: document, status: 400, error: { type: document, reason: document } })),
    )
  },
  'a page of a proxy': (told, response) => {
    response.writeHead(502, told.credentials.replaceAll(/[^ -~]/g, '?'), { 'content-type': 'text/html' })
    response.end(`<html><title>${told.authorization}</title>${told.body}</html>`)
  },
  'an answer that is none': (told, response) => {
    response.writeHead(200, json)
    response.end(`{"errors":false,"took":${told.body}`)
  },
  'a redirection': (told, response) => {
    response.writeHead(302, { location: `http://x/${encodeURIComponent(told.credentials)}` })
    response.end(told.body)
  },
  'too much': (told, response) => {
    response.writeHead(413, json)
    response.end(told.body)
  },
}

/** Where templates are put in place first. */
const atSetup: Parrot = (told, response) => {
  if (told.asked === 'GET /') {
    response.writeHead(200, json)
    response.end(
      JSON.stringify({ version: { number: '9.5.3', build_flavor: 'default' }, tagline: 'You Know, for Search' }),
    )
    return
  }
  response.writeHead(told.asked.startsWith('GET ') ? 404 : 400, json)
  const reason = `${told.credentials} ${told.authorization}`
  response.end(
    JSON.stringify({ error: { type: 'illegal_argument_exception', reason, caused_by: { reason } }, status: 400 }),
  )
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

async function answer(parrot: Parrot, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request)
  asked++
  const { authorization = '' } = request.headers
  const credentials = Buffer.from(authorization.split(' ')[1] ?? '', 'base64').toString('utf8')
  parrot({ asked: `${request.method} ${request.url}`, body, authorization, credentials }, response)
}

async function serve(parrot: Parrot): Promise<string> {
  server = createServer((request, response) => {
    void answer(parrot, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each([
  ...Object.entries(parrots).map(([name, parrot]) => [name, parrot, {}, ['STOPPED']] as const),
  ['refused templates', atSetup, { REMORA_SETUP: 'once' }, ['SETUP_REFUSED', 'STOPPED']] as const,
])('%s', async (_, parrot, more, codes) => {
  const secret = new SecretVolume(path.join(directory, 'secret'), { password })
  const port = await findFreePort()
  const lines = [
    content,
    `{"password":"${content}"}`,
    `${content} `.repeat(10_000),
    `${content}\u0000\u0001\uFFFD`,
    `https://user:${content}@host/`,
  ]
  fs.writeFileSync(path.join(directory, 'logs/app.log'), lines.map((line) => `${line}\n`).join(''))
  fs.writeFileSync(
    path.join(directory, 'logs/hole.log'),
    Buffer.concat([Buffer.alloc(8192), Buffer.from(`${content}\n`)]),
  )
  agent = startAgent({
    REMORA_PATHS: `${directory}/logs/*.log`,
    REMORA_STATE_DIR: path.join(directory, 'state'),
    REMORA_ELASTICSEARCH_URL: await serve(parrot),
    REMORA_USERNAME: 'somebody',
    REMORA_PASSWORD_FILE: secret.path('password'),
    REMORA_ADMIN_PORT: String(port),
    REMORA_LOG_LEVEL: 'trace',
    REMORA_SHUTDOWN_GRACE: '2s',
    ...more,
  })
  await vi.waitUntil(() => asked >= 3, { timeout: 20_000 }).catch(() => undefined)
  await delay(500)
  const shown = await Promise.all(
    ['/', '/readyz', '/metrics', '/livez'].map(async (at) => (await fetch(`http://127.0.0.1:${port}${at}`)).text()),
  )
  await agent.end('SIGTERM')
  const secrets = [password, Buffer.from(`somebody:${password}`).toString('base64'), encodeURIComponent(password)]
  for (const text of [...shown, agent.output()])
    for (const part of [...secrets, content])
      expect(text.includes(part), `${part} in: ${text.slice(0, 3_000)}`).toBe(false)
  expect(asked).toBeGreaterThan(0)
  // It has said something.
  for (const code of codes) expect(agent.output()).toContain(`"event.code":"${code}`)
  // What it keeps of its own accord. Dead letters are the lines themselves, and what the server said of them.
  for (const entry of fs.readdirSync(path.join(directory, 'state'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const at = path.join(entry.parentPath, entry.name)
    const kept = fs.readFileSync(at, 'latin1')
    const hidden = at.includes('/dead-letters/') ? [] : [...secrets, content]
    for (const part of hidden) expect(kept.includes(part), at).toBe(false)
    expect(fs.statSync(at).mode & 0o077, `${at} is for its owner alone`).toBe(0)
  }
})
