import * as fc from 'fast-check'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkCommand } from '../../src/commands/check.ts'
import { rows } from '../../src/config/settings.ts'

/** A server that says everything that it was told, in every place that a check looks at. */
let behaviour = 0
const parrot = createServer((request, response) => {
  const { authorization = '' } = request.headers
  const decoded = Buffer.from(authorization.split(' ')[1] ?? '', 'base64').toString('utf8')
  const said = behaviour % 2 === 0 ? authorization : decoded
  const header = said.replaceAll(/[^\x20-\x7e]/g, '?')
  const security = { error: { type: 'security_exception', additional_unsuccessful_credentials: said } }
  const root = { cluster_name: said, cluster_uuid: said, version: { number: said }, tagline: said }
  const elastic = { 'x-elastic-product': 'Elasticsearch' }
  const answers: readonly [status: number, headers: Record<string, string>, body: string][] = [
    [200, { 'content-type': 'text/html', server: header }, `<title>${said}</title>`],
    [401, { 'www-authenticate': header }, JSON.stringify(security)],
    [302, { location: `http://x/${encodeURIComponent(said)}` }, ''],
    [200, elastic, JSON.stringify({ ...root, version: { number: '9.5.3' } })],
    [200, elastic, JSON.stringify(root)],
    [200, {}, said],
    [200, {}, JSON.stringify({ version: { number: said, distribution: 'opensearch' } })],
  ]
  const [status, headers, body] = answers[behaviour % answers.length] ?? [500, {}, said]
  const isRoot = request.url === '/'
  response.writeHead(isRoot ? status : 403, headers)
  response.end(isRoot ? body : JSON.stringify({ error: { type: said, reason: said } }))
})

let directory: string
let url: string
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'remora-check-'))
  await once(parrot.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(parrot.address() as AddressInfo).port}`
})
afterAll(() => {
  parrot.close().closeAllConnections()
  rmSync(directory, { recursive: true, force: true })
})

async function outputOf(env: Record<string, string>): Promise<string> {
  let text = ''
  await checkCommand([], env, (part) => (text += part))
  return stripVTControlCharacters(text)
}

/** However its words are wrapped. */
function reveals(text: string, secret: string): boolean {
  const joined = text.replaceAll(/\s+/g, ' ')
  return text.includes(secret) || joined.includes(secret)
}

const secret = fc
  .array(fc.constantFrom(...'abcdefghijkmnopqrstuvwxyzABCDEFGH0123456789'.split('')), { minLength: 12, maxLength: 40 })
  .map((characters) => characters.join(''))

const base = () => ({
  REMORA_PATHS: `${directory}/*.log`,
  REMORA_STATE_DIR: `${directory}/state`,
  REMORA_ELASTICSEARCH_URL: url,
  REMORA_ADMIN_PORT: '0',
})

test.each(['password', 'API key', 'token', 'password of a proxy'])(
  'a %s is not told, whatever the server repeats',
  async (kind) => {
    await fc.assert(
      fc.asyncProperty(secret, fc.nat(13), async (text, chosen) => {
        behaviour = chosen
        const key = Buffer.from(`an-id:${text}`).toString('base64')
        const credentials: Readonly<Record<string, Record<string, string>>> = {
          password: { REMORA_USERNAME: 'somebody', REMORA_PASSWORD: text },
          'API key': { REMORA_API_KEY: key },
          token: { REMORA_BEARER_TOKEN: text },
          // The parrot itself is the proxy.
          'password of a proxy': {
            REMORA_ELASTICSEARCH_URL: 'http://es.invalid',
            HTTP_PROXY: url.replace('//', `//somebody:${text}@`),
          },
        }
        const output = await outputOf({ ...base(), ...credentials[kind] })
        const sent = Buffer.from(`somebody:${text}`).toString('base64')
        for (const form of [text, key, sent]) expect(reveals(output, form)).toBe(false)
      }),
      { numRuns: 60 },
    )
  },
  120_000,
)

test('a secret that is in the wrong place, too, is not told', async () => {
  const names = rows.map(([, { name }]) => name)
  const shapes = [
    (text: string) => text,
    (text: string) => `/${text}/*.log`,
    (text: string) => `https://user:${text}@es:9200`,
    (text: string) => `labels.key=${text}`,
    (text: string) => `http://127.0.0.1:1/${text}`,
    (text: string) => `${text}:${text}`,
  ]
  const variable = fc.constantFrom(...names, ...names.map((name) => `${name}_FILE`))
  await fc.assert(
    fc.asyncProperty(
      secret,
      fc.uniqueArray(fc.tuple(variable, fc.constantFrom(...shapes)), { maxLength: 4, selector: ([name]) => name }),
      async (text, places) => {
        const misplaced = Object.fromEntries(
          places.map(([name, shape]) => [name, shape(text).replace(/^\//, `${directory}/`)]),
        )
        const credentials = { REMORA_USERNAME: 'somebody', REMORA_PASSWORD: text }
        expect(reveals(await outputOf({ ...base(), ...misplaced, ...credentials }), text)).toBe(false)
      },
    ),
    { numRuns: 150 },
  )
}, 120_000)

test('a secret in the name of a file is not told', async () => {
  const text = 'hunter2-hunter2'
  writeFileSync(path.join(directory, `${text}.log`), 'a line\n')
  writeFileSync(path.join(directory, `\u001b[2J${text}.log.1`), 'a line\n')
  const output = await outputOf({ ...base(), REMORA_USERNAME: 'somebody', REMORA_PASSWORD: text })
  expect(output).toContain('********.log')
  expect(output).not.toContain(text)
})
