/** From a failed connection to its plain message: which setting it is about, and who can mend it. */
import { error, type Trouble } from '../finding.ts'
import type { Failed } from './ask.ts'
import type { Certificate } from './certificate.ts'

type Explained = readonly [text: string, wayOut: string]

const caFile = 'REMORA_CA_FILE'
const urlSetting = 'REMORA_ELASTICSEARCH_URL'

/**
 * @param certificate    what the server showed, where TLS was the trouble
 * @param authoritiesSet REMORA_CA_FILE is given
 * @param deadlineMs     how long was waited at most
 */
export function unreachedFinding(
  url: string,
  failed: Failed,
  certificate: Certificate | undefined,
  authoritiesSet: boolean,
  deadlineMs: number,
): Trouble {
  const [text, wayOut] = networkTrouble(url, failed, deadlineMs) ??
    protocolTrouble(url, failed) ??
    certificateTrouble(url, failed, certificate, authoritiesSet) ?? [
      `cannot be reached: ${failed.message} (${failed.code || 'no code'})`,
      `Check ${urlSetting} and the network`,
    ]
  return error(`${url}: ${text}`, wayOut)
}

function networkTrouble(url: string, { code, connected }: Failed, deadlineMs: number): Explained | undefined {
  const { hostname, port, protocol } = new URL(url)
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
        `the connection is refused: nothing listens on port ${at}`,
        `Start Elasticsearch, or correct host and port in ${urlSetting} (the usual port is 9200)`,
      ]
    }
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return [`there is no route to ${hostname}`, `Check the network, and the address in ${urlSetting}`]
    case 'ETIMEDOUT':
    case 'TIMEOUT':
      return connected
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
function protocolTrouble(url: string, { code, message, connected }: Failed): Explained | undefined {
  const secure = url.startsWith('https:')
  if (
    secure &&
    /wrong.version.number|packet.length.too.long|unknown.protocol|http.request/i.test(`${code} ${message}`)
  ) {
    return ['it does not speak TLS', `Write http:// in ${urlSetting} if this Elasticsearch is meant to be without TLS`]
  }
  if (code.startsWith('HPE_')) {
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
  { code, message }: Failed,
  certificate: Certificate | undefined,
  authoritiesSet: boolean,
): Explained | undefined {
  const { hostname } = new URL(url)
  if (unknownAuthority.has(code)) {
    const issuer = certificate === undefined || certificate.issuer === '' ? '' : ` "${certificate.issuer}"`
    const who =
      code === 'DEPTH_ZERO_SELF_SIGNED_CERT'
        ? 'its certificate is self-signed'
        : `its certificate is from an authority${issuer} that is not known here`
    return authoritiesSet
      ? [
          `TLS: ${who}: not one of those in ${caFile}`,
          `Put the certificate of the authority that signed it into ${caFile}`,
        ]
      : [`TLS: ${who}`, `Set ${caFile} to a PEM file with that authority's certificate (http_ca.crt of Elasticsearch)`]
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = certificate?.names.replaceAll(/DNS:|IP Address:/g, '') ?? ''
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
  if (/CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE|ALERT_BAD_CERTIFICATE/.test(code)) {
    return [
      `TLS: it ended the handshake (${code}); it may ask for a client certificate, which this version of Remora cannot show`,
      'Let this client in with an API key instead: xpack.security.http.ssl.client_authentication: optional',
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
