/**
 * What Elasticsearch 9 answers, byte for byte, made without work per document: the items are a view of one buffer that
 * holds nothing but items. Source: Elasticsearch reference, "Bulk API" and "Common options", response filtering.
 */
const opening = Buffer.from('{"errors":false,"items":[')
const closing = Buffer.from(']}')
const item = '{"create":{"status":201}},'
const itemsAtOnceMax = 1 << 16
const items = Buffer.from(item.repeat(itemsAtOnceMax))

/** The body for so many documents that were all created, in pieces to be written in order, and its length. */
export function bulkAnswer(documents: number): { pieces: Buffer[]; bytes: number } {
  const itemsBytes = Math.max(0, documents * item.length - 1)
  const pieces = [opening]
  for (let left = itemsBytes; left > 0; left -= items.length)
    pieces.push(items.subarray(0, Math.min(left, items.length)))
  pieces.push(closing)
  return { pieces, bytes: opening.length + itemsBytes + closing.length }
}

/** Documents by their places, ascending, that are answered otherwise than the others. */
export interface Exceptions {
  /** There already under their `_id`. */
  readonly conflicts: readonly number[]
  /** Not taken, for a write queue is full. */
  readonly refused: readonly number[]
}

const conflictResult = '{"status":409,"error":{"type":"version_conflict_engine_exception"}}'
const refusedResult = '{"status":429,"error":{"type":"es_rejected_execution_exception"}}'

/** The same with some that were not created. Source: Elasticsearch reference, "Bulk API", response body. */
export function partialAnswer(
  documents: number,
  action: 'create' | 'index',
  { conflicts, refused }: Exceptions,
): { pieces: Buffer[]; bytes: number } {
  const created = `{"${action}":{"status":201}},`
  const others = [
    ...conflicts.map((place) => [place, conflictResult] as const),
    ...refused.map((place) => [place, refusedResult] as const),
  ].toSorted(([a], [b]) => a - b)
  const parts: string[] = []
  let at = 0
  for (const [place, result] of others) {
    parts.push(created.repeat(place - at), `{"${action}":${result}},`)
    at = place + 1
  }
  parts.push(created.repeat(documents - at))
  const body = Buffer.from(`{"errors":true,"items":[${parts.join('').slice(0, -1)}]}`)
  return { pieces: [body], bytes: body.length }
}

/** The answer to `index` actions, which put a document in the place of the one that is there. */
export function indexAnswer(documents: number): { pieces: Buffer[]; bytes: number } {
  const one = '{"index":{"status":201}},'
  const body = Buffer.from(`{"errors":false,"items":[${one.repeat(documents).slice(0, -1)}]}`)
  return { pieces: [body], bytes: body.length }
}

/** What a server with too much to do says. Source: Elasticsearch reference, "Thread pools", a full write queue. */
export const refusalBody = JSON.stringify({
  error: { root_cause: [{ type: 'es_rejected_execution_exception' }], type: 'es_rejected_execution_exception' },
  status: 429,
})

/** Status line and headers, for a body of `bytes`. */
export function answerHead(status: string, bytes: number): string {
  return `HTTP/1.1 ${status}\r\nX-Elastic-Product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`
}

/** `GET /` as 9.5.3 answers it. */
export const infoBody = `${JSON.stringify({
  name: 'null-sink',
  cluster_name: 'remora-bench',
  cluster_uuid: 'bWVhc3VyZS1vbmUtdGhpbmc',
  version: {
    number: '9.5.3',
    build_flavor: 'default',
    build_type: 'docker',
    build_hash: '0000000000000000000000000000000000000000',
    build_date: '2026-10-01T00:00:00.000000000Z',
    build_snapshot: false,
    lucene_version: '10.4.0',
    minimum_wire_compatibility_version: '8.19.0',
    minimum_index_compatibility_version: '8.0.0',
  },
  tagline: 'You Know, for Search',
})}\n`
