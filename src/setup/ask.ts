import { errors, type Client } from '@elastic/elasticsearch'
import { limits } from '../base/limits.ts'
import { explain, jsonHeaders, redaction } from '../ship/transport.ts'

/** What came of one question, or of one order. */
export type Reply =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  /** No answer, or none of Elasticsearch. */
  | { readonly kind: 'failed'; readonly message: string }

export type Ask = (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) => Promise<Reply>

/** Asks through the client of the agent, with its addresses, credentials and certificates. */
export function askOver(client: Client, timeoutMs: number): Ask {
  return async (method, path, body) => {
    try {
      const reply = await client.transport.request(
        { method, path, body: body as Record<string, unknown> },
        {
          meta: true,
          headers: body === undefined ? { accept: jsonHeaders.accept } : jsonHeaders,
          requestTimeout: timeoutMs,
          maxResponseSize: limits.setupAnswerBytesMax,
          redaction,
        },
      )
      return { kind: 'answered', status: reply.statusCode, body: reply.body }
    } catch (error) {
      if (!(error instanceof errors.ResponseError)) return { kind: 'failed', message: explain(error) }
      return { kind: 'answered', status: error.statusCode ?? 0, body: error.body }
    }
  }
}
