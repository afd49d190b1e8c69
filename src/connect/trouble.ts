/** From a failed connection to its plain message: which setting it is about, and who can mend it. Shared by the agent and by `remora check`. */
import { codeOf, messageOf } from '../base/errors.ts'
import type { Certificate } from './certificate.ts'

/** What is known of a failure, before anybody has said what it means. */
export interface Failure {
  /** Of Node or OpenSSL (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), or one of ours; `TIMEOUT` when the deadline passed. */
  readonly code: string
  readonly message: string
  /** Whether a connection was there: TCP, and TLS where it is asked for. */
  readonly connected: boolean
  /** What a proxy answered to CONNECT. */
  readonly proxyStatus?: number | undefined
  /** The names in the certificate, where Node tells them. */
  readonly names?: string | undefined
}

export interface Circumstances {
  /** What the server showed, where TLS was the trouble. */
  readonly certificate: Certificate | undefined
  /** REMORA_CA_FILE is given. */
  readonly authoritiesSet: boolean
  readonly fingerprintSet: boolean
  /** A client certificate is given. */
  readonly clientCertSet: boolean
  /** How long was waited at most. */
  readonly deadlineMs: number
  /** The proxy, without its credentials. */
  readonly proxy: string | undefined
}

export type Explained = readonly [text: string, wayOut: string]

const caFile = 'REMORA_CA_FILE'
const urlSetting = 'REMORA_ELASTICSEARCH_URL'

/** Reads what Node has thrown. */
export function failureOf(error: unknown, connected: boolean): Failure {
  const facts = (error instanceof Error ? error : {}) as { statusCode?: unknown; cert?: { subjectaltname?: unknown } }
  const names = facts.cert?.subjectaltname
  return {
    code: codeOf(error),
    message: messageOf(error, 300),
    connected,
    proxyStatus: typeof facts.statusCode === 'number' ? facts.statusCode : undefined,
    names: typeof names === 'string' ? names.slice(0, 300) : undefined,
  }
}

/** The certificates of one of the two sides were not accepted. */
export function isTlsFailure(error: unknown): boolean {
  const code = codeOf(error)
  return (
    code === 'FINGERPRINT_MISMATCH' ||
    code === 'ERR_TLS_CERT_ALTNAME_INVALID' ||
    code === 'CERT_HAS_EXPIRED' ||
    code === 'CERT_NOT_YET_VALID' ||
    unknownAuthority.has(code) ||
    clientCertRefused.test(code)
  )
}

const clientCertRefused =
  /CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE|ALERT_(?:BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_\w+)/

/** One sentence each, bounded, without a secret: what Node says of a proxy repeats its password, and is not passed on. */
export function explainFailure(url: string, failure: Failure, circumstances: Circumstances): Explained {
  const { deadlineMs, proxy } = circumstances
  return (
    proxyTrouble(failure, proxy) ??
    networkTrouble(url, failure, deadlineMs, proxy) ??
    protocolTrouble(url, failure) ??
    certificateTrouble(url, failure, circumstances) ?? [
      `cannot be reached: ${proxy === undefined ? failure.message : 'the connection failed'} (${failure.code || 'no code'})`,
      `Check ${urlSetting} and the network`,
    ]
  )
}

function proxyTrouble({ code, proxyStatus }: Failure, proxy: string | undefined): Explained | undefined {
  if (proxy === undefined || code !== 'ERR_PROXY_TUNNEL') return undefined
  if (proxyStatus === 407) {
    return [
      `the proxy ${proxy} asks for credentials, or does not accept those given (407)`,
      'Write http://USER:PASSWORD@… in HTTPS_PROXY',
    ]
  }
  const said = proxyStatus === undefined ? 'does not make the connection' : `refuses the connection (${proxyStatus})`
  return [
    `the proxy ${proxy} ${said}`,
    'Look at its log; if it is not meant to be used, name the host in NO_PROXY, or remove HTTPS_PROXY',
  ]
}

function networkTrouble(
  asked: string,
  { code, connected }: Failure,
  deadlineMs: number,
  proxy: string | undefined,
): Explained | undefined {
  // No name is looked up and no socket opened but the proxy's.
  const { hostname, port, protocol } = new URL(proxy ?? asked)
  if (
    proxy !== undefined &&
    !connected &&
    /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)$/.test(code)
  ) {
    const text = `the proxy ${proxy} cannot be reached (${code})`
    return [text, 'Correct HTTPS_PROXY or HTTP_PROXY, or name the host of Elasticsearch in NO_PROXY']
  }
  switch (code) {
    case 'ENOTFOUND':
      return [
        `there is no host named ${hostname} (DNS)`,
        `Correct the name in ${urlSetting}; a Service of another namespace is called NAME.NAMESPACE.svc`,
      ]
    case 'EAI_AGAIN':
      return [
        `the name ${hostname} cannot be looked up now: the DNS server does not answer`,
        'Check the DNS of this Pod',
      ]
    case 'ECONNREFUSED': {
      const at = port === '' ? `${protocol === 'https:' ? 443 : 80}, the default of ${protocol}//` : port
      return [
        `the connection is refused: nothing listens on port ${at} (ECONNREFUSED)`,
        `Start Elasticsearch, or correct host and port in ${urlSetting} (the usual port is 9200)`,
      ]
    }
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return [`there is no route to ${hostname}`, `Check the network, and the address in ${urlSetting}`]
    case 'ETIMEDOUT':
    case 'CONNECT_TIMEOUT':
    case 'TIMEOUT':
      return connected && code !== 'CONNECT_TIMEOUT'
        ? [
            `connected, but there was no answer within ${deadlineMs / 1000} s`,
            'Look at the load and the log of the server',
          ]
        : [
            `no connection within ${deadlineMs / 1000} s`,
            `Look for a firewall or a NetworkPolicy in between, and check ${urlSetting}`,
          ]
    default:
      return undefined
  }
}

/** Whoever listens speaks another protocol. Sources: the codes of Node's HTTP parser, and of OpenSSL. */
function protocolTrouble(url: string, { code, message, connected }: Failure): Explained | undefined {
  const secure = url.startsWith('https:')
  if (
    secure &&
    /wrong.version.number|packet.length.too.long|unknown.protocol|http.request/i.test(`${code} ${message}`)
  ) {
    return ['it does not speak TLS', `Write http:// in ${urlSetting} if this Elasticsearch is meant to be without TLS`]
  }
  if (code.startsWith('HPE_') || code === 'NOT_HTTP') {
    return secure
      ? ['what answers does not speak HTTP', `Correct host and port in ${urlSetting} (the usual port is 9200)`]
      : [
          'what answers does not speak HTTP; perhaps it speaks TLS',
          `Write https:// in ${urlSetting}, or correct host and port (the usual port is 9200, not 9300)`,
        ]
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    if (secure && !connected) {
      return [
        'the connection was closed during the TLS handshake',
        `Check host and port in ${urlSetting}, and what stands in between`,
      ]
    }
    return secure
      ? ['the connection was closed without an answer', 'Look at the log of the server, and at what stands in between']
      : [
          'the connection was closed without an answer; a server that expects TLS does so',
          `Write https:// in ${urlSetting} if this Elasticsearch has TLS; else look at its log`,
        ]
  }
  return undefined
}

const unknownAuthority = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
])

/** Sources: Node documentation, "TLS", X509 certificate error codes; OpenSSL alerts. */
function certificateTrouble(
  url: string,
  { code, message, names: namesTold }: Failure,
  { certificate, authoritiesSet, fingerprintSet, clientCertSet }: Circumstances,
): Explained | undefined {
  const { hostname } = new URL(url)
  if (code === 'FINGERPRINT_MISMATCH') {
    return [
      `TLS: no certificate that it shows has the fingerprint in REMORA_CA_FINGERPRINT (they have ${message || 'none'})`,
      'Compare it with the authority of this cluster (openssl x509 -in http_ca.crt -noout -fingerprint -sha256); if it is right, somebody stands in between, or the server shows its own certificate without the authority',
    ]
  }
  if (unknownAuthority.has(code)) {
    const issuer = certificate === undefined || certificate.issuer === '' ? '' : ` "${certificate.issuer}"`
    const who =
      code === 'DEPTH_ZERO_SELF_SIGNED_CERT'
        ? 'its certificate is self-signed'
        : `its certificate is from an authority${issuer} that is not known here`
    if (fingerprintSet) {
      return [
        `TLS: ${who}: not signed by the one in REMORA_CA_FINGERPRINT`,
        'Take the fingerprint of the authority that signed it',
      ]
    }
    return authoritiesSet
      ? [
          `TLS: ${who}: not one of those in ${caFile}`,
          `Put the certificate of the authority that signed it into ${caFile}`,
        ]
      : [`TLS: ${who}`, `Set ${caFile} to a PEM file with that authority's certificate (http_ca.crt of Elasticsearch)`]
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = (certificate?.names ?? namesTold ?? '').replaceAll(/DNS:|IP Address:/g, '')
    const valid = names === '' ? '' : ` (it is for ${names})`
    return [
      `TLS: its certificate is for another name than ${hostname}${valid}`,
      `Write a name that is in the certificate in ${urlSetting}, or have this one put into the certificate`,
    ]
  }
  if (code === 'CERT_HAS_EXPIRED') {
    const when = certificate === undefined ? '' : ` on ${certificate.validTo}`
    return [
      `TLS: its certificate has expired${when}`,
      'Renew it on the server; check the clock of this machine as well',
    ]
  }
  if (code === 'CERT_NOT_YET_VALID') {
    const when = certificate === undefined ? '' : ` before ${certificate.validFrom}`
    return [`TLS: its certificate is not valid yet${when}`, 'Check the clock of this machine, then the certificate']
  }
  if (clientCertRefused.test(code)) {
    return clientCertSet
      ? [
          `TLS: it does not accept the client certificate in REMORA_CLIENT_CERT_FILE (${code})`,
          'Give one that is valid and from an authority that the server knows (xpack.security.http.ssl.certificate_authorities)',
        ]
      : [
          `TLS: it ended the handshake (${code}); it asks for a client certificate`,
          'Set REMORA_CLIENT_CERT_FILE and REMORA_CLIENT_KEY_FILE',
        ]
  }
  if (/PEM|ASN1|ERR_OSSL_X509/.test(code)) {
    return [`TLS: ${caFile} cannot be used: ${message}`, `Put a whole PEM certificate into ${caFile}`]
  }
  if (/^(?:ERR_SSL|ERR_TLS|ERR_OSSL|EPROTO)/.test(code)) {
    return [`TLS: ${reasonOf(message)} (${code})`, 'Compare the TLS versions and ciphers of both sides']
  }
  return undefined
}

/** OpenSSL's own words: `…:SSL routines:FUNCTION:REASON:FILE:LINE:`. */
const reasonOf = (message: string) => /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message
