/**
 * Trust in one certificate by its SHA-256. The server is asked for its chain on a connection that carries nothing; the
 * certificate with that fingerprint is then the only authority for the connections that carry something, which verify
 * all there is: signatures, dates and names. So the fingerprint replaces a CA file, and weakens nothing. A check of the
 * fingerprint alone would: a certificate of one's own can name any authority as its issuer, and be sent along with it.
 */
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/** A server shows more than this only to be a nuisance. */
const chainMax = 16

/** Every certificate that the server showed, its own first, as DER. */
function chainOf(socket: TLSSocket): readonly Buffer[] {
  const chain: Buffer[] = []
  let certificate = socket.getPeerCertificate(true)
  while (certificate?.raw !== undefined && chain.length < chainMax) {
    chain.push(certificate.raw)
    const next = certificate.issuerCertificate
    // The last one is its own issuer.
    if (next?.raw === undefined || next.raw.equals(certificate.raw)) break
    certificate = next
  }
  return chain
}

const sha256 = (der: Buffer) => createHash('sha256').update(der).digest('hex')

/**
 * @param socket  after its handshake, verified or not
 * @returns       the PEM text of the certificate with this fingerprint
 * @throws        `FINGERPRINT_MISMATCH`
 */
export function pinned(socket: TLSSocket, fingerprint: string): string {
  const chain = chainOf(socket)
  const found = chain.find((der) => sha256(der) === fingerprint)
  if (found !== undefined) {
    const base64 = found.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')
    return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
  }
  const shown = chain.map((der) => sha256(der)).slice(0, 3)
  throw Object.assign(new Error(shown.join(', ')), { code: 'FINGERPRINT_MISMATCH' })
}
