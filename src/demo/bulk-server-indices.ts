import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Operation } from './bulk-server-actions.ts'
import { badDocument, type Failure, illegalArgument, indexNotFound } from './bulk-server-errors.ts'
import { type JsonFault, type JsonObject, isObject, parseJson } from './bulk-server-json.ts'
import { Mapping } from './bulk-server-mapping.ts'

/** One index: its documents' ids and its fields. The documents themselves are in the file only. */
export interface Index {
  readonly name: string
  /** Undefined for an index of its own. */
  readonly stream: string | undefined
  readonly uuid: string
  readonly mapping: Mapping
  /** `_id` to version. */
  readonly versions: Map<string, number>
  sequence: number
}

/** What became of one operation: `index` is the concrete index, or the name asked for when there is none. */
export interface Outcome {
  readonly operation: Operation
  readonly index: string
  readonly id: string | null
  readonly failure?: Failure
  /** Set when the document was accepted. */
  readonly version?: number
  readonly sequence?: number
}

/** Every index and data stream of the server. Names matching a pattern become data streams, others plain indices. */
export class Indices {
  readonly #byName = new Map<string, Index>()
  /** Data stream to its backing indices, oldest first; the last one is written to. */
  readonly #streams = new Map<string, Index[]>()
  readonly #patterns: readonly RegExp[]
  readonly #clock: Clock

  /** @param streamPatterns names with `*`, e.g. `logs-*-*` */
  constructor(streamPatterns: readonly string[], clock: Clock) {
    this.#patterns = streamPatterns.map(wildcard)
    this.#clock = clock
  }

  /** Indices that are not part of a data stream, by name. */
  plain(): readonly Index[] {
    return [...this.#byName.values()].filter((index) => index.stream === undefined).toSorted(byName)
  }

  streams(): ReadonlyMap<string, readonly Index[]> {
    return new Map([...this.#streams].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** A backing index, which only its exact name finds. */
  find(name: string): Index[] | undefined {
    const index = this.#byName.get(name)
    return index === undefined ? undefined : [index]
  }

  distinctIds(): number {
    let ids = 0
    for (const index of this.#byName.values()) ids += index.versions.size
    return ids
  }

  /** What one operation leads to; a document that is accepted counts as indexed from here on. */
  apply(operation: Operation): Outcome {
    const refused = (failure: Failure, noId: string | null = null): Outcome => ({
      operation,
      index: operation.index,
      id: operation.id ?? noId,
      failure,
    })
    const complaint = nameComplaint(operation.index)
    if (complaint !== undefined) {
      const more = { index_uuid: '_na_', index: operation.index }
      const reason = `Invalid index name [${operation.index}], ${complaint}`
      return refused({ status: 400, type: 'invalid_index_name_exception', reason, more })
    }
    const isStream = this.isStream(operation.index)
    const target = this.#targetFailure(operation, isStream)
    if (target !== undefined) return refused(target)
    const { pipeline = '_none' } = operation
    if (pipeline !== '_none') {
      return refused(illegalArgument(`pipeline with id [${pipeline}] does not exist`), 'auto-generated')
    }
    const index = this.writeIndexOf(operation.index)
    const id = operation.id ?? automaticId()
    const failure = documentFailure(operation, index, id)
    if (failure !== undefined) return { operation, index: index.name, id, failure }
    return { operation, index: index.name, id, version: add(index, id), sequence: index.sequence++ }
  }

  /** Takes an accepted document back, because it could not be kept. */
  forget(outcome: Outcome): void {
    const index = this.#byName.get(outcome.index)
    if (index === undefined || outcome.id === null || outcome.version === undefined) return
    if (outcome.version === 1) index.versions.delete(outcome.id)
    else index.versions.set(outcome.id, outcome.version - 1)
  }

  /** Puts back a document of an earlier run. */
  restore(indexName: string, id: string, source: JsonObject): void {
    const index = this.#byName.get(indexName) ?? this.#create(indexName, streamOf(indexName))
    // A document that no longer fits was accepted once all the same.
    index.mapping.admit(id, source)
    add(index, id)
    index.sequence++
  }

  isStream(name: string): boolean {
    return this.#streams.has(name) || this.#patterns.some((pattern) => pattern.test(name))
  }

  /** The index that documents sent to `name` go to; made when there is none. */
  writeIndexOf(name: string): Index {
    const known = this.#byName.get(name) ?? this.#streams.get(name)?.at(-1)
    if (known !== undefined) return known
    return this.isStream(name) ? this.rollover(name) : this.#create(name, undefined)
  }

  /** Gives a data stream its next backing index. */
  rollover(stream: string): Index {
    const number = (this.#streams.get(stream)?.length ?? 0) + 1
    const day = new Date(this.#clock.nowMs()).toISOString().slice(0, 10).replaceAll('-', '.')
    return this.#create(`.ds-${stream}-${day}-${String(number).padStart(6, '0')}`, stream)
  }

  #create(name: string, stream: string | undefined): Index {
    const uuid = randomBytes(16).toString('base64url')
    const mapping = new Mapping(stream !== undefined)
    const index: Index = { name, stream, uuid, mapping, versions: new Map(), sequence: 0 }
    this.#byName.set(name, index)
    if (stream !== undefined) this.#streams.set(stream, [...(this.#streams.get(stream) ?? []), index])
    return index
  }

  #targetFailure(operation: Operation, isStream: boolean): Failure | undefined {
    const { index: name, action } = operation
    const missing = !isStream && !this.#byName.has(name)
    if (operation.requireAlias) {
      return missingTarget(
        name,
        `no such index [${name}] and [require_alias] request flag is [true] and [${name}] is not an alias`,
      )
    }
    if (operation.requireDataStream && missing) {
      return missingTarget(name, `no such index [${name}] and the index creation request requires a data stream`)
    }
    if (operation.requireDataStream && !isStream) {
      const reason = `[require_data_stream] request flag is [true] and [${name}] is not a data stream`
      return { status: 404, type: 'resource_not_found_exception', reason }
    }
    if (isStream && action !== 'create') {
      const { type, reason, more } = indexNotFound(name)
      const cause = { type, reason, ...more, excluded_ds: 'true' }
      const refusal = illegalArgument('only write ops with an op_type of create are allowed in data streams')
      return { ...refusal, more: { caused_by: cause } }
    }
    if (isStream && operation.routing !== undefined) {
      return illegalArgument(
        `index request targeting data stream [${name}] specifies a custom routing but the [allow_custom_routing] setting was not enabled in the data stream's template.`,
      )
    }
    const stream = this.#byName.get(name)?.stream
    if (stream === undefined) return undefined
    return illegalArgument(
      `index request with op_type=${action} targeting backing indices is disallowed, target corresponding data stream [${stream}] instead`,
    )
  }
}

function documentFailure(operation: Operation, index: Index, id: string): Failure | undefined {
  if (id === '') return illegalArgument('if _id is specified it must not be empty')
  if (operation.action === 'delete' || operation.action === 'update') {
    return illegalArgument(`this server keeps what it was given: [${operation.action}] is not supported`)
  }
  const parsed = parseJson(operation.source)
  if ('fault' in parsed) return unreadable(parsed.fault)
  if (!isObject(parsed.value)) return badDocument('Malformed content, must start with an object')
  const misfit = index.mapping.admit(id, parsed.value)
  if (misfit !== undefined) return misfit
  const version = index.versions.get(id)
  if (operation.action === 'index' || version === undefined) return undefined
  const reason = `[${id}]: version conflict, document already exists (current version [${version}])`
  const more = { index_uuid: index.uuid, shard: '0', index: index.name }
  return { status: 409, type: 'version_conflict_engine_exception', reason, more }
}

function unreadable(fault: JsonFault): Failure {
  if (fault.kind === 'extra')
    return illegalArgument(`Malformed content, found extra data after parsing: ${fault.reason}`)
  if (fault.kind === 'empty') return badDocument('failed to parse, document is empty')
  const type = fault.kind === 'end' ? 'x_content_e_o_f_exception' : 'x_content_parse_exception'
  return badDocument(`failed to parse: ${fault.reason}`, { type, reason: fault.reason })
}

function missingTarget(index: string, reason: string): Failure {
  return { status: 404, type: 'index_not_found_exception', reason, more: { index_uuid: '_na_', index } }
}

function add(index: Index, id: string): number {
  const version = (index.versions.get(id) ?? 0) + 1
  index.versions.set(id, version)
  return version
}

/** Twenty characters, as Elasticsearch's own are. */
function automaticId(): string {
  return randomBytes(15).toString('base64url')
}

function streamOf(backingIndex: string): string | undefined {
  return /^\.ds-(.+)-\d{4}\.\d{2}\.\d{2}-\d{6}$/.exec(backingIndex)?.[1]
}

/** Source: Elasticsearch reference, "Create index API", path parameters. Date math is not supported here. */
function nameComplaint(name: string): string | undefined {
  if (name === '') return 'must not be empty'
  if (/[ "*,/<>?\\|]/.test(name)) {
    return `must not contain the following characters [' ','"','*',',','/','<','>','?','\\','|']`
  }
  if (name.includes('#')) return `must not contain '#'`
  if (name.includes(':')) return `must not contain ':'`
  if (/^[_+-]/.test(name)) return `must not start with '_', '-', or '+'`
  if (name === '.' || name === '..') return `must not be '.' or '..'`
  const bytes = Buffer.byteLength(name)
  if (bytes > 255) return `index name is too long, (${bytes} > 255)`
  return name === name.toLowerCase() ? undefined : 'must be lowercase'
}

/** A name with `*` for any run of characters, as a pattern over whole names. */
export function wildcard(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .split('*')
      .map((part) => RegExp.escape(part))
      .join('.*')}$`,
    's',
  )
}

function byName(a: Index, b: Index): number {
  return a.name < b.name ? -1 : 1
}
