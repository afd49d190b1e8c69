/** An error as Elasticsearch words it, for one item of a bulk answer or for a whole request. */
export interface Failure {
  readonly status: number
  readonly type: string
  readonly reason: string
  /** What Elasticsearch adds after the reason: `index_uuid`, `shard`, `index`, `caused_by`. */
  readonly more?: Readonly<Record<string, unknown>>
}

export function illegalArgument(reason: string): Failure {
  return { status: 400, type: 'illegal_argument_exception', reason }
}

/** A failed validation of the whole request; Elasticsearch numbers the complaints, this server stops at the first. */
export function validationFailed(complaint: string): Failure {
  return { status: 400, type: 'action_request_validation_exception', reason: `Validation Failed: 1: ${complaint};` }
}

/** A document that cannot be indexed; `cause` becomes `caused_by`. */
export function badDocument(reason: string, cause?: { type: string; reason: string }): Failure {
  const failure = { status: 400, type: 'document_parsing_exception', reason }
  return cause === undefined ? failure : { ...failure, more: { caused_by: cause } }
}

export function indexNotFound(index: string, reason = `no such index [${index}]`): Failure {
  const more = { 'resource.type': 'index_or_alias', 'resource.id': index, index_uuid: '_na_', index }
  return { status: 404, type: 'index_not_found_exception', reason, more }
}

/** The `error` of one item. */
export function itemError(failure: Failure): Record<string, unknown> {
  return { type: failure.type, reason: failure.reason, ...failure.more }
}

/** The body of a request that failed as a whole. `filter_path` does not apply to it. */
export function wholeError(failure: Failure): string {
  const { caused_by: cause, ...more } = failure.more ?? {}
  const error = { type: failure.type, reason: failure.reason, ...more }
  const tail = cause === undefined ? {} : { caused_by: cause }
  return JSON.stringify({ error: { root_cause: [error], ...error, ...tail }, status: failure.status })
}
