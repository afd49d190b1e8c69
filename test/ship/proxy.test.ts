import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { ConnectionSettings } from '../../src/ship/transport.ts'
import { certificates } from '../check/certificates.ts'
import { startProxy, viaProxy } from '../kit/connect-proxy.ts'
import { goodAnswer, peerOf, senderTo } from './sending.ts'

const line = Buffer.from('{"create":{}}\n{"message":"a line of the application"}\n')
const done = { kind: 'answered', answer: { kind: 'done' } }
const { authority, good, otherName, key } = certificates
const caFingerprint = createHash('sha256').update(new X509Certificate(authority).raw).digest('hex')

async function secure(cert: string): Promise<string> {
  const server = createServer({ key, cert }, (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'x-elastic-product': 'Elasticsearch' }).end(goodAnswer())
    })
  })
  onTestFinished(() => server.close().closeAllConnections())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function proxyOf(credentials?: string) {
  const proxy = await startProxy(credentials)
  onTestFinished(() => proxy.close())
  return proxy
}

function sender(url: string, proxy: string, set: Partial<ConnectionSettings> = {}) {
  return senderTo(url, { proxies: viaProxy(url, proxy), requestTimeoutMs: 5_000, ...set })
}

test.each([[{ ca: authority }], [{ caFingerprint }]])(
  'https goes through a tunnel, kept for the next requests',
  async (set) => {
    const url = await secure(`${good}${authority}`)
    const proxy = await proxyOf()
    const { send } = sender(url, proxy.url, set)
    for (let round = 0; round < 4; round++) expect(await send(line)).toEqual(done)
    // With a fingerprint one more, to look at the chain.
    expect(proxy.passed).toEqual(Array.from({ length: 'ca' in set ? 1 : 2 }, () => url.slice('https://'.length)))
  },
)

test('http goes as a whole URL', async () => {
  const peer = await peerOf(async (request) => {
    await request.body()
    request.reply(200, goodAnswer())
  })
  const proxy = await proxyOf('user:p@ss')
  const { send } = sender(peer.url, proxy.url.replace('//', '//user:p%40ss@'))
  for (let round = 0; round < 2; round++) expect(await send(line)).toEqual(done)
  expect(proxy.passed).toHaveLength(2)
  expect(proxy.passed[0]).toMatch(new RegExp(`^${peer.url}/`))
  expect(peer.requests[0]!.header('proxy-authorization'), 'the proxy alone gets its password').toBeUndefined()
})

test('the certificate behind a proxy is verified all the same', async () => {
  const proxy = await proxyOf()
  const url = await secure(`${otherName}${authority}`)
  for (const set of [{ ca: authority }, { caFingerprint }]) {
    expect(await sender(url, proxy.url, set).send(line)).toMatchObject({
      kind: 'failed',
      reached: false,
      message: expect.stringMatching(/another name than 127.0.0.1 \(it is for es.example, \*.es.example\)/),
    })
  }
  expect(await sender(url, proxy.url).send(line)).toMatchObject({ message: expect.stringMatching(/not known here/) })
})

test.each([
  [
    'wrong credentials',
    'other:s3cr3t-word',
    /the proxy http:\/\/127.0.0.1:\d+ asks for credentials, or does not accept/,
  ],
  ['nobody behind it', 'user:s3cr3t-word', /the proxy http:\/\/127.0.0.1:\d+ refuses the connection \(502\)/],
])('%s is said, without the password', async (_name, credentials, message) => {
  const proxy = await proxyOf('user:s3cr3t-word')
  const { send } = sender('https://127.0.0.1:1', proxy.url.replace('//', `//${credentials}@`), { ca: authority })
  const sent = await send(line)
  expect(sent).toMatchObject({ kind: 'failed', reached: false, message: expect.stringMatching(message) })
  expect(JSON.stringify(sent)).not.toContain('s3cr3t')
})

test('no proxy there is said, without the password', async () => {
  const sent = await sender('https://es.invalid', 'http://user:s3cr3t-word@127.0.0.1:1', { ca: authority }).send(line)
  const message = expect.stringMatching(/the proxy http:\/\/127.0.0.1:1 cannot be reached \(ECONNREFUSED\)/)
  expect(sent).toMatchObject({ kind: 'failed', reached: false, message })
  expect(JSON.stringify(sent)).not.toContain('s3cr3t')
})

test('a proxy that says nothing is given up in time', async () => {
  const silent = await peerOf(() => undefined)
  const set = { ca: authority, requestTimeoutMs: 300 }
  expect(await sender('https://127.0.0.1:1', silent.url, set).send(line)).toMatchObject({
    kind: 'failed',
    reached: false,
    message: expect.stringMatching(/no connection within 0.3 s/),
  })
})

test('a server behind a proxy that says nothing is given up in time, too', async () => {
  const silent = await peerOf(() => undefined)
  const proxy = await proxyOf()
  for (const set of [{ ca: authority }, { caFingerprint }]) {
    const { send } = sender(silent.url.replace('http:', 'https:'), proxy.url, { ...set, requestTimeoutMs: 300 })
    expect(await send(line)).toMatchObject({
      kind: 'failed',
      reached: false,
      message: expect.stringMatching(/no connection/),
    })
  }
  expect(proxy.passed).toHaveLength(2)
})
