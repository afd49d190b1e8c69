/** The thin part: one question to one address, and whatever comes back. Decides nothing. */
import http, { type IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import { authorizationOf, type Access } from '../../connect/access.ts'
import { makeAgent } from '../../connect/agents.ts'
import { refusedCertificate, type Certificate } from '../../connect/certificate.ts'
import { failureOf, type Failure } from '../../connect/trouble.ts'

export interface Answered {
  readonly kind: 'answered'
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The first MiB, as UTF-8. */
  readonly body: string
}

export interface Failed extends Failure {
  readonly kind: 'failed'
  /** What was refused of the server's, where TLS was the trouble. */
  readonly certificate?: Certificate | undefined
}

export type Asked = Answered | Failed

export type { Access }

export type Ask = (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Asked>

const bodyBytesMax = 1024 * 1024

/**
 * Asks with the credentials, the TLS and the proxy of the agent, without its client: that says neither which
 * certificate was wrong nor what answered in the place of Elasticsearch, and needs 25 MiB beside a running agent.
 *
 * @param url       of the settings, perhaps with a path
 * @param deadline  for all questions together
 * @param mostMs    the same as a duration
 */
export function askerOf(url: string, access: Access, deadline: AbortSignal, mostMs: number): Ask {
  return (method, path, body) => send(url, access, deadline, mostMs, method, path, body)
}

function send(
  url: string,
  access: Access,
  signal: AbortSignal,
  mostMs: number,
  method: string,
  path: string,
  body: unknown,
): Promise<Asked> {
  const { promise, resolve } = Promise.withResolvers<Asked>()
  let connected = false
  const fail = (error: unknown) => {
    const failure = failureOf(error, connected)
    resolve({
      ...failure,
      kind: 'failed',
      code: signal.aborted ? 'TIMEOUT' : failure.code,
      certificate: refusedCertificate(error),
    })
  }
  const secure = url.startsWith('https:')
  const payload = body === undefined ? undefined : JSON.stringify(body)
  // One for each question: no connection of the one before.
  let agent: http.Agent | undefined
  try {
    const proxy = access.proxies?.get(url)?.url
    agent = makeAgent(url, { tls: access, proxy, connections: 1, connectTimeoutMs: mostMs })
    const request = (secure ? https : http).request(`${url}${path}`, {
      method,
      agent,
      signal,
      headers: headersOf(access, payload),
    })
    request.on('socket', (socket) => {
      if (!socket.connecting) connected = true
      else socket.once(secure ? 'secureConnect' : 'connect', () => (connected = true))
    })
    request.on('error', fail)
    request.on('response', (response) => {
      const { statusCode: status = 0, headers } = response
      const parts: Buffer[] = []
      let bytes = 0
      const finish = () => resolve({ kind: 'answered', status, headers, body: Buffer.concat(parts).toString('utf8') })
      response.on('data', (part: Buffer) => {
        parts.push(part)
        bytes += part.length
        if (bytes <= bodyBytesMax) return
        finish()
        request.destroy()
      })
      response.on('end', finish)
      response.on('error', fail)
    })
    request.end(payload)
  } catch (error) {
    // The file of authorities is read when the connection is made.
    fail(error)
  }
  return promise.finally(() => agent?.destroy())
}

function headersOf(access: Access, payload: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (payload !== undefined) {
    headers['content-type'] = 'application/json'
    headers['content-length'] = String(Buffer.byteLength(payload))
  }
  const authorization = authorizationOf(access)
  if (authorization !== undefined) headers['authorization'] = authorization
  return headers
}
