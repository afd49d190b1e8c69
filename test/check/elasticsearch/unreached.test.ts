import { expect, test } from 'vitest'
import { unreachedFinding } from '../../../src/check/elasticsearch/unreached.ts'

const certificate = {
  subject: 'es',
  issuer: 'Our authority',
  names: 'DNS:es.example, IP Address:10.0.0.1',
  validFrom: 'Jan  1 00:00:00 2025 GMT',
  validTo: 'Jan  1 00:00:00 2026 GMT',
}
const circumstances = {
  certificate,
  authoritiesSet: false,
  fingerprintSet: false,
  clientCertSet: false,
  deadlineMs: 10_000,
  proxy: undefined,
}
const wrongVersion =
  'write EPROTO 40D3:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../ssl/x.c:78:\n'
const lowVersion = '40D3:error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../ssl/x.c:78:\n'

test.each([
  ['http', 'ENOTFOUND', '', /there is no host named es.example \(DNS\)/, /NAME.NAMESPACE.svc/],
  ['http', 'EAI_AGAIN', '', /the DNS server does not answer/, /DNS of this Pod/],
  ['http', 'ECONNREFUSED', '', /refused: nothing listens on port 9200/, /usual port is 9200/],
  ['http', 'EHOSTUNREACH', '', /no route to es.example/, /network/],
  ['http', 'TIMEOUT', '', /no connection within 10 s/, /NetworkPolicy/],
  ['http', 'ETIMEDOUT', '', /no connection within 10 s/, /NetworkPolicy/],
  ['http', 'ECONNRESET', 'socket hang up', /closed without an answer; a server that expects TLS/, /Write https:\/\//],
  ['https', 'ECONNRESET', '', /closed during the TLS handshake/, /in between/],
  ['http', 'HPE_INVALID_CONSTANT', '', /does not speak HTTP; perhaps it speaks TLS/, /Write https:\/\//],
  ['https', 'HPE_INVALID_CONSTANT', '', /does not speak HTTP$/, /Correct host and port/],
  ['https', 'EPROTO', wrongVersion, /it does not speak TLS/, /Write http:\/\//],
  ['https', 'ERR_SSL_WRONG_VERSION_NUMBER', '', /it does not speak TLS/, /Write http:\/\//],
  ['https', 'EPROTO', lowVersion, /TLS: tlsv1 alert protocol version \(EPROTO\)/, /TLS versions/],
  ['https', 'SELF_SIGNED_CERT_IN_CHAIN', '', /authority "Our authority" that is not known here/, /Set REMORA_CA_FILE/],
  ['https', 'DEPTH_ZERO_SELF_SIGNED_CERT', '', /its certificate is self-signed/, /Set REMORA_CA_FILE/],
  ['https', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', '', /not known here/, /http_ca.crt/],
  [
    'https',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    '',
    /another name than es.example \(it is for es.example, 10.0.0.1\)/,
    /Write a name/,
  ],
  ['https', 'CERT_HAS_EXPIRED', '', /has expired on Jan {2}1 00:00:00 2026 GMT/, /clock/],
  ['https', 'CERT_NOT_YET_VALID', '', /not valid yet before Jan {2}1 00:00:00 2025 GMT/, /clock/],
  [
    'https',
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    '',
    /asks for a client certificate/,
    /Set REMORA_CLIENT_CERT_FILE/,
  ],
  ['https', 'ERR_OSSL_PEM_BAD_BASE64_DECODE', 'bad base64', /REMORA_CA_FILE cannot be used: bad base64/, /PEM/],
  ['https', 'ERR_SSL_NO_SHARED_CIPHER', 'no cipher', /TLS: no cipher/, /ciphers/],
  ['http', 'EWHATEVER', 'words', /cannot be reached: words \(EWHATEVER\)/, /REMORA_ELASTICSEARCH_URL/],
])('%s %s', (protocol, code, message, text, wayOut) => {
  const failed = { kind: 'failed', code, message, connected: false } as const
  const finding = unreachedFinding(`${protocol}://es.example:9200`, failed, circumstances)
  expect(finding.level).toBe('error')
  expect(finding.text).toMatch(text)
  expect(finding.wayOut).toMatch(wayOut)
})

test.each([
  ['http://es.example', 'ECONNREFUSED', /port 80, the default of http:\/\//],
  ['https://es.example', 'ECONNREFUSED', /port 443, the default of https:\/\//],
])('%s: a URL without a port', (url, code, text) => {
  const failed = { kind: 'failed', code, message: '', connected: false } as const
  expect(unreachedFinding(url, failed, { ...circumstances, certificate: undefined }).text).toMatch(text)
})

test('an authority that is not in REMORA_CA_FILE', () => {
  const failed = { kind: 'failed', code: 'SELF_SIGNED_CERT_IN_CHAIN', message: '', connected: false } as const
  const finding = unreachedFinding('https://es', failed, {
    ...circumstances,
    certificate: undefined,
    authoritiesSet: true,
  })
  expect(finding.text).toMatch(/an authority that is not known here: not one of those in REMORA_CA_FILE/)
})

test('a server that is connected and silent', () => {
  const failed = { kind: 'failed', code: 'TIMEOUT', message: '', connected: true } as const
  expect(unreachedFinding('http://es', failed, { ...circumstances, certificate: undefined }).text).toMatch(
    /no answer within 10 s/,
  )
})
