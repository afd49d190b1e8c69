import { type Failure, illegalArgument, validationFailed } from './bulk-server-errors.ts'
import { type JsonValue, NumberLiteral, isObject, parseJson } from './bulk-server-json.ts'

export type ActionName = 'create' | 'index' | 'delete' | 'update'

/** One action of a bulk body with what belongs to it. */
export interface Operation {
  readonly action: ActionName
  readonly index: string
  /** Undefined: the server makes one. */
  readonly id: string | undefined
  readonly routing: string | undefined
  readonly pipeline: string | undefined
  readonly requireAlias: boolean
  readonly requireDataStream: boolean
  /** The document's line as it came, empty for a delete. A view of the body. */
  readonly source: Buffer
}

/** What the request's path and parameters say for actions that do not say it themselves. */
export interface OperationDefaults {
  readonly index: string | undefined
  readonly routing?: string | undefined
  readonly pipeline?: string | undefined
  readonly requireAlias?: boolean
  readonly requireDataStream?: boolean
}

/** Source: Elasticsearch reference, "Bulk API", and the answers of 9.5 that the tests replay. */
const idBytesMax = 512
const newline = 0x0a
const noBytes = Buffer.alloc(0)
const actionNames: readonly ActionName[] = ['create', 'index', 'delete', 'update']
const texts = ['_index', '_id', 'routing', 'pipeline', 'op_type', 'version_type'] as const
const integers = ['version', 'if_seq_no', 'if_primary_term', 'retry_on_conflict'] as const
const booleans = ['require_alias', 'require_data_stream', 'list_executed_pipelines'] as const
const anything = ['_source', 'dynamic_templates'] as const

/**
 * Splits a bulk body into its operations, or says why Elasticsearch would refuse the whole request. Like Elasticsearch
 * it skips blank lines where an action is due, and forgets an action whose document line is missing at the end.
 */
export function parseBulk(body: Buffer, defaults: OperationDefaults): readonly Operation[] | Failure {
  const operations: Operation[] = []
  let at = 0
  for (let line = 1; at < body.length; line++) {
    let end = body.indexOf(newline, at)
    if (end < 0) return illegalArgument('The bulk request must be terminated by a newline [\\n]')
    const action = parseAction(body.subarray(at, end), line, defaults)
    at = end + 1
    if (action === undefined) continue
    if ('status' in action) return action
    let source: Buffer = noBytes
    if (action.action !== 'delete') {
      end = body.indexOf(newline, at)
      if (end < 0 && at < body.length) return illegalArgument('The bulk request must be terminated by a newline [\\n]')
      if (end < 0) break
      line++
      source = body.subarray(at, end)
      at = end + 1
    }
    operations.push({ ...action, source })
  }
  return operations.length === 0 ? validationFailed('no requests added') : operations
}

type Action = Omit<Operation, 'source'>

/** Undefined for a blank line. */
function parseAction(bytes: Buffer, line: number, defaults: OperationDefaults): Action | Failure | undefined {
  const result = parseJson(bytes)
  if ('fault' in result) {
    const { kind, reason } = result.fault
    if (kind === 'empty') return undefined
    if (kind === 'extra') return malformed(line, 'unexpected data after the closing brace')
    const type = kind === 'end' ? 'x_content_e_o_f_exception' : 'x_content_parse_exception'
    return { status: 400, type, reason }
  }
  if (!isObject(result.value)) return malformed(line, `expected START_OBJECT but found [${tokenOf(result.value)}]`)
  const [first, second] = Object.entries(result.value)
  if (first === undefined) return malformed(line, 'expected FIELD_NAME but found [END_OBJECT]')
  const [name, parameters] = first
  const action = actionNames.find((known) => known === name)
  if (action === undefined) {
    return malformed(line, `expected field [create], [delete], [index] or [update] but found [${name}]`)
  }
  if (!isObject(parameters)) {
    return malformed(line, `expected START_OBJECT or END_OBJECT but found [${tokenOf(parameters)}]`)
  }
  if (second !== undefined) return malformed(line, 'expected END_OBJECT but found [FIELD_NAME]')
  const read = readParameters(parameters, line)
  return read instanceof Map ? actionOf(action, read, defaults) : read
}

/** The parameters as strings, less those that are null: Elasticsearch skips a null, even one with an unknown name. */
function readParameters(parameters: { [name: string]: JsonValue }, line: number): Map<string, string> | Failure {
  const read = new Map<string, string>()
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null || has(anything, name)) continue
    if (isObject(value) || Array.isArray(value)) {
      return malformed(line, `expected a simple value for field [${name}] but found [${tokenOf(value)}]`)
    }
    const text = value instanceof NumberLiteral ? value.text : String(value)
    if (has(integers, name)) {
      if (!/^[+-]?\d+$/.test(text)) return illegalArgument(`For input string: "${text}"`)
    } else if (has(booleans, name)) {
      if (text !== 'true' && text !== 'false') return illegalArgument(notBoolean(text))
    } else if (!has(texts, name)) {
      return illegalArgument(`Action/metadata line [${line}] contains an unknown parameter [${name}]`)
    }
    read.set(name, text)
  }
  return read
}

function actionOf(name: ActionName, read: ReadonlyMap<string, string>, defaults: OperationDefaults): Action | Failure {
  const action = name === 'index' && read.get('op_type') === 'create' ? 'create' : name
  const index = read.get('_index') ?? defaults.index
  const id = read.get('_id')
  if (index === undefined) return validationFailed('index is missing')
  if ((action === 'delete' || action === 'update') && id === undefined) return validationFailed('id is missing')
  const idBytes = Buffer.byteLength(id ?? '')
  if (idBytes > idBytesMax) {
    return validationFailed(`id [${id}] is too long, must be no longer than ${idBytesMax} bytes but was: ${idBytes}`)
  }
  const complaint = action === 'create' ? versionComplaint(read) : undefined
  if (complaint !== undefined) return validationFailed(complaint)
  const flag = (parameter: (typeof booleans)[number], otherwise: boolean | undefined) =>
    (read.get(parameter) ?? String(otherwise)) === 'true'
  return {
    action,
    index,
    id,
    routing: read.get('routing') ?? defaults.routing,
    pipeline: read.get('pipeline') ?? defaults.pipeline,
    requireAlias: flag('require_alias', defaults.requireAlias),
    requireDataStream: flag('require_data_stream', defaults.requireDataStream),
  }
}

function versionComplaint(read: ReadonlyMap<string, string>): string | undefined {
  if ((read.get('version_type') ?? 'internal') !== 'internal') {
    return 'create operations only support internal versioning. use index instead'
  }
  if (read.has('version')) return 'create operations do not support explicit versions. use index instead'
  const compares = read.has('if_seq_no') || read.has('if_primary_term')
  return compares ? 'create operations do not support compare and set. use index instead' : undefined
}

export function notBoolean(text: string): string {
  return `Failed to parse value [${text}] as only [true] or [false] are allowed.`
}

function malformed(line: number, complaint: string): Failure {
  return illegalArgument(`Malformed action/metadata line [${line}], ${complaint}`)
}

function has(names: readonly string[], name: string): boolean {
  return names.includes(name)
}

function tokenOf(value: JsonValue): string {
  if (value === null) return 'VALUE_NULL'
  if (Array.isArray(value)) return 'START_ARRAY'
  if (typeof value === 'string') return 'VALUE_STRING'
  if (typeof value === 'boolean') return 'VALUE_BOOLEAN'
  return isObject(value) ? 'START_OBJECT' : 'VALUE_NUMBER'
}
