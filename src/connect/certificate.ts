import type { TLSSocket } from 'node:tls'

/** What a server showed of itself; nobody has vouched for it. */
export interface Certificate {
  readonly subject: string
  readonly issuer: string
  /** `DNS:es, IP Address:10.0.0.1` */
  readonly names: string
  /** As OpenSSL writes it: `Nov 23 03:42:00 2026 GMT`. */
  readonly validFrom: string
  readonly validTo: string
}

/** The certificates that were shown to us and refused, by the error that says so. */
const refused = new WeakMap<Error, Certificate>()

/** Undefined when the error is about something else. */
export function refusedCertificate(error: unknown): Certificate | undefined {
  return error instanceof Error ? refused.get(error) : undefined
}

/**
 * Remembers what the server shows, in order to say what is wrong with it: when the error comes, the connection is gone.
 * Looks between the end of the handshake (`secure`, which Node's own verification listens to) and that verification.
 */
export function watchCertificate(socket: TLSSocket): void {
  let shown: Certificate | undefined
  socket.prependOnceListener('secure', () => (shown = certificateOf(socket)))
  socket.prependListener('error', (error: Error) => {
    if (shown !== undefined) refused.set(error, shown)
  })
}

function certificateOf(socket: TLSSocket): Certificate | undefined {
  const certificate = socket.getPeerCertificate()
  // Without a certificate Node returns an empty object, or none.
  const { subject, issuer, subjectaltname = '', valid_from, valid_to } = certificate ?? {}
  if (valid_from === undefined || valid_to === undefined) return undefined
  const nameOf = (of: typeof subject | undefined) => [of?.CN ?? of?.O ?? ''].flat().join(' ').slice(0, 200)
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    names: subjectaltname.slice(0, 300),
    validFrom: valid_from,
    validTo: valid_to,
  }
}
