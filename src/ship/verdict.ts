/**
 * What a document's or a request's answer means. Sources: Elasticsearch reference, "Bulk API", response body; and the
 * answers of real servers in `test/ship/answers.json`.
 *
 * - `done`: it is there
 * - `again`: the server could not, now
 * - `refused`: this document will never be taken
 * - `hold`: the target is not as it must be; someone has to mend it, and nothing is given up meanwhile
 */
export type Verdict = 'done' | 'again' | 'refused' | 'hold'

/** Types that blame the document. */
const documentErrors = new Set([
  'document_parsing_exception',
  'mapper_parsing_exception',
  'strict_dynamic_mapping_exception',
  'parsing_exception',
])

/** Types that blame the target even when other documents of the same request passed. */
const targetErrors = new Set([
  'index_closed_exception',
  'cluster_block_exception',
  'index_not_found_exception',
  'security_exception',
  'unavailable_shards_exception',
  'validation_exception',
  'invalid_index_name_exception',
  'routing_missing_exception',
])

/**
 * Elasticsearch 7 and OpenSearch give one type to a missing pipeline and to a value that no index takes; the words tell.
 * Sources: `IndexingChain` of Lucene, `MapperService` of Elasticsearch.
 */
const documentReasons = /immense term|Limit of (?:total fields|mapping depth|nested)/

/** Whether the reason blames the document although its type does not say so. */
export function blamesDocument(reason: string | undefined): boolean {
  return reason !== undefined && documentReasons.test(reason)
}

/** The document is in the index. 409: it was there already, under its id, which only the same line has. */
export function isThere(status: number): boolean {
  return status === 409 || (status >= 200 && status < 300)
}

/**
 * @param othersPassed  other documents of the same request were taken: then a type that nobody knows blames the document
 */
export function verdictOf(status: number, errorType: string, othersPassed: boolean): Verdict {
  if (isThere(status)) return 'done'
  if (isBlocked(status, errorType)) return 'hold'
  if (status === 429 || status >= 500) return 'again'
  if (status !== 400 || targetErrors.has(errorType)) return 'hold'
  return documentErrors.has(errorType) || othersPassed ? 'refused' : 'hold'
}

/** The disk of a node is all but full: 429, but no matter of load. It is lifted when somebody has made room. */
function isBlocked(status: number, errorType: string): boolean {
  return status === 429 && errorType === 'cluster_block_exception'
}

/** What an answer to a whole request means when it is not a list of items; `split`: too large, try in halves. */
export type RequestVerdict = 'again' | 'hold' | 'split'

export function requestVerdictOf(status: number, errorType = ''): RequestVerdict {
  if (isBlocked(status, errorType)) return 'hold'
  if (status === 413) return 'split'
  if (status === 408 || status === 429 || status >= 500) return 'again'
  return 'hold'
}

/** Statuses of a server that has not taken anything: it did not let us in, or did not want to read the body. */
const untouched = new Set([401, 403, 404, 405, 406, 413, 415])

/**
 * Whether some documents of a request may be there although it was answered with this status as a whole: a proxy that
 * lost patience (502, 504), or Elasticsearch itself, which may index a part of a bulk that it then refuses (429; seen on 9.5).
 */
export function mayHaveTaken(status: number): boolean {
  return !untouched.has(status)
}
