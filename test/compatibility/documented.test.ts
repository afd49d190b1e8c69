/**
 * What cannot be started here, answering as its maker documents. Sources:
 * - serverless: Elasticsearch Serverless API reference (`GET /`, `_has_privileges`, `_resolve/index`, `_bulk`, `_mget`); an API
 *   that it lacks answers 410 with `api_not_available_exception` (PHP client's reference, "Elastic Cloud Serverless"; class
 *   `ApiNotAvailableException` of Elasticsearch)
 * - OpenSearch with its security plugin: its documentation, "Authentication information API"
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Discretion } from '../../src/check/discretion.ts'
import { serverFactsOf } from '../../src/check/elasticsearch/facts.ts'
import { elasticsearchFindings } from '../../src/check/elasticsearch/findings.ts'
import { makeLookup } from '../../src/ship/lookup.ts'
import { bulkTargetOf } from '../../src/ship/bulk-target.ts'
import { makeSend } from '../../src/ship/transport.ts'
import { senderTo } from '../ship/sending.ts'

const target = 'logs-generic-default'
const { signal } = new AbortController()

type Said = readonly [status: number, body: unknown]

/** @param answers  by method and path without query */
async function standIn(answers: Readonly<Record<string, Said>>, otherwise: (at: string) => Said, product: boolean) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const at = `${request.method} ${request.url?.split('?')[0]}`
    asked.push(at)
    request.resume().on('end', () => {
      const [status, body] = answers[at] ?? otherwise(at)
      const headers = { 'content-type': 'application/json', ...(product && { 'x-elastic-product': 'Elasticsearch' }) }
      response.writeHead(status, headers).end(JSON.stringify(body))
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => server.close().closeAllConnections())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

async function checkOf(url: string, username: string | undefined) {
  const access = {
    apiKey: username === undefined ? 'key' : undefined,
    username,
    password: username && 'hunter2',
    ca: undefined,
  }
  const credentials = { username, apiKey: username === undefined }
  const facts = await serverFactsOf(url, { target, access, credentials, deadlineMs: 5_000 }, new Discretion(access))
  const findings = elasticsearchFindings([facts], { target, isStream: true, credentials })
  return findings.map(({ level, text }) => `${level}: ${text.replace(url, 'URL')}`)
}

const connectionsTo = (url: string) => senderTo(url, { apiKey: 'key', requestTimeoutMs: 5_000 }).connections

const gone = (at: string): Said => {
  const [method, uri] = at.split(' ')
  const reason = `Request for uri [${uri}] with method [${method}] exists but is not available when running in serverless mode`
  return [410, { error: { type: 'api_not_available_exception', reason }, status: 410 }]
}

const noHandler = (at: string): Said => [400, { error: `no handler found for uri [${at.split(' ')[1]}]` }]

const serverless: Readonly<Record<string, Said>> = {
  'GET /': [
    200,
    {
      name: 'serverless',
      cluster_name: 'a-project',
      cluster_uuid: 'uuid',
      version: { number: '8.11.0', build_flavor: 'serverless', build_type: 'docker', build_date: '2023-10-31' },
      tagline: 'You Know, for Search',
    },
  ],
  'POST /_security/user/_has_privileges': [
    200,
    {
      username: 'someone',
      has_all_requested: true,
      cluster: {},
      index: { [target]: { create_doc: true, auto_configure: true, create_index: true, write: true } },
      application: {},
    },
  ],
  [`GET /_resolve/index/${target}`]: [404, { error: { type: 'index_not_found_exception' }, status: 404 }],
  'GET /_index_template': [
    200,
    {
      index_templates: [
        { name: 'logs', index_template: { index_patterns: ['logs-*-*'], priority: 100, data_stream: {} } },
      ],
    },
  ],
  [`POST /${target}/_bulk`]: [200, { errors: false, items: [{ create: { status: 201 } }] }],
  [`POST /${target}/_mget`]: [200, { docs: [{ found: true }] }],
}

test('a serverless project: named, usable, and what it lacks is no trouble', async () => {
  const { url, asked } = await standIn(serverless, gone, true)
  expect(await checkOf(url, undefined)).toEqual([
    'ok: URL: Elasticsearch, a serverless project, "a-project"',
    `ok: the API key (of user someone) may write to ${target} and make it`,
    `ok: ${target} does not exist yet: the first document makes a data stream, from the template logs`,
  ])
  expect(asked).toContain('GET /_cluster/settings')
  const connections = connectionsTo(url)
  const body = Buffer.from('{"create":{"_id":"a"}}\n{"message":"a line"}\n')
  expect(await makeSend(connections, bulkTargetOf(target), 5_000)(body, 1, signal)).toEqual({
    kind: 'answered',
    answer: { kind: 'done' },
  })
  const lookup = makeLookup(connections, target, 5_000)
  expect(await lookup.indices(signal)).toEqual({ kind: 'answered', value: [] })
  expect(await lookup.present(target, ['a'], signal)).toEqual({ kind: 'answered', value: [true] })
})

test('an API that is not there is asked for nothing: no _cat, no lifecycle', async () => {
  const { url, asked } = await standIn(serverless, gone, true)
  await checkOf(url, undefined)
  expect(asked.filter((at) => /_cat|_ilm|_nodes|_cluster\/health|_license/.test(at))).toEqual([])
  // Were even the lookups missing, it is said why, and nothing is lost.
  const lookup = makeLookup(connectionsTo((await standIn({}, gone, true)).url), target, 5_000)
  expect(await lookup.indices(signal)).toEqual({
    kind: 'refused',
    why: `GET /_resolve/index/${target} is answered 410 api_not_available_exception`,
  })
})

test('OpenSearch with its security plugin: the user is named, his rights cannot be asked', async () => {
  const { url } = await standIn(
    {
      'GET /': [
        200,
        {
          cluster_name: 'c',
          cluster_uuid: 'uuid',
          version: { distribution: 'opensearch', number: '2.19.6' },
          tagline: 'The OpenSearch Project: https://opensearch.org/',
        },
      ],
      'GET /_plugins/_security/authinfo': [200, { user_name: 'admin', backend_roles: [], roles: ['all_access'] }],
      [`GET /_resolve/index/${target}`]: [200, { indices: [{ name: target }], aliases: [], data_streams: [] }],
    },
    noHandler,
    false,
  )
  expect(await checkOf(url, 'admin')).toEqual([
    'ok: URL: OpenSearch 2.19.6, cluster "c"',
    `ok: user admin is let in; whether it may write to ${target} cannot be asked of OpenSearch`,
    `ok: ${target} exists: an index`,
  ])
})
