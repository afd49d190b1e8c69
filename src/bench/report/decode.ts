/** Readers of parsed JSON that take nothing for granted: what is not as the type says ends them, and says where. */

/** Thrown inside this folder only: `readReport` makes a value of it. */
export class WrongField extends Error {}

/** @param path of the value, as `scenarios[2].rows[0].name`  @throws WrongField */
export type Decoder<T> = (value: unknown, path: string) => T

export function wrong(path: string, message: string): WrongField {
  return new WrongField(`${path === '' ? 'the whole' : path} ${message}`)
}

/** NaN has no place in JSON; an infinity comes of `1e999`. */
export const number: Decoder<number> = (value, path) => {
  if (typeof value !== 'number') throw wrong(path, `must be a number, and is ${kindOf(value)}`)
  if (!Number.isFinite(value)) throw wrong(path, 'is a number too large to be one')
  return value
}

export const count: Decoder<number> = (value, path) => {
  const found = number(value, path)
  if (!Number.isSafeInteger(found) || found < 0) throw wrong(path, `must be a whole number from 0, and is ${found}`)
  return found
}

const textMax = 10_000

export const text: Decoder<string> = (value, path) => {
  if (typeof value !== 'string') throw wrong(path, `must be a text, and is ${kindOf(value)}`)
  if (value.length > textMax) throw wrong(path, `has more than ${textMax} characters`)
  return value
}

export const flag: Decoder<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw wrong(path, `must be true or false, and is ${kindOf(value)}`)
  return value
}

export const instant: Decoder<string> = (value, path) => {
  const found = text(value, path)
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(found) || Number.isNaN(Date.parse(found)))
    throw wrong(path, 'must be a time as 2026-11-26T04:40:00.000Z')
  return found
}

export function choice<const T extends string | number>(...allowed: readonly T[]): Decoder<T> {
  return (value, path) => {
    const found = allowed.find((each) => each === value)
    if (found === undefined) throw wrong(path, `must be ${allowed.join(' or ')}, and is ${shown(value)}`)
    return found
  }
}

/** Absent in the file. */
export function maybe<T>(of: Decoder<T>): Decoder<T | undefined> {
  return (value, path) => (value === undefined ? undefined : of(value, path))
}

export function list<T>(of: Decoder<T>, lengthMax: number): Decoder<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, `must be a list, and is ${kindOf(value)}`)
    if (value.length > lengthMax) throw wrong(path, `has ${value.length} entries, more than ${lengthMax}`)
    return value.map((each, index) => of(each, `${path}[${index}]`))
  }
}

/** All fields of `T`, and none else: the compiler sees to the first, this to the second. */
export function object<T extends object>(fields: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return (value, path) => {
    const found = entriesOf(value, path)
    for (const name of found.keys()) {
      if (!Object.hasOwn(fields, name)) throw wrong(at(path, name), 'is no field of this version')
    }
    return Object.fromEntries(names.map((name) => [name, fields[name](found.get(name), at(path, name))])) as T
  }
}

/** Alternatives that `kind` tells apart. */
export function byKind<T extends { readonly kind: string }>(alternatives: {
  readonly [K in T['kind']]: Decoder<Extract<T, { readonly kind: K }>>
}): Decoder<T> {
  const kind = choice(...(Object.keys(alternatives) as T['kind'][]))
  return (value, path) => {
    const found = kind(entriesOf(value, path).get('kind'), at(path, 'kind'))
    return alternatives[found](value, path)
  }
}

export function record<T>(of: Decoder<T>, lengthMax: number): Decoder<Record<string, T>> {
  return (value, path) => {
    const found = entriesOf(value, path)
    if (found.size > lengthMax) throw wrong(path, `has ${found.size} fields, more than ${lengthMax}`)
    return Object.fromEntries([...found].map(([name, each]) => [name, of(each, at(path, name))]))
  }
}

function entriesOf(value: unknown, path: string): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(path, `must be an object, and is ${kindOf(value)}`)
  return new Map(Object.entries(value))
}

function at(path: string, name: string): string {
  const plain = /^[\w$]{1,60}$/.test(name) ? name : shown(name)
  return path === '' ? plain : `${path}.${plain}`
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : shown(value)
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60)
}
