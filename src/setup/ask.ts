import { limits } from '../base/limits.ts'
import type { Connections } from '../ship/connections.ts'
import { Exchanger } from '../ship/exchange.ts'
import { readJson } from '../ship/json.ts'
import { jsonHeaders } from '../ship/transport.ts'

/** What came of one question, or of one order. */
export type Reply =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  /** No answer, or none of Elasticsearch. */
  | { readonly kind: 'failed'; readonly message: string }

export type Ask = (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) => Promise<Reply>

/** Asks over the connections of the agent, with its addresses, credentials and certificates; not any more once the signal aborts. */
export function askOver(connections: Connections, timeoutMs: number, signal = new AbortController().signal): Ask {
  const exchanger = new Exchanger(connections, timeoutMs)
  return async (method, path, body) => {
    const headers = body === undefined ? { accept: jsonHeaders.accept } : jsonHeaders
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const [pathname = path, query] = path.split('?')
    const querystring = query === undefined ? undefined : Object.fromEntries(new URLSearchParams(query))
    const replied = await exchanger.exchange(
      { method, path: pathname, querystring, headers },
      () => content && { content, release: () => undefined },
      (_head, stream) => readJson(stream, limits.setupAnswerBytesMax),
      signal,
    )
    if (replied.kind === 'failed') return replied
    return { kind: 'answered', status: replied.status, body: replied.value }
  }
}
