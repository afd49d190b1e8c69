import { connect } from 'node:tls'

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

/**
 * Looks at the certificate that was refused, in order to say what is wrong with it. Nothing is sent on this connection.
 * Undefined when there is none to be had.
 */
export function certificateOf(url: string, deadline: AbortSignal): Promise<Certificate | undefined> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return new Promise((resolve) => {
    const isName = /[a-z]/i.test(host) && !host.includes(':')
    const socket = connect({
      host,
      port: Number(port || 443),
      rejectUnauthorized: false,
      ...(isName && { servername: host }),
    })
    const finish = (certificate?: Certificate) => {
      deadline.removeEventListener('abort', giveUp)
      socket.destroy()
      resolve(certificate)
    }
    const giveUp = () => finish()
    deadline.addEventListener('abort', giveUp)
    socket.on('error', giveUp)
    socket.on('secureConnect', () => {
      const { subject, issuer, subjectaltname = '', valid_from, valid_to } = socket.getPeerCertificate()
      if (valid_to === undefined) return finish()
      const nameOf = (of: typeof subject | undefined) => [of?.CN ?? of?.O ?? ''].flat().join(' ')
      finish({
        subject: nameOf(subject),
        issuer: nameOf(issuer),
        names: subjectaltname,
        validFrom: valid_from,
        validTo: valid_to,
      })
    })
  })
}
