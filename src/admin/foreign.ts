import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'

/** Names that nobody outside can have pointed here. */
const within = /^(?:localhost|[^.]+|.+\.(?:localhost|svc|cluster\.local|internal))\.?$/i

/**
 * Whether a browser asks on behalf of a page that calls this port by a name of its own (DNS rebinding): to the browser both are
 * one site then, and no other header keeps the answer from that page. Only browsers name the languages of a person; whoever
 * scrapes may use any name. Source: RFC 9110, 7.4 ("Rejecting Misdirected Requests").
 */
export function isOfForeignPage({ host = '', ...headers }: IncomingHttpHeaders): boolean {
  if (headers['accept-language'] === undefined && headers.origin === undefined) return false
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
  return isIP(name) === 0 && !within.test(name)
}
