import { limits } from '../base/limits.ts'
import type { Connections } from './connections.ts'
import { Exchanger } from './exchange.ts'
import { readJson } from './json.ts'
import { jsonHeaders } from './transport.ts'
import { isMissing, readAlias, readErrorType, readFound, readResolved } from './write-index.ts'

/** What came of a question. */
export type Asked<T> =
  | { readonly kind: 'answered'; readonly value: T }
  /** The server will not tell: a privilege is missing, or it does not know the question. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Not now: no answer, too much to do, or a shard that is not started, as that of an index just made. */
  | { readonly kind: 'failed'; readonly state: 'unreachable' | 'overloaded' | 'unready'; readonly message: string }

/** What the server has already. */
export interface Lookup {
  /** The concrete indices behind the target, the one that is written to last; none when there is no target yet. */
  indices(signal: AbortSignal): Promise<Asked<readonly string[]>>
  /** For each id whether the index has it; an index that is gone has none. At most `limits.lookupIdsMax` ids. */
  present(index: string, ids: readonly string[], signal: AbortSignal): Promise<Asked<readonly boolean[]>>
}

/** Of documents that an index will not tell of before somebody changes it. */
const closed = new Set(['index_closed_exception', 'security_exception'])

type Reply = { readonly status: number; readonly body: unknown }

/**
 * Asks Elasticsearch. Sources: its reference, "Resolve index API", "Get alias API", "Multi get API" (realtime: sees what is not refreshed).
 *
 * @param routing  of all documents: what was routed is found under its routing only
 */
export function makeLookup(connections: Connections, target: string, timeoutMs: number, routing?: string): Lookup {
  const exchanger = new Exchanger(connections, timeoutMs)

  /** @param mayTellNothing  a 200 in which `read` finds nothing may be the server's all the same, not somebody else's */
  async function ask<T>(
    request: { method: string; path: string; querystring?: Record<string, string>; body?: unknown },
    signal: AbortSignal,
    read: (reply: Reply) => T | undefined,
    mayTellNothing = false,
  ): Promise<Asked<T>> {
    const { method, path, querystring, body: content } = request
    const headers = content === undefined ? { accept: jsonHeaders.accept } : jsonHeaders
    const payload = content === undefined ? undefined : Buffer.from(JSON.stringify(content))
    const replied = await exchanger.exchange(
      { method, path, querystring, headers },
      () => payload && { content: payload, release: () => undefined },
      (_head, stream) => readJson(stream, limits.lookupAnswerBytesMax),
      signal,
    )
    if (replied.kind === 'failed') return { kind: 'failed', state: 'unreachable', message: replied.message }
    const reply: Reply = { status: replied.status, body: replied.value }
    const value = read(reply)
    if (value !== undefined) return { kind: 'answered', value }
    const { status, body } = reply
    // Elasticsearch never says nothing: whoever is in between lost the answer.
    if (status === 200 && (body === null || typeof body !== 'object')) {
      return { kind: 'failed', state: 'unreachable', message: `${request.method} ${request.path} is answered nothing` }
    }
    const type = readErrorType(body)
    const why = `${request.method} ${request.path} is answered ${status} ${type}`.trimEnd()
    if (status === 408 || status === 429 || (status >= 500 && status !== 501)) {
      return { kind: 'failed', state: 'overloaded', message: why }
    }
    if (status === 200 && type !== '' && !closed.has(type)) return { kind: 'failed', state: 'unready', message: why }
    if (status === 200 && type === '' && !(mayTellNothing && typeof body === 'object')) {
      return { kind: 'failed', state: 'unreachable', message: `${why} by something that is no such server` }
    }
    return { kind: 'refused', why }
  }

  function resolve(name: string, signal: AbortSignal) {
    const path = `/_resolve/index/${encodeURIComponent(name)}`
    // Not filtered: a filter drops the empty lists that say that there is no target.
    return ask({ method: 'GET', path }, signal, ({ status, body }) => {
      if (status === 404 && isMissing(body)) return { indices: [], alias: false }
      return status === 200 ? readResolved(body) : undefined
    })
  }

  return {
    async indices(signal) {
      const resolved = await resolve(target, signal)
      if (resolved.kind !== 'answered') return resolved
      const { indices, alias } = resolved.value
      if (!alias || indices.length === 1) return { kind: 'answered', value: indices }
      const path = `/_alias/${encodeURIComponent(target)}`
      const read = ({ status, body }: Reply) => (status === 200 ? readAlias(body, target) : undefined)
      const written = await ask({ method: 'GET', path }, signal, read, true)
      if (written.kind !== 'answered') return written
      if (indices.includes(written.value)) {
        return { kind: 'answered', value: [...indices.filter((index) => index !== written.value), written.value] }
      }
      // A data stream behind an alias.
      const stream = await resolve(written.value, signal)
      return stream.kind === 'answered' ? { kind: 'answered', value: stream.value.indices } : stream
    },

    present(index, ids, signal) {
      const path = `/${encodeURIComponent(index)}/_mget`
      const querystring = {
        _source: 'false',
        filter_path: 'docs.found,docs.error.type,error.type',
        ...(routing !== undefined && { routing }),
      }
      return ask({ method: 'POST', path, querystring, body: { ids } }, signal, ({ status, body }) =>
        status === 200 ? readFound(body, ids.length) : undefined,
      )
    },
  }
}
