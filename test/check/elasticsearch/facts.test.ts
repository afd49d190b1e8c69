import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createPlain, type RequestListener, type Server } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { createServer as createSocket, type AddressInfo, type Server as SocketServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Discretion } from '../../../src/check/discretion.ts'
import { serverFactsOf } from '../../../src/check/elasticsearch/facts.ts'
import { elasticsearchFindings } from '../../../src/check/elasticsearch/findings.ts'
import { startBulkServer } from '../../../src/demo/bulk-server.ts'
import type { Access } from '../../../src/connect/access.ts'
import { startProxy, viaProxy } from '../../kit/connect-proxy.ts'
import { certificates } from '../certificates.ts'

const none = { apiKey: undefined, username: undefined, password: undefined }
const credentials = { username: undefined, apiKey: false }
const target = 'logs-generic-default'

function ask(url: string, ca?: string, deadlineMs = 5_000) {
  return serverFactsOf(url, { target, access: { ...none, ca }, credentials, deadlineMs }, new Discretion(none))
}

function askWith(url: string, access: Access) {
  const question = { target, access: { ...none, ...access }, credentials, deadlineMs: 5_000 }
  return serverFactsOf(url, question, new Discretion(none))
}

async function portOf(server: Server | SocketServer): Promise<number> {
  onTestFinished(() => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

const elasticsearch: RequestListener = (request, response) => {
  const known = request.url === '/'
  response.writeHead(known ? 200 : 400, { 'x-elastic-product': 'Elasticsearch' })
  const body = { cluster_name: 'c', cluster_uuid: 'u', version: { number: '9.5.3' } }
  response.end(known ? JSON.stringify(body) : '{"error":"no handler found for uri [/x]"}')
}
const secure = (cert: string) => portOf(createSecure({ key: certificates.key, cert }, elasticsearch))

test('TLS with an authority of our own', async () => {
  const port = await secure(certificates.good)
  const { finding, usable } = await ask(`https://localhost:${port}`, certificates.authority)
  expect([finding.level, usable]).toEqual(['ok', true])
})

test.each([
  ['good', undefined, /authority "Remora test authority" that is not known here$/],
  ['good', 'otherName', /not one of those in REMORA_CA_FILE/],
  ['otherName', 'authority', /another name than 127.0.0.1 \(it is for es.example, \*.es.example\)/],
  ['expired', 'authority', /has expired on Jan {2}1 00:00:00 2025 GMT/],
  ['future', 'authority', /not valid yet before Jan {2}1 00:00:00 2100 GMT/],
] as const)('certificate %s, authorities %s', async (cert, ca, text) => {
  const port = await secure(certificates[cert])
  const { finding, details } = await ask(`https://127.0.0.1:${port}`, ca === undefined ? undefined : certificates[ca])
  expect(finding).toMatchObject({ level: 'error', text: expect.stringMatching(text) })
  expect(details).toBeUndefined()
})

test('http where TLS is spoken, and https where it is not', async () => {
  const withTls = await secure(certificates.good)
  const without = await portOf(createPlain(elasticsearch))
  expect((await ask(`http://127.0.0.1:${withTls}`)).finding).toMatchObject({ wayOut: expect.stringMatching(/https:/) })
  expect((await ask(`https://127.0.0.1:${without}`)).finding.text).toMatch(/it does not speak TLS/)
})

test('a client certificate that is asked for', async () => {
  const { key, good: cert, authority: ca } = certificates
  const options = { key, cert, ca, requestCert: true, rejectUnauthorized: true }
  const port = await portOf(createSecure(options, elasticsearch))
  const url = `https://localhost:${port}`
  expect((await ask(url, ca)).finding.text).toMatch(/asks for a client certificate/)
  expect(await askWith(url, { ca, clientCert: cert, clientKey: key })).toMatchObject({ usable: true })
})

const digest = (pem: string) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')

test('a fingerprint is a pin, here too', async () => {
  const port = await secure(`${certificates.good}${certificates.authority}`)
  const url = `https://localhost:${port}`
  expect(await askWith(url, { caFingerprint: digest(certificates.authority) })).toMatchObject({ usable: true })
  const { finding } = await askWith(url, { caFingerprint: digest(certificates.namesake) })
  expect(finding.text).toMatch(/has the fingerprint in REMORA_CA_FINGERPRINT/)
})

test('through a proxy, and through one that is not there', async () => {
  const port = await secure(certificates.good)
  const proxy = await startProxy('user:s3cr3t-word')
  onTestFinished(() => proxy.close())
  const url = `https://localhost:${port}`
  const ca = certificates.authority
  const via = (through: string) => askWith(url, { ca, proxies: viaProxy(url, through) })
  expect(await via(proxy.url.replace('//', '//user:s3cr3t-word@'))).toMatchObject({ usable: true })
  expect(proxy.passed[0]).toBe(`localhost:${port}`)
  const findings = [
    await via(proxy.url.replace('//', '//user:wr0ng-word@')),
    await via('http://user:wr0ng-word@127.0.0.1:1'),
  ]
  expect(findings.map(({ finding }) => finding.text)).toEqual([
    expect.stringMatching(/the proxy http:\/\/127.0.0.1:\d+ asks for credentials/),
    expect.stringMatching(/the proxy http:\/\/127.0.0.1:1 cannot be reached/),
  ])
  expect(JSON.stringify(findings)).not.toContain('wr0ng')
})

test('nobody there, nobody who answers, and somebody who talks nonsense', async () => {
  const silent = await portOf(createSocket(() => undefined))
  const nonsense = await portOf(createSocket((socket) => socket.end('220 mail.example ESMTP\r\n')))
  const gone = createSocket()
  const port = await portOf(gone)
  await new Promise((resolve) => gone.close(resolve))
  const texts = await Promise.all(
    [port, silent, nonsense].map(async (at) => (await ask(`http://127.0.0.1:${at}`, undefined, 500)).finding.text),
  )
  expect(texts[0]).toMatch(/the connection is refused/)
  expect(texts[1]).toMatch(/connected, but there was no answer within 0.5 s/)
  expect(texts[2]).toMatch(/does not speak HTTP/)
})

test('a name that leads nowhere', async () => {
  expect((await ask('http://nowhere.invalid:9200')).finding.text).toMatch(/\(DNS\)|DNS server does not answer/)
})

test('an answer that never ends is cut at the deadline, and a huge one at a MiB', async () => {
  const endless = createPlain((_, response) => {
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(timer))
  })
  const huge = createPlain((_, response) => void response.end(`<title>big</title>${'x'.repeat(8 * 1024 * 1024)}`))
  const [one, other] = await Promise.all([portOf(endless), portOf(huge)])
  expect((await ask(`http://127.0.0.1:${one}`, undefined, 500)).finding.text).toMatch(/no answer within/)
  expect((await ask(`http://127.0.0.1:${other}`)).finding.text).toMatch(/answered; it is not Elasticsearch/)
})

test('the server of the demo', async () => {
  const server = await startBulkServer({ documentsPath: undefined })
  onTestFinished(() => server.close())
  const facts = await ask(server.url)
  expect(facts).toMatchObject({
    usable: true,
    details: { privileges: { kind: 'security-off' }, target: { target: { kind: 'absent' } } },
  })
  const findings = elasticsearchFindings([facts], { target, isStream: true, credentials })
  expect(findings.map(({ level }) => level)).toEqual(['ok', 'ok', 'ok'])
})

const factsOf = (clusterUuid: string, usable = true) => ({
  product: 'elasticsearch' as const,
  finding: { level: usable ? 'ok' : 'error', text: 'x', wayOut: '' } as const,
  usable,
  clusterUuid,
  details: usable
    ? {
        privileges: { kind: 'security-off' } as const,
        target: {
          target: { kind: 'absent' },
          aliasWrites: 'unknown',
          blocks: [],
          template: 'none',
          cluster: undefined,
        } as const,
      }
    : undefined,
})

test('several addresses: one line each, the rest once for each cluster', () => {
  const wanted = { target, isStream: false, credentials }
  const levels = (...servers: ReturnType<typeof factsOf>[]) =>
    elasticsearchFindings(servers, wanted).map(({ level }) => level)
  expect(levels(factsOf('a'), factsOf('a'), factsOf('', false))).toEqual(['ok', 'ok', 'error', 'ok', 'ok'])
  expect(levels(factsOf('a'), factsOf('b'))).toEqual(['ok', 'ok', 'error', 'ok', 'ok', 'ok', 'ok'])
  expect(elasticsearchFindings([], wanted)).toMatchObject([{ level: 'error', configuration: true }])
})
