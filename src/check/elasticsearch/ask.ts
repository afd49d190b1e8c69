/** The thin part: one question to one address, and whatever comes back. Decides nothing. */
import http, { type IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import { codeOf, messageOf } from '../../base/errors.ts'

export interface Answered {
  readonly kind: 'answered'
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The first MiB, as UTF-8. */
  readonly body: string
}

export interface Failed {
  readonly kind: 'failed'
  /** Of Node or OpenSSL (`ECONNREFUSED`, `CERT_HAS_EXPIRED`); `TIMEOUT` when the deadline passed. */
  readonly code: string
  readonly message: string
  /** Whether a connection was there: TCP, and TLS where it is asked for. */
  readonly connected: boolean
}

export type Asked = Answered | Failed

export interface Access {
  readonly apiKey: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  /** PEM text of REMORA_CA_FILE; undefined: the public authorities. */
  readonly ca: string | undefined
}

export type Ask = (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Asked>

const bodyBytesMax = 1024 * 1024

/**
 * Asks with the credentials and the headers that the agent sends, without its client: that says neither which
 * certificate was wrong nor what answered in the place of Elasticsearch, and needs 25 MiB beside a running agent.
 *
 * @param url       of the settings, perhaps with a path
 * @param deadline  for all questions together
 */
export function askerOf(url: string, access: Access, deadline: AbortSignal): Ask {
  return (method, path, body) => send(url, access, deadline, method, path, body)
}

function send(
  url: string,
  access: Access,
  signal: AbortSignal,
  method: string,
  path: string,
  body: unknown,
): Promise<Asked> {
  const { promise, resolve } = Promise.withResolvers<Asked>()
  let connected = false
  const fail = (error: unknown) => {
    const code = signal.aborted ? 'TIMEOUT' : codeOf(error)
    resolve({ kind: 'failed', code, message: messageOf(error), connected })
  }
  const secure = url.startsWith('https:')
  const payload = body === undefined ? undefined : JSON.stringify(body)
  try {
    const request = (secure ? https : http).request(`${url}${path}`, {
      method,
      // No agent: neither a proxy of the environment nor a connection of the question before.
      agent: false,
      signal,
      headers: headersOf(access, payload),
      ...(secure && access.ca !== undefined && { ca: access.ca }),
    })
    request.on('socket', (socket) => socket.on(secure ? 'secureConnect' : 'connect', () => (connected = true)))
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
  return promise
}

function headersOf({ apiKey, username, password }: Access, payload: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (payload !== undefined) {
    headers['content-type'] = 'application/json'
    headers['content-length'] = String(Buffer.byteLength(payload))
  }
  if (apiKey !== undefined) headers['authorization'] = `ApiKey ${apiKey}`
  else if (username !== undefined) {
    headers['authorization'] = `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  }
  return headers
}
