import { limits } from '../base/limits.ts'
import { errorTypeIn } from './answer.ts'

/**
 * The concrete indices behind a target, the one that is written to last; empty when there is none yet, null when nobody
 * knows. An `_id` is unique within one of them only: after a rollover the same document is taken once more.
 */
export type Indices = readonly string[] | null

/** Where documents are looked for that may be there already. */
export interface Search {
  readonly indices: readonly string[]
  /** There are more that may have them. */
  readonly cut: boolean
}

/**
 * A document went to the index that was written to then, or to one that came since; and to none of the others. So `before`
 * may be older than the first sending, never younger: what came in between is then asked for nothing. With the last name of
 * `before` an index is asked even when the target has let go of it; and a copy under another name (a shrunk one) is one that
 * came since. Not seen: a write index that was changed, and changed back.
 *
 * @param before    as known at some time before the first sending
 * @param now       as of after the last one
 * @param thorough  ask the present one too although nothing has changed: it may be rolled over between this look and the
 *                  sending. Where something has changed it is asked always: the picture is then whole.
 */
export function searchFor(target: string, before: Indices, now: readonly string[], thorough: boolean): Search {
  const newest = now.at(-1)
  const last = before?.at(-1)
  const since = before === null ? now : now.filter((index) => !before.includes(index))
  const older = new Set(last === undefined ? since : [last, ...since])
  if (newest !== undefined) older.delete(newest)
  // A plain index is never rolled over: it answers 409 by itself.
  const plain = now.length === 1 && newest === target
  if (older.size === 0 && (plain || !thorough)) return { indices: [], cut: false }
  const indices = [...older, ...(newest === undefined ? [] : [newest])].toReversed()
  return { indices: indices.slice(0, limits.lookupIndicesMax), cut: indices.length > limits.lookupIndicesMax }
}

/**
 * Reads the answer to `GET /_resolve/index/TARGET`. A data stream names its backing indices in their order, the last one
 * is written to; one alone may come as a string. An alias names its indices, not which of them is written to. Where there
 * is no target, Elasticsearch 7 and OpenSearch answer with empty lists; 8 and later with 404 (`isMissing`).
 *
 * @returns undefined when it is something else
 */
export function readResolved(
  answer: unknown,
): { readonly indices: readonly string[]; readonly alias: boolean } | undefined {
  const lists = ['indices', 'aliases', 'data_streams'].map((name) => at(answer, name))
  if (!lists.every(Array.isArray)) return undefined
  const streams = entries(answer, 'data_streams', 'backing_indices')
  const aliases = entries(answer, 'aliases', 'indices')
  const indices = [...streams, ...aliases, ...entries(answer, 'indices', 'name')]
  if (indices.length === 0 && lists.flat().length > 0) return undefined
  return { indices, alias: aliases.length > 0 }
}

/** Reads the answer to `GET /_alias/ALIAS`: the index or data stream that is written to; without one it takes no documents. */
export function readAlias(answer: unknown, alias: string): string | undefined {
  if (answer === null || typeof answer !== 'object') return undefined
  const names = Object.keys(answer)
  const writes = (name: string) => at(answer, name, 'aliases', alias, 'is_write_index') === true
  return names.find(writes) ?? (names.length === 1 ? names[0] : undefined)
}

const missing = 'index_not_found_exception'

/** Whether the answer is that there is no such index. */
export function isMissing(answer: unknown): boolean {
  return at(answer, 'error', 'type') === missing
}

/** Reads the answer to `_mget`, in the order of the ids. @returns undefined when it does not tell for each of them */
export function readFound(answer: unknown, ids: number): readonly boolean[] | undefined {
  const docs = at(answer, 'docs')
  if (!Array.isArray(docs) || docs.length !== ids) return undefined
  const found: boolean[] = []
  for (const doc of docs as unknown[]) {
    const told = at(doc, 'error', 'type') === missing ? false : at(doc, 'found')
    if (typeof told !== 'boolean') return undefined
    found.push(told)
  }
  return found
}

/** `error.type` of an answer, or of its first document that cannot be told of; empty when there is none. */
export function readErrorType(answer: unknown): string {
  const docs = at(answer, 'docs')
  const types = [
    at(answer, 'error', 'type'),
    ...(Array.isArray(docs) ? docs.map((doc) => at(doc, 'error', 'type')) : []),
  ]
  const type = types.find((each) => typeof each === 'string' && each !== missing)
  return errorTypeIn(type)
}

function at(value: unknown, ...names: readonly string[]): unknown {
  let found = value
  for (const name of names) {
    found = found !== null && typeof found === 'object' ? (found as Record<string, unknown>)[name] : undefined
  }
  return found
}

/** The texts under one key of each entry of a list: one text, or a list of them. */
function entries(answer: unknown, name: string, key: string): string[] {
  const list = at(answer, name)
  const values = Array.isArray(list) ? list.flatMap((entry) => at(entry, key)) : []
  return values.filter((value) => typeof value === 'string')
}
