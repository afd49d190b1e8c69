/** What strangers answer is `unknown`, and is looked at in these ways only: nothing in here throws. */

/** Undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The value below these keys, or undefined where there is none. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let found = value
  for (const key of keys) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return found
}

export function textAt(value: unknown, ...keys: readonly string[]): string {
  const found = at(value, ...keys)
  return typeof found === 'string' ? found : ''
}

export function listAt(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = at(value, ...keys)
  return Array.isArray(found) ? found : []
}

/** The entries of an object; none for anything else. */
export function entriesAt(value: unknown, ...keys: readonly string[]): [string, unknown][] {
  const found = at(value, ...keys)
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? Object.entries(found) : []
}

export const isText = (value: unknown): value is string => typeof value === 'string'

/** Settings come back as text, `"true"`. */
export const isTrue = (value: unknown): boolean => value === true || value === 'true'
