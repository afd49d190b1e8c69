import { gzipSync } from 'node:zlib'
import { isObject } from './json.ts'

/** An answer as it came. */
export interface Raw {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** One question to a server, whose answer a table of `docs/compatibility.md` shows. */
export interface Difference {
  readonly label: string
  /** Asked in this order, of a server that the questions before have changed. */
  readonly observe: (server: RawServer) => Promise<string>
}

/** A server as `curl` sees it: whole answers, unchanged. */
export class RawServer {
  readonly url: string

  constructor(url: string) {
    this.url = url
  }

  async ask(method: string, path: string, body?: unknown): Promise<Raw> {
    const json = { accept: 'application/json', 'content-type': 'application/json' }
    return this.#fetch(method, path, json, body === undefined ? undefined : JSON.stringify(body))
  }

  /** A bulk request of `create` actions. @param filter  the one that Remora sends */
  async bulk(path: string, sources: readonly unknown[], { filter = true, gzip = false } = {}): Promise<Raw> {
    const lines = sources.map((source) => `{"create":{}}\n${JSON.stringify(source)}\n`).join('')
    const headers = { accept: 'application/json', 'content-type': 'application/x-ndjson' }
    const query = filter ? `${path.includes('?') ? '&' : '?'}filter_path=errors,items.*.status,items.*.error.type` : ''
    if (!gzip) return this.#fetch('POST', `${path}${query}`, headers, lines)
    return this.#fetch('POST', `${path}${query}`, { ...headers, 'content-encoding': 'gzip' }, gzipSync(lines))
  }

  async #fetch(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | Buffer<ArrayBuffer> | undefined,
  ): Promise<Raw> {
    const answer = await fetch(`${this.url}${path}`, { method, headers, ...(body !== undefined && { body }) })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }
}

const time = '2026-01-01T00:00:00Z'
const line = { '@timestamp': time, message: 'a line' }
const good = (documents: number) =>
  `{"errors":false,"items":[${Array.from({ length: documents }, () => '{"create":{"status":201}}').join(',')}]}`

/** `400 illegal_argument_exception`: the status and the type of a refusal; of a bulk answer those of its last item. */
export function refusalOf({ status, text }: Raw): string {
  const body: unknown = text === '' ? {} : JSON.parse(text)
  const items = isObject(body) ? body['items'] : undefined
  const item: unknown = Array.isArray(items) ? items.at(-1) : undefined
  const create = isObject(item) ? item['create'] : undefined
  if (isObject(create)) return `${String(create['status'])} ${typeOf(create['error'])}`.trimEnd()
  return `${status} ${isObject(body) ? typeOf(body['error']) : ''}`.trimEnd()
}

function typeOf(error: unknown): string {
  if (isObject(error)) return String(error['type'])
  return typeof error === 'string' && error.startsWith('no handler') ? 'no handler' : ''
}

const made = (raw: Raw, words = 'yes') => (raw.status === 200 ? words : `no: ${refusalOf(raw)}`)
const simulate = (template: object, more: object = {}) =>
  ['POST', '/_index_template/_simulate', { index_patterns: ['simulated-*'], template, ...more }] as const

async function refused(server: RawServer, index: string, making: unknown, source: unknown): Promise<string> {
  await server.ask('PUT', `/${index}`, making)
  return refusalOf(await server.bulk(`/${index}/_bulk`, [source]))
}

const mapped = (properties: object, settings: object = {}) => ({ settings, mappings: { properties } })

export const differences: readonly Difference[] = [
  {
    label: 'header `X-Elastic-Product`',
    observe: async (server) => ((await server.ask('GET', '/')).headers.has('x-elastic-product') ? 'yes' : 'no'),
  },
  {
    label: 'a bulk answer begins with',
    async observe(server) {
      const { text } = await server.bulk('/plain/_bulk', [line], { filter: false })
      return `\`${/^\{"(\w+)"/.exec(text)?.[1] ?? text}\``
    },
  },
  {
    label: 'filtered, when all were taken: the bytes that Remora compares with',
    observe: async (server) => ((await server.bulk('/plain/_bulk', [line, line])).text === good(2) ? 'yes' : 'no'),
  },
  {
    label: 'a body in gzip',
    observe: async (server) => refusalOf(await server.bulk('/plain/_bulk', [line], { gzip: true })),
  },
  {
    label: 'a body over `http.max_content_length`',
    async observe(server) {
      const { status, text, headers } = await server.bulk('/plain/_bulk', [{ message: 'x'.repeat(300 * 1024) }])
      return `${status}, ${text === '' ? 'empty' : 'with a body'}, ${headers.has('x-elastic-product') ? 'with' : 'without'} product`
    },
  },
  {
    label: '`_resolve/index` of what is not there',
    async observe(server) {
      const answer = await server.ask('GET', '/_resolve/index/nothing')
      const empty = '{"indices":[],"aliases":[],"data_streams":[]}'
      return answer.text === empty ? '200, empty lists' : refusalOf(answer)
    },
  },
  {
    label: 'data stream by template',
    async observe(server) {
      const template = { index_patterns: ['stream-*'], data_stream: {}, priority: 900 }
      return made(await server.ask('PUT', '/_index_template/streams', template))
    },
  },
  {
    label: '`_rollover` of an alias',
    async observe(server) {
      await server.ask('PUT', '/alias-000001', { aliases: { alias: { is_write_index: true } } })
      return made(await server.ask('POST', '/alias/_rollover'))
    },
  },
  {
    label: 'a text for a number',
    observe: (server) => refused(server, 'number', mapped({ message: { type: 'long' } }), line),
  },
  {
    label: 'an unknown field, strict mapping',
    observe: (server) => refused(server, 'strict', { mappings: { dynamic: 'strict' } }, line),
  },
  {
    label: 'a keyword over 32,766 bytes',
    observe: (server) =>
      refused(server, 'immense', mapped({ message: { type: 'keyword' } }), { message: 'x'.repeat(32_767) }),
  },
  {
    label: 'one field more than `total_fields.limit`',
    observe: (server) =>
      refused(server, 'fields', mapped({ a: { type: 'long' } }, { 'index.mapping.total_fields.limit': 1 }), { b: 1 }),
  },
  {
    label: 'no `@timestamp`, data stream',
    observe: async (server) => refusalOf(await server.bulk('/stream-1/_bulk', [{ message: 'a line' }])),
  },
  {
    label: 'a closed index',
    async observe(server) {
      await server.ask('PUT', '/closed')
      await server.ask('POST', '/closed/_close')
      return refusalOf(await server.bulk('/closed/_bulk', [line]))
    },
  },
  {
    label: 'a write block',
    observe: (server) => refused(server, 'blocked', { settings: { 'index.blocks.write': true } }, line),
  },
  {
    label: 'a pipeline that is not there',
    observe: async (server) => refusalOf(await server.bulk('/plain/_bulk?pipeline=nothing', [line])),
  },
  {
    label: '`require_data_stream` on an index',
    observe: async (server) => refusalOf(await server.bulk('/plain/_bulk?require_data_stream=true', [line])),
  },
  {
    label: '`_security/user/_has_privileges`, security off',
    observe: async (server) => refusalOf(await server.ask('POST', '/_security/user/_has_privileges', { index: [] })),
  },
  {
    label: '`match_only_text`',
    async observe(server) {
      return made(await server.ask('PUT', '/match-only', mapped({ message: { type: 'match_only_text' } })))
    },
  },
  {
    label: '`_index_template/_simulate`',
    observe: async (server) => made(await server.ask(...simulate({}))),
  },
  {
    label: '`lifecycle` in a template',
    async observe(server) {
      return made(await server.ask(...simulate({ lifecycle: { data_retention: '30d' } }, { data_stream: {} })))
    },
  },
  {
    label: '`PUT _ilm/policy`',
    observe: async (server) => made(await server.ask('PUT', '/_ilm/policy/remora', { policy: { phases: {} } })),
  },
  { label: '`GET _data_stream`', observe: async (server) => made(await server.ask('GET', '/_data_stream')) },
  {
    label: 'ingest processor `set`',
    async observe(server) {
      const pipeline = { processors: [{ set: { field: 'a', value: 'b' } }] }
      return made(await server.ask('PUT', '/_ingest/pipeline/set', pipeline))
    },
  },
]
