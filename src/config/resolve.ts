/** The names that settings make together, once the values of fields are known. */
import { good, type Parsed } from '../base/units.ts'
import { settings, type Key, type Values } from './settings.ts'
import { factKeys, staticFields } from './static-fields.ts'
import { resolveIndex, resolvePart, resolveRouting, type FieldValues } from './target.ts'

export interface Names {
  readonly target: string
  readonly routing: string | undefined
}

type Resolved =
  | { readonly ok: true; readonly value: Names }
  | { readonly ok: false; readonly key: Key; readonly message: string; readonly wayOut: string }

/** @param values  what could not be read is left out, and counts as not given */
export function resolveNames(values: Partial<Values>): Resolved {
  const variables = new Map([...factKeys].map(([field, key]) => [field, settings[key].name]))
  const facts: FieldValues = { fields: staticFields(values), variables }
  const { index, dataset = '', dataStreamNamespace = '', routing } = values
  const steps: readonly (readonly [Key, () => Parsed<string | undefined>])[] = [
    ['index', () => (index === undefined ? good(undefined) : resolveIndex(index, facts))],
    ['dataset', () => resolvePart(dataset, facts)],
    ['dataStreamNamespace', () => resolvePart(dataStreamNamespace, facts)],
    ['routing', () => (routing === undefined ? good(undefined) : resolveRouting(routing, facts))],
  ]
  const found: (string | undefined)[] = []
  for (const [key, resolve] of steps) {
    const parsed = resolve()
    if (!parsed.ok) return { ...parsed, key }
    found.push(parsed.value)
  }
  const [name, middle, last, route] = found
  return { ok: true, value: { target: name ?? `logs-${middle}-${last}`, routing: route } }
}
