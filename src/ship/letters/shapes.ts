/** A letter as a document to be sent: as it was, or as a document about itself. Pure. */
import { isObject, type Letter } from './letter.ts'
import type { Outbound } from './sending.ts'

export interface Readdressed {
  /** Instead of the target that it was sent to. */
  readonly index?: string | undefined
  /** Ingest pipeline that it passes through. */
  readonly pipeline?: string | undefined
}

/** What `create` takes in an action line, besides the two that a replay may change. Source: Elasticsearch reference, "Bulk API". */
const kept = ['_id', 'routing', 'require_alias', 'require_data_stream', 'dynamic_templates', 'list_executed_pipelines']

/**
 * The document as it was refused.
 *
 * @returns undefined when somebody has made something else of its two lines: they could be a request of their own
 */
export function again(letter: Letter, { index, pipeline }: Readdressed): Outbound | undefined {
  const create = createIn(letter.action)
  if (create === undefined || !isDocument(letter.source)) return undefined
  const fields: Record<string, unknown> = {}
  for (const name of kept) if (create[name] !== undefined) fields[name] = create[name]
  if (index === undefined && create['_index'] !== undefined) fields['_index'] = create['_index']
  const through = pipeline ?? create['pipeline']
  if (through !== undefined) fields['pipeline'] = through
  return {
    target: index ?? letter.target,
    action: JSON.stringify({ create: fields }),
    source: letter.source,
    hasId: typeof create['_id'] === 'string',
  }
}

/** A document that says what was refused and why, by ECS names. Its id is that of the refused one: once, however often it is sent. */
export function asReport(letter: Letter, index: string): Outbound | undefined {
  const { at, status, type, reason, target, path, offset, action, source } = letter
  const id = createIn(action)?.['_id']
  const report = {
    '@timestamp': at,
    message: source,
    event: { kind: 'pipeline_error', module: 'remora' },
    error: { type: type === '' ? String(status) : type, ...(reason !== undefined && { message: reason }) },
    http: { response: { status_code: status } },
    labels: { target },
    ...(path !== undefined && { log: { file: { path }, ...(offset !== undefined && { offset }) } }),
  }
  const hasId = typeof id === 'string'
  return {
    target: index,
    action: JSON.stringify({ create: hasId ? { _id: id } : {} }),
    source: JSON.stringify(report),
    hasId,
  }
}

/** The `_id` that it has, or empty. */
export function idOf(letter: Letter): string {
  const id = createIn(letter.action)?.['_id']
  return typeof id === 'string' ? id : ''
}

function createIn(action: string): Record<string, unknown> | undefined {
  const value = parse(action)
  const create = isObject(value) && Object.keys(value).length === 1 ? value['create'] : undefined
  return isObject(create) ? create : undefined
}

function isDocument(source: string): boolean {
  return !/[\n\r]/.test(source) && isObject(parse(source))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
