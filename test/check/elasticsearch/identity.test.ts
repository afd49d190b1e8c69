import { describe, expect, test } from 'vitest'
import { Discretion } from '../../../src/check/discretion.ts'
import { identityOf, type Credentials } from '../../../src/check/elasticsearch/identity.ts'

const url = 'https://es.example:9200'
const none: Credentials = { username: undefined, apiKey: false }
const discretion = new Discretion({ apiKey: undefined, username: 'me', password: 'hunter2' })
const elastic = { 'x-elastic-product': 'Elasticsearch' }
const root = (number: string, more: object = {}) => ({
  cluster_name: 'logs',
  cluster_uuid: 'uuid',
  version: { number, ...more },
  tagline: 'You Know, for Search',
})
const denied = { error: { type: 'security_exception' }, status: 401 }

function identify(status: number, body: unknown, headers: object = {}, credentials = none, at = url) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return identityOf(at, { kind: 'answered', status, headers: { ...headers }, body: text }, credentials, discretion)
}

describe('Elasticsearch', () => {
  test.each([
    ['9.5.3', 'ok'],
    ['8.0.0', 'ok'],
    ['10.1.0', 'ok'],
    ['7.17.29', 'ok'],
    ['7.16.3', 'warning'],
  ])('%s is %s and usable', (number, level) => {
    const { finding, usable, clusterUuid } = identify(200, root(number), elastic)
    expect([finding.level, usable, clusterUuid]).toEqual([level, true, 'uuid'])
    expect(finding.text).toContain(`${url}: Elasticsearch ${number}, cluster "logs"`)
  })
  test('without the header that names the product: a proxy, or an imitation; said, and no obstacle', () => {
    const { finding, usable } = identify(200, root('9.5.3'))
    expect([finding.level, usable]).toEqual(['warning', true])
    expect(finding.text).toMatch(/Elasticsearch 9.5.3, cluster "logs": without the header X-Elastic-Product/)
  })
  test('a serverless project says what it is, not a version', () => {
    const { finding, usable, product } = identify(200, root('8.11.0', { build_flavor: 'serverless' }), elastic)
    expect([finding.level, usable, product]).toEqual(['ok', true, 'serverless'])
    expect(finding.text).toBe(`${url}: Elasticsearch, a serverless project, "logs"`)
  })
  test('that hides its version from this user is usable', () => {
    const hidden = { error: { type: 'security_exception' } }
    expect(identify(403, hidden, elastic)).toMatchObject({
      usable: true,
      product: 'elasticsearch',
      finding: { level: 'ok' },
    })
    expect(identify(403, hidden)).toMatchObject({ usable: true, product: 'unknown', finding: { level: 'ok' } })
  })
})

const openSearch = (number: string) => ({
  ...root(number, { distribution: 'opensearch' }),
  tagline: 'The OpenSearch Project: https://opensearch.org/',
})
const realm = { 'www-authenticate': 'Basic realm="OpenSearch Security"' }

describe('OpenSearch', () => {
  test.each([
    ['3.9.0', 'ok'],
    ['2.19.6', 'ok'],
    ['2.11.1', 'warning'],
    ['1.3.20', 'warning'],
  ])('%s is %s and usable, without a product header', (number, level) => {
    const { finding, usable, product, clusterUuid } = identify(200, openSearch(number))
    expect([finding.level, usable, product, clusterUuid]).toEqual([level, true, 'opensearch', 'uuid'])
    expect(finding.text).toContain(`${url}: OpenSearch ${number}, cluster "logs"`)
  })
  test('that calls itself 7.10.2 for older clients is known by its tagline', () => {
    const { tagline } = openSearch('x')
    expect(identify(200, { ...root('7.10.2'), tagline })).toMatchObject({ usable: true, product: 'opensearch' })
  })
  test.each([
    [none, /OpenSearch asks for credentials, and none are given/, /REMORA_USERNAME/],
    [{ username: 'me', apiKey: false }, /user me and the password in REMORA_PASSWORD/, /REMORA_PASSWORD/],
    [{ username: undefined, apiKey: true }, /REMORA_API_KEY is not accepted/, /does not know the API keys/],
  ])('that refuses %j', (credentials, text, wayOut) => {
    const { finding, usable } = identify(401, 'Unauthorized', realm, credentials)
    expect(usable).toBe(false)
    const words = { text: expect.stringMatching(text), wayOut: expect.stringMatching(wayOut) }
    expect(finding).toMatchObject({ level: 'error', ...words })
  })
  test('without a master', () => {
    expect(identify(503, openSearch('3.9.0')).finding.text).toMatch(/OpenSearch is starting, or has no master/)
  })
})

describe('everything else is an error that says what answered', () => {
  test.each([
    ['before 7', 200, root('6.8.23'), {}, /Elasticsearch 6.8.23, cluster "logs": older than 7/, /version 8/],
    ['Kibana', 302, '', { 'kbn-name': 'kibana', location: '/login' }, /Kibana answered/, /9200, not 5601/],
    ['the transport port', 200, 'This is not an HTTP port', {}, /use among themselves/, /9200, not 9300/],
    [
      'a web page',
      200,
      '<!DOCTYPE html><html><title>Welcome to\n nginx!</title>',
      { server: 'nginx' },
      /an HTML page titled "Welcome to nginx!" \(nginx, status 200\) answered; it is not/,
      /Correct REMORA_ELASTICSEARCH_URL/,
    ],
    [
      'a proxy without anything behind',
      502,
      '<html><title>502</title>',
      { 'content-type': 'text/html' },
      /an HTML page titled "502" \(status 502\)/,
      /proxy or ingress/,
    ],
    [
      'a login page',
      302,
      '',
      { location: 'https://login.example/auth?token=abc' },
      /sends on to https:\/\/login.example\/auth$/,
      /follows no redirection/,
    ],
    [
      'a door-keeper',
      401,
      '<html><title>Login</title>',
      {},
      /asks for credentials; it does not look like Elasticsearch/,
      /Correct/,
    ],
    ['another API', 200, { hello: 'world' }, {}, /a service that speaks JSON \(status 200\)/, /Correct/],
    ['text', 200, 'hello', {}, /a service that says "hello"/, /Correct/],
    ['text with a secret', 200, 'hello hunter2', {}, /says "\(not shown: a secret is in it\)"/, /Correct/],
    ['nothing', 204, '', {}, /an empty page \(status 204\)/, /Correct/],
    [
      'an index instead of a prefix',
      404,
      { error: { type: 'index_not_found_exception' } },
      elastic,
      /knows no such path/,
      /without \/es/,
    ],
    ['a cluster without a master', 503, root('9.5.3'), elastic, /it answers 503/, /health of the cluster/],
    ['overload', 429, { error: {} }, elastic, /it answers 429/, /less to do/],
  ])('%s', (_, status, body, headers, text, wayOut) => {
    const { finding, usable } = identify(status, body, headers, none, `${url}/es`)
    expect([finding.level, usable]).toEqual(['error', false])
    expect(finding.text).toMatch(text)
    expect('wayOut' in finding && finding.wayOut).toMatch(wayOut)
  })
})

describe('credentials that are refused', () => {
  const reason = { error: { ...denied.error, additional_unsuccessful_credentials: 'API key: api key is expired' } }
  test.each([
    [none, denied, /asks for credentials, and none are given/, /Set REMORA_API_KEY, or REMORA_USERNAME/],
    [
      { username: 'me', apiKey: false },
      denied,
      /user me and the password in REMORA_PASSWORD/,
      /REMORA_USERNAME or REMORA_PASSWORD/,
    ],
    [
      { username: undefined, apiKey: true },
      reason,
      /REMORA_API_KEY is not accepted \(API key: api key is expired\)/,
      /"encoded"/,
    ],
    [{ username: undefined, apiKey: true }, denied, /the API key in REMORA_API_KEY is not accepted$/, /"encoded"/],
  ])('%j', (credentials, body, text, wayOut) => {
    const { finding, usable } = identify(401, body, {}, credentials)
    expect(usable).toBe(false)
    expect(finding).toMatchObject({
      level: 'error',
      text: expect.stringMatching(text),
      wayOut: expect.stringMatching(wayOut),
    })
  })
})
