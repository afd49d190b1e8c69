import { readFileSync } from 'node:fs'
import type { Manifest } from './manifest.ts'

/**
 * What is left of an OpenAPI definition of Kubernetes in `schemas.json`, which `make-schemas.ts` writes. A definition
 * without any of these takes everything.
 */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  /** Of the values of a map. */
  readonly values?: Schema
  readonly items?: Schema
  /** Name of a definition. */
  readonly ref?: string
  /** What no two items of a list may share. */
  readonly keys?: readonly string[]
}

export interface Schemas {
  /** By a number that stands for the content: most are the same in every version. */
  readonly contents: readonly Schema[]
  /** By version (`1.34`), and by name. */
  readonly versions: Readonly<
    Record<
      string,
      {
        readonly definitions: Readonly<Record<string, number>>
        /** `apps/v1 Deployment` to the name of its definition. */
        readonly kinds: Readonly<Record<string, string>>
      }
    >
  >
}

export const schemas: Schemas = JSON.parse(readFileSync(new URL('schemas.json', import.meta.url), 'utf8'))

export const versions: readonly string[] = Object.keys(schemas.versions)

/** Custom resources: no server has them of its own. */
export function isCustom({ apiVersion }: Manifest): boolean {
  return String(apiVersion).startsWith('monitoring.coreos.com/')
}

/**
 * What a server of that version would refuse as `--validate=strict` does: unknown fields, missing ones, wrong types, and
 * two items of a list with the same key. Empty: nothing. Rules between fields are not in there.
 * @param all  the schemas, those of `schemas.json` unless told
 */
export function problemsOf(manifest: Manifest, version: string, all: Schemas = schemas): string[] {
  const known = all.versions[version]
  if (known === undefined) throw new Error(`there are schemas of ${Object.keys(all.versions).join(', ')}`)
  const kind = `${manifest?.apiVersion} ${manifest?.kind}`
  const name = known.kinds[kind]
  if (name === undefined) return [`Kubernetes ${version} has no ${kind}`]
  const definition = (wanted: string) => all.contents[known.definitions[wanted] ?? -1] ?? {}
  return [...faultsOf(manifest, { ref: name }, kind, definition)]
}

const quantity = /^[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/

function* faultsOf(
  value: unknown,
  schema: Schema,
  at: string,
  definition: (name: string) => Schema,
): Generator<string> {
  if (schema.ref !== undefined) {
    if (schema.ref.endsWith('.Quantity')) {
      if (typeof value !== 'number' && !quantity.test(String(value))) yield `${at}: no quantity`
    } else if (schema.ref.endsWith('.IntOrString')) {
      if (!Number.isInteger(value) && typeof value !== 'string') yield `${at}: neither a whole number nor a string`
    } else yield* faultsOf(value, definition(schema.ref), at, definition)
    return
  }
  // As the server takes it: a field that is null is one that is not there.
  if (value === null) return
  if (schema.type !== undefined && !isOf(schema.type, value)) {
    yield `${at}: no ${schema.type}`
    return
  }
  if (Array.isArray(value)) yield* faultsOfList(value, schema, at, definition)
  else if (typeof value === 'object') yield* faultsOfObject(value as Record<string, unknown>, schema, at, definition)
}

function* faultsOfList(
  list: readonly unknown[],
  { items = {}, keys }: Schema,
  at: string,
  definition: (name: string) => Schema,
): Generator<string> {
  for (const [index, item] of list.entries()) yield* faultsOf(item, items, `${at}[${index}]`, definition)
  if (keys === undefined) return
  const seen = new Set<string>()
  for (const [index, item] of list.entries()) {
    const key = JSON.stringify(keys.map((name) => (item as Record<string, unknown>)[name]))
    if (seen.has(key)) yield `${at}[${index}]: a second one with ${keys.join(', ')} ${key}`
    seen.add(key)
  }
}

function* faultsOfObject(
  object: Readonly<Record<string, unknown>>,
  { properties, required = [], values }: Schema,
  at: string,
  definition: (name: string) => Schema,
): Generator<string> {
  for (const name of required) if (!Object.hasOwn(object, name)) yield `${at}.${name}: missing`
  for (const [name, value] of Object.entries(object)) {
    if (properties !== undefined && Object.hasOwn(properties, name)) {
      yield* faultsOf(value, properties[name] ?? {}, `${at}.${name}`, definition)
    } else if (values !== undefined) yield* faultsOf(value, values, `${at}.${name}`, definition)
    else if (properties !== undefined) yield `${at}.${name}: unknown field`
  }
}

function isOf(type: NonNullable<Schema['type']>, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value)
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}
