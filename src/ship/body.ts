import { assert } from '../base/errors.ts'

const newline = 10

/** End of the document that begins at `from`: an action line and a source line, neither with a newline inside. */
export function documentEnd(body: Buffer, from: number): number {
  return body.indexOf(newline, body.indexOf(newline, from) + 1) + 1
}

/**
 * Moves the chosen documents of `[from, to)` to its start, in their order.
 *
 * @param keep  for each document by position
 * @returns     where they end now
 */
export function pack(body: Buffer, from: number, to: number, keep: readonly boolean[]): number {
  let at = from
  let end = from
  for (const kept of keep) {
    const next = documentEnd(body, at)
    assert(next > at && next <= to, 'a batch is whole documents')
    if (kept) {
      if (end !== at) body.copyWithin(end, at, next)
      end += next - at
    }
    at = next
  }
  assert(at === to, 'a verdict for each document')
  return end
}

/** The document that begins at `from`: its action and its source, without their newlines. */
export function documentAt(body: Buffer, from: number): { action: string; source: string } {
  const middle = body.indexOf(newline, from)
  return {
    action: body.toString('utf8', from, middle),
    source: body.toString('utf8', middle + 1, documentEnd(body, from) - 1),
  }
}

/** The `_id` of each document of `[from, to)`. */
export function idsOf(body: Buffer, from: number, to: number): string[] {
  const ids: string[] = []
  for (let at = from; at < to; at = documentEnd(body, at)) {
    const action = JSON.parse(body.toString('utf8', at, body.indexOf(newline, at))) as { create: { _id: string } }
    // oxlint-disable-next-line no-underscore-dangle -- Elasticsearch's own name
    ids.push(action.create._id)
  }
  return ids
}
