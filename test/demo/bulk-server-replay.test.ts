import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BulkServer, startBulkServer } from '../../src/demo/bulk-server.ts'
import { ask, ndjson, summary } from './bulk-client.ts'

/** A request that a real Elasticsearch 9.5.3 answered. `$C` is an empty create action, `$D` and `$N` are good documents. */
interface Recorded {
  readonly name?: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  /** null: not recorded, for it is large. */
  readonly body?: string | { readonly hex: string } | null
  /** Short for a body, path or header with this in the usual place. */
  readonly document?: string | { readonly hex: string }
  readonly action?: string
  readonly timestamp?: string
  readonly query?: string
  readonly index?: string
  readonly contentType?: string
  /** Statuses and error types, as `summary` writes them; or the body of the answer, byte for byte. */
  readonly answer?: string
  readonly exact?: string
}

const recorded: { fixtures: Recorded[]; probes: Recorded[] } = JSON.parse(
  readFileSync(new URL('elasticsearch-9.json', import.meta.url), 'utf8'),
)

/** Recorded answers that come of something this server does not have. */
const outOfScope: ReadonlyMap<string, string> = new Map([
  ...settings(
    'plain: immense keyword',
    'strict: unknown field',
    'total fields limit',
    'write block',
    'flood stage block',
  ),
  ...settings('closed index', 'primary not assigned, timeout 1s', 'parent circuit breaker', 'cluster read only'),
  ...settings('no such index, auto create off', 'too many shards', 'one bulk over indexing_pressure.memory.limit'),
  ...settings('one document of 14 MB, heap of 512m'),
  ['plain: _id over 512 bytes', 'the body was not recorded; bulk-server.test.ts has the case'],
  ['plain: invalid UTF-8', 'the bytes were lost in the recording; the probes have them'],
  ['over http.max_content_length', 'the body was not recorded; bulk-server.test.ts has the case'],
  ['over http.max_content_length, gzip', 'the body was not recorded; bulk-server.test.ts has the case'],
  ...security('no credentials', 'wrong password', 'unknown API key', 'limited key: allowed and not'),
  ...security('limited key: index instead of create, given _id'),
])

/** Where this server answers otherwise than Elasticsearch, and why. */
const deviations: ReadonlyMap<string, string> = new Map([
  ...stricter('a byte order mark', '\uFEFF$D', '\uFEFF{"create":{}}'),
  ...stricter('a comment', '{/* c */"message":"a"}', '{"message":"a"}//x', '{"create":{}}//x'),
  ...stricter('overlong UTF-8', hexMessage('c080'), hexMessage('e08080'), hexMessage('f0808080')),
  ...stricter('UTF-8 beyond Unicode', hexMessage('eda080'), hexMessage('f5808080'), hexMessage('f4908080')),
  ...stricter('a message that is no string', '{"message":1}', '{"message":null}', '{"message":true}'),
  ...stricter('a message that is no string', '{"message":["a","b"]}', '{"message":[{"a":1}]}'),
  ...stricter('a named time zone', '"2026-01-01T00:00:00Europe/Paris"'),
  ...stricter('a name that is no UTF-8', '%ff'),
  ...stricter('date math', '%3Clogs-%7Bnow%2Fd%7D%3E', 'names in actions'),
  ...stricter('an answer in YAML', 'format=json', 'format=yaml'),
  ...stricter('SMILE', 'application/smile'),
  ...stricter('to change documents', '{"delete":{}}', '{"update":{}}', '{"update":{"_id":"none"}}'),
  ...stricter('to change documents', 'delete missing', 'delete then create', 'update missing'),
  ['{"create":{"require_alias":true}}', 'makes indices one action at a time, Elasticsearch for a whole request'],
  ['{"create":{"require_data_stream":true}}', 'makes indices one action at a time, Elasticsearch for a whole request'],
  ['wait_for_active_shards=2&timeout=1s', 'has no shards to wait for'],
])

function settings(...names: string[]): [string, string][] {
  return names.map((name) => [
    name,
    'comes of a setting, a mapping, a block or too little memory; tests use the fault hooks',
  ])
}

function security(...names: string[]): [string, string][] {
  return names.map((name) => [name, 'comes of security, which this server does not have'])
}

function stricter(what: string, ...keys: string[]): [string, string][] {
  return keys.map((key) => [key, `refuses ${what}, which Elasticsearch takes`])
}

const good = '{"@timestamp":"2026-01-01T00:00:00.000Z","message":"hello"}'

/** The label of a document whose message is the letters a and b with these bytes between them. */
function hexMessage(hex: string): string {
  return Buffer.from('{"message":"a').toString('hex') + hex + Buffer.from('b"}').toString('hex')
}

function unfold(text: string): string {
  return text.replaceAll('$C', '{"create":{}}\n').replaceAll('$D', good).replaceAll('$N', good.replace('}', ',"n":1}'))
}

function bodyOf({ body, document, action, timestamp, query }: Recorded): Buffer {
  if (body !== undefined && body !== null) return bytesOf(body)
  if (document !== undefined) return Buffer.concat([bytesOf('$C'), bytesOf(document), bytesOf('\n$C$D\n')])
  if (action !== undefined) return bytesOf(`$C$D\n${action}\n$D\n`)
  if (timestamp !== undefined) return bytesOf(`$C{"@timestamp":${timestamp},"message":"x"}\n`)
  const a = '{"create":{"_id":"a"}}\n$D\n'
  return bytesOf(query === undefined ? '$C$D\n' : `${a}${a}{"create":{"_id":"b"}}\n{"message":{"a":1}}\n`)
}

function bytesOf(text: string | { readonly hex: string }): Buffer {
  return typeof text === 'string' ? Buffer.from(unfold(text)) : Buffer.from(text.hex, 'hex')
}

let fresh = 0

function pathOf({ path, timestamp, query, index }: Recorded): string {
  if (timestamp !== undefined) return '/px-ds/_bulk'
  if (index !== undefined) return `/${index}/_bulk`
  return path ?? `/px-${++fresh}/_bulk${query === undefined ? '' : `?${query}`}`
}

function labelOf({ name, document, action, timestamp, query, index, contentType, headers }: Recorded): string {
  const text = typeof document === 'object' ? document.hex : document
  return name ?? text ?? action ?? timestamp ?? query ?? index ?? contentType ?? JSON.stringify(headers)
}

let server: BulkServer

beforeAll(async () => {
  server = await startBulkServer({ documentsPath: undefined, dataStreams: ['logs-*-*', 'fx-stream*', 'px-ds*'] })
})
afterAll(() => server.close())

async function replay(entry: Recorded): Promise<string> {
  const headers = entry.headers ?? { 'content-type': entry.contentType ?? ndjson['content-type'] }
  const request = { method: entry.method ?? 'POST', path: pathOf(entry), headers, body: bodyOf(entry) }
  const answer = await ask(server.url, request).catch(() => undefined)
  if (answer === undefined) return 'whole 0'
  expect(answer.headers['x-elastic-product']).toBe('Elasticsearch')
  return entry.exact === undefined ? summary(answer) : answer.text
}

describe('answers of Elasticsearch 9.5.3', () => {
  const inScope = recorded.fixtures.filter(({ name = '' }) => !outOfScope.has(name))

  test('every fixture is replayed or has its reason', () => {
    const names = recorded.fixtures.map(({ name = '' }) => name)
    expect([...outOfScope.keys()].filter((name) => !names.includes(name))).toEqual([])
    expect(inScope.filter(({ body }) => body === null)).toEqual([])
    expect(inScope.length).toBeGreaterThan(30)
  })

  test.each(inScope.map((entry) => [labelOf(entry), entry] as const))('fixture: %s', async (_label, entry) => {
    expect(await replay(entry)).toBe(entry.exact ?? entry.answer)
  })

  const probes = recorded.probes.map((entry) => [labelOf(entry), entry] as const)

  test.each(probes.filter(([label]) => !deviations.has(label)))('probe: %s', async (_label, entry) => {
    expect(await replay(entry)).toBe(entry.exact ?? entry.answer)
  })

  test.each(probes.filter(([label]) => deviations.has(label)))('deviation: %s', async (_label, entry) => {
    expect(await replay(entry)).not.toBe(entry.exact ?? entry.answer)
  })

  test('every deviation is one of the probes', () => {
    const labels = new Set(recorded.probes.map(labelOf))
    expect([...deviations.keys()].filter((label) => !labels.has(label))).toEqual([])
  })
})
