import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createPlain } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import { createServer as createSockets, type AddressInfo, type Server } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ConnectionSettings } from '../../src/ship/transport.ts'
import { certificates } from '../check/certificates.ts'
import { goodAnswer, senderTo } from './sending.ts'

const line = Buffer.from('{"create":{}}\n{"message":"a line of the application"}\n')
const done = { kind: 'answered', answer: { kind: 'done' } }
const { authority, good, otherName, expired, future, namesake, forged, forgedKey, key } = certificates

const sha256 = (pem: string) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')

async function portOf(server: Server): Promise<number> {
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

/** What it was sent: the heads of the requests that got through its TLS. */
async function serverWith(options: ServerOptions): Promise<{ port: number; heads: string[] }> {
  const heads: string[] = []
  const server = createServer({ key, ...options }, (request, response) => {
    heads.push(request.headers.authorization ?? '')
    request.resume().on('end', () => {
      response.writeHead(200, { 'x-elastic-product': 'Elasticsearch' }).end(goodAnswer())
    })
  })
  onTestFinished(() => server.closeAllConnections())
  return { port: await portOf(server), heads }
}

const to = (port: number, set: Partial<ConnectionSettings>, host = 'localhost') =>
  senderTo(`https://${host}:${port}`, { requestTimeoutMs: 5_000, apiKey: 'c2VjcmV0', ...set }).send(line)

const refused = (message: RegExp) => ({
  kind: 'failed',
  message: expect.stringMatching(message),
  reached: false,
  stale: false,
})

describe('a server is trusted', () => {
  test.each([
    ['by a CA file', { ca: authority }, { cert: good }],
    ['by a CA file of several', { ca: `${namesake}${authority}` }, { cert: good }],
    ['by the fingerprint of its authority', { caFingerprint: sha256(authority) }, { cert: `${good}${authority}` }],
    ['by the fingerprint of its own certificate', { caFingerprint: sha256(good) }, { cert: good }],
    [
      'and shown a client certificate',
      { ca: authority, clientCert: good, clientKey: key },
      { cert: good, ...asking() },
    ],
    [
      'by a fingerprint, and shown a client certificate',
      { caFingerprint: sha256(authority), clientCert: good, clientKey: key },
      { cert: `${good}${authority}`, ...asking() },
    ],
    ['with TLS 1.2', { ca: authority }, { cert: good, maxVersion: 'TLSv1.2' }],
    ['with TLS 1.2 by a fingerprint', { caFingerprint: sha256(good) }, { cert: good, maxVersion: 'TLSv1.2' }],
  ] as [string, Partial<ConnectionSettings>, ServerOptions][])('%s', async (_name, set, options) => {
    const { port } = await serverWith(options)
    const { send } = senderTo(`https://localhost:${port}`, set)
    for (let round = 0; round < 3; round++) expect(await send(line)).toEqual(done)
  })
})

function asking(): ServerOptions {
  return { ca: authority, requestCert: true, rejectUnauthorized: true }
}

describe('a server is refused before anything is sent, and it is said why', () => {
  test.each([
    ['an authority nobody knows', {}, { cert: good }, /authority "Remora test authority" that is not known here/],
    [
      'another authority than in the file',
      { ca: namesake },
      { cert: good },
      /not known here: not one of those in REMORA_CA_FILE/,
    ],
    [
      'expired',
      { ca: authority },
      { cert: expired },
      /certificate has expired on Jan {2}1 00:00:00 2025 GMT\. Renew it/,
    ],
    [
      'not yet valid',
      { ca: authority },
      { cert: future },
      /not valid yet before Jan {2}1 00:00:00 2100 GMT\. Check the clock/,
    ],
    [
      'of another name',
      { ca: authority },
      { cert: otherName },
      /another name than localhost \(it is for es\.example, \*\.es\.example\)/,
    ],
    [
      'another fingerprint',
      { caFingerprint: 'ab'.repeat(32) },
      { cert: `${good}${authority}` },
      new RegExp(
        `no certificate that it shows has the fingerprint in REMORA_CA_FINGERPRINT \\(they have ${sha256(good)}`,
      ),
    ],
    [
      'the right authority that it does not show',
      { caFingerprint: sha256(authority) },
      { cert: good },
      /REMORA_CA_FINGERPRINT/,
    ],
    // Who checks the fingerprint of what is shown, and nothing else, takes this one.
    [
      'a forged certificate beside the right authority',
      { caFingerprint: sha256(authority) },
      { cert: `${forged}${authority}`, key: forgedKey },
      /not signed by the one in REMORA_CA_FINGERPRINT/,
    ],
    [
      'expired, with the right fingerprint',
      { caFingerprint: sha256(authority) },
      { cert: `${expired}${authority}` },
      /has expired on/,
    ],
    [
      'of another name, with the right fingerprint',
      { caFingerprint: sha256(authority) },
      { cert: `${otherName}${authority}` },
      /another name than localhost/,
    ],
    [
      'TLS 1.1 only',
      { ca: authority },
      { cert: good, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      /^https:.*TLS/,
    ],
  ] as [string, Partial<ConnectionSettings>, ServerOptions, RegExp][])('%s', async (_name, set, options, message) => {
    const { port, heads } = await serverWith(options)
    const sent = await to(port, set)
    expect(sent).toEqual(refused(message))
    expect(heads).toEqual([])
  })

  test('a client certificate that it asks for', async () => {
    const { port, heads } = await serverWith({ cert: good, ...asking() })
    const sent = await to(port, { ca: authority })
    expect(sent).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/it asks for a client certificate.*REMORA_CLIENT_CERT_FILE/),
    })
    expect(heads).toEqual([])
  })

  test('with the wrong fingerprint nothing of ours is shown, a client certificate neither', async () => {
    const shown: string[] = []
    const server = createServer({
      key,
      cert: good,
      requestCert: true,
      rejectUnauthorized: false,
      // There the server is done before the client is.
      maxVersion: 'TLSv1.2',
    })
    server.on('secureConnection', (socket) => shown.push(socket.getPeerCertificate().subject?.CN?.toString() ?? 'none'))
    const port = await portOf(server)
    const set = { clientCert: good, clientKey: key, caFingerprint: 'ab'.repeat(32) }
    expect(await to(port, set)).toEqual(refused(/REMORA_CA_FINGERPRINT/))
    expect(shown).toEqual(['none'])
  })

  test('http where TLS is spoken, and https where it is not', async () => {
    const { port } = await serverWith({ cert: good })
    const plain = await portOf(createPlain((_request, response) => response.end()))
    const wrong = await senderTo(`http://localhost:${port}`, { requestTimeoutMs: 5_000 }).send(line)
    expect(wrong).toMatchObject({ kind: 'failed', message: expect.stringMatching(/TLS.*Write https:\/\//) })
    expect(await to(plain, { ca: authority })).toEqual(refused(/it does not speak TLS.*Write http:\/\//))
  })

  test('a server that says nothing at all: the time to connect is bounded by itself', async () => {
    const port = await portOf(createSockets(() => undefined))
    for (const set of [{ ca: authority }, { caFingerprint: sha256(authority) }]) {
      expect(await to(port, { ...set, requestTimeoutMs: 300 })).toEqual(refused(/no connection within 0.3 s/))
    }
  })
})
