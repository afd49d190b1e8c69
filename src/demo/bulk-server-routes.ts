import { type Failure, illegalArgument, indexNotFound } from './bulk-server-errors.ts'
import { type Reply, failed } from './bulk-server-http.ts'
import { type Index, type Indices, wildcard } from './bulk-server-indices.ts'
import { type Endpoint, readParameters } from './bulk-server-parameters.ts'

/** Where a request goes: its bulk handler with the index of the path, or an answer made here. */
export type Destination = { readonly bulk: true; readonly index: string | undefined } | { readonly reply: () => Reply }

interface Route {
  readonly methods: readonly string[]
  readonly endpoint: Endpoint
  readonly destination: Destination
}

/** The version whose answers this server imitates. */
const version = '9.5.3'

/**
 * Finds the answer to a request by method and path. `parameters` are checked here too.
 * @returns a failure, or the destination with the parameters' values
 */
export function route(
  method: string,
  url: string,
  indices: Indices,
): Reply | { readonly destination: Destination; readonly parameters: ReadonlyMap<string, string> } {
  const [path = '/', query = ''] = url.split(/\?(.*)/s)
  const parts = decode(path)
  if ('status' in parts) return failed(parts)
  const found = find(parts, indices)
  if (found === undefined) {
    return { status: 400, body: { error: `no handler found for uri [${url}] and method [${method}]` } }
  }
  if (!found.methods.includes(method)) return wrongMethod(method, url, found.methods)
  const parameters = readParameters(query, path, found.endpoint)
  return parameters instanceof Map ? { destination: found.destination, parameters } : failed(parameters)
}

function decode(path: string): string[] | Failure {
  try {
    return path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent)
  } catch {
    return illegalArgument(`invalid escape sequence in: ${path}`)
  }
}

function find(parts: readonly string[], indices: Indices): Route | undefined {
  const [first, second, third] = parts
  const lookup = (methods: readonly string[], names: string, answer: (found: readonly Index[][]) => Reply) =>
    lookupRoute(methods, () => {
      const found = named(names, indices)
      return 'status' in found ? failed(found) : answer(found)
    })
  if (first === undefined) return { methods: ['GET', 'HEAD'], endpoint: 'root', destination: { reply: root } }
  if (parts.length === 1) {
    if (first === '_bulk') return bulkRoute(undefined)
    if (!first.startsWith('_') || first === '_all') return lookup(['GET', 'HEAD'], first, described)
    const reason = `Invalid index name [${first}], must not start with '_'.`
    return lookupRoute(['GET', 'HEAD'], () => failed({ status: 400, type: 'invalid_index_name_exception', reason }))
  }
  if (parts.length === 3) {
    const isResolve = first === '_resolve' && second === 'index' && third !== undefined
    return isResolve ? lookup(['GET', 'POST'], third, resolved) : undefined
  }
  if (parts.length !== 2) return undefined
  if (first === '_cluster' && second === 'health') return lookupRoute(['GET'], () => health(indices))
  if (second === '_bulk') return bulkRoute(first)
  if (second === '_count') return lookup(['GET', 'POST'], first, counted)
  if (second === '_refresh') return lookup(['GET', 'POST'], first, refreshed)
  return second === '_rollover' ? lookupRoute(['POST'], () => rolledOver(first, indices)) : undefined
}

function bulkRoute(index: string | undefined): Route {
  return { methods: ['POST', 'PUT'], endpoint: 'bulk', destination: { bulk: true, index } }
}

function lookupRoute(methods: readonly string[], reply: () => Reply): Route {
  return { methods, endpoint: 'lookup', destination: { reply } }
}

function wrongMethod(method: string, url: string, allowed: readonly string[]): Reply {
  const headers = { allow: allowed.join(',') }
  if (method === 'OPTIONS')
    return { status: 200, body: '', headers: { ...headers, 'content-type': 'text/plain; charset=UTF-8' } }
  const error = `Incorrect HTTP method for uri [${url}] and method [${method}], allowed: [${allowed.join(', ')}]`
  return { status: 405, body: { error, status: 405 }, headers }
}

/** What a comma-separated list of names and wildcards means: a list of indices for each index or data stream. */
function named(names: string, indices: Indices): readonly Index[][] | Failure {
  const targets = new Map<string, Index[]>(indices.plain().map((index) => [index.name, [index]]))
  for (const [stream, backing] of indices.streams()) targets.set(stream, [...backing])
  const found = new Map<string, Index[]>()
  for (const name of names === '_all' ? ['*'] : names.split(',')) {
    const known = targets.get(name) ?? indices.find(name)
    if (known !== undefined) found.set(name, known)
    else if (!name.includes('*')) return indexNotFound(name)
    for (const [target, backing] of targets) if (wildcard(name).test(target)) found.set(target, backing)
  }
  return [...found.values()]
}

function root(): Reply {
  const body = {
    name: 'remora-demo',
    cluster_name: 'remora-demo',
    cluster_uuid: 'cmVtb3JhLWRlbW8tMDAwMQ',
    version: {
      number: version,
      build_flavor: 'default',
      build_type: 'embedded',
      build_hash: 'unknown',
      build_date: '2026-01-01T00:00:00.000Z',
      build_snapshot: false,
      lucene_version: '10.5.1',
      minimum_wire_compatibility_version: '8.19.0',
      minimum_index_compatibility_version: '8.0.0',
    },
    tagline: 'You Know, for Search',
  }
  return { status: 200, body }
}

function health(indices: Indices): Reply {
  const shards = indices.plain().length + [...indices.streams().values()].flat().length
  const body = {
    cluster_name: 'remora-demo',
    status: 'green',
    timed_out: false,
    number_of_nodes: 1,
    number_of_data_nodes: 1,
    active_primary_shards: shards,
    active_shards: shards,
    relocating_shards: 0,
    initializing_shards: 0,
    unassigned_shards: 0,
    unassigned_primary_shards: 0,
    delayed_unassigned_shards: 0,
    number_of_pending_tasks: 0,
    number_of_in_flight_fetch: 0,
    task_max_waiting_in_queue_millis: 0,
    active_shards_percent_as_number: 100,
  }
  return { status: 200, body }
}

function resolved(found: readonly Index[][]): Reply {
  const plain = found.flat().filter((index) => index.stream === undefined)
  const streams = found.filter((backing) => backing[0]?.stream !== undefined)
  const body = {
    indices: plain.map(({ name }) => ({ name, attributes: ['open'], mode: 'standard' })),
    aliases: [],
    data_streams: streams.map((backing) => ({
      name: backing[0]?.stream,
      backing_indices: backing.map(({ name }) => name),
      timestamp_field: '@timestamp',
    })),
  }
  return { status: 200, body }
}

function described(found: readonly Index[][]): Reply {
  return {
    status: 200,
    body: Object.fromEntries(found.flat().map((index) => [index.name, describe(index)])),
    chunked: true,
  }
}

function describe(index: Index): object {
  const settings = { number_of_shards: '1', number_of_replicas: '0', uuid: index.uuid, provided_name: index.name }
  const stream = index.stream === undefined ? {} : { data_stream: index.stream }
  return { aliases: {}, mappings: { properties: properties(index) }, settings: { index: settings }, ...stream }
}

/** Field types under their full paths, which Elasticsearch reads as the nested objects that it shows itself. */
function properties(index: Index): object {
  const leaves = [...index.mapping.types].filter(([, type]) => type !== 'object')
  return Object.fromEntries(
    leaves.map(([path, type]) => [path, type.includes('||') ? { type: 'date', format: type } : { type }]),
  )
}

function counted(found: readonly Index[][]): Reply {
  const count = found.flat().reduce((sum, index) => sum + index.versions.size, 0)
  return { status: 200, body: { count, _shards: { ...shardsOf(found), skipped: 0, failed: 0 } } }
}

function refreshed(found: readonly Index[][]): Reply {
  return { status: 200, body: { _shards: { ...shardsOf(found), failed: 0 } } }
}

function shardsOf(found: readonly Index[][]): { total: number; successful: number } {
  const shards = found.flat().length
  return { total: shards, successful: shards }
}

function rolledOver(stream: string, indices: Indices): Reply {
  const before = indices.streams().get(stream)?.at(-1)
  if (before === undefined) return failed(indexNotFound(stream))
  const after = indices.rollover(stream)
  const flags = { acknowledged: true, shards_acknowledged: true }
  const rest = { rolled_over: true, dry_run: false, lazy: false, conditions: {} }
  return { status: 200, body: { ...flags, old_index: before.name, new_index: after.name, ...rest } }
}
