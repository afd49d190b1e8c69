import { notBoolean, type OperationDefaults } from './bulk-server-actions.ts'
import { type Failure, illegalArgument } from './bulk-server-errors.ts'

/** Says what is wrong with a parameter's value, or undefined. */
type Check = (value: string) => string | undefined

const anyValue: Check = () => undefined
const boolean: Check = (value) => (['', 'true', 'false'].includes(value) ? undefined : notBoolean(value))
const refresh: Check = (value) =>
  ['', 'true', 'false', 'wait_for'].includes(value) ? undefined : `Unknown value for refresh: [${value}].`
const duration: Check = (value) =>
  /^(\d+(nanos|micros|ms|s|m|h|d)|-1|0)$/.test(value)
    ? undefined
    : `failed to parse setting [timeout] with value [${value}] as a time value: unit is missing or unrecognized`
const shards: Check = (value) => (/^(all|\d+)$/.test(value) ? undefined : `cannot parse ActiveShardCount[${value}]`)

/** Source: Elasticsearch reference, "Common options". */
const common: Readonly<Record<string, Check>> = {
  pretty: boolean,
  human: boolean,
  error_trace: boolean,
  filter_path: anyValue,
}

/** Source: Elasticsearch reference, "Bulk API", query parameters. */
const ofBulk: Readonly<Record<string, Check>> = {
  refresh,
  timeout: duration,
  wait_for_active_shards: shards,
  routing: anyValue,
  pipeline: anyValue,
  require_alias: boolean,
  require_data_stream: boolean,
  list_executed_pipelines: boolean,
  include_source_on_error: boolean,
  _source: anyValue,
  _source_includes: anyValue,
  _source_excludes: anyValue,
}

/** Parameters of index lookups that make no difference here. */
const ofLookup: Readonly<Record<string, Check>> = {
  allow_no_indices: boolean,
  expand_wildcards: anyValue,
  local: boolean,
  timeout: duration,
  master_timeout: duration,
  wait_for_status: anyValue,
  features: anyValue,
  include_defaults: boolean,
  flat_settings: boolean,
}

export type Endpoint = 'bulk' | 'lookup' | 'root'

/** The last value of each parameter, as Elasticsearch takes it, or why the request is refused. */
export function readParameters(query: string, path: string, endpoint: Endpoint): Map<string, string> | Failure {
  const read = new Map(new URLSearchParams(query))
  const checks = { ...common, ...(endpoint === 'bulk' ? ofBulk : endpoint === 'lookup' ? ofLookup : {}) }
  for (const [name, value] of read) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (check === undefined) return illegalArgument(`request [${path}] contains unrecognized parameter: [${name}]`)
    const complaint = check(value)
    if (complaint !== undefined) return illegalArgument(complaint)
  }
  return read
}

export function operationDefaults(
  index: string | undefined,
  parameters: ReadonlyMap<string, string>,
): OperationDefaults {
  const flag = (name: string) => parameters.has(name) && parameters.get(name) !== 'false'
  return {
    index,
    routing: parameters.get('routing'),
    pipeline: parameters.get('pipeline'),
    requireAlias: flag('require_alias'),
    requireDataStream: flag('require_data_stream'),
  }
}
