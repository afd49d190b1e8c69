import { isUtf8 } from 'node:buffer'

/** A number whose spelling matters: it has a fraction or an exponent, or more digits than a double holds. */
export class NumberLiteral {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type JsonValue = string | number | boolean | null | NumberLiteral | JsonValue[] | JsonObject
export interface JsonObject {
  [key: string]: JsonValue
}

/**
 * Why bytes are not one JSON value. `end`: cut short; `extra`: a second value follows the first; `empty`: nothing but
 * white space; `syntax`: all else.
 */
export interface JsonFault {
  readonly kind: 'syntax' | 'end' | 'extra' | 'empty'
  readonly reason: string
}

export type JsonResult = { readonly value: JsonValue } | { readonly fault: JsonFault }

/** Source: Jackson's `StreamReadConstraints`, which Elasticsearch 9 leaves at its default. */
const nestingMax = 1000

/**
 * Reads one JSON value as Elasticsearch does: no duplicate keys, at most 1000 levels. Stricter than Elasticsearch in
 * three ways, because a shipper must not lean on them: invalid UTF-8 is refused in every form (Jackson lets overlong
 * forms and surrogates pass), and neither comments nor a byte order mark are taken.
 */
export function parseJson(bytes: Buffer): JsonResult {
  if (!isUtf8(bytes)) return fault('syntax', 'Invalid UTF-8')
  const text = bytes.toString('utf8')
  if (text.trim() === '') return fault('empty', 'no content')
  let value: JsonValue
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { fault: faultOf(error, text) }
  }
  const seen = survey(text)
  if (seen.depth > nestingMax)
    return fault('syntax', `Document nesting depth exceeds the maximum allowed (${nestingMax})`)
  // Every member has one colon outside strings, and a duplicate is overwritten by JSON.parse: the counts differ.
  if (seen.members !== membersOf(value)) return fault('syntax', 'Duplicate field')
  return { value: seen.oddNumbers ? parseWithLiterals(text) : value }
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberLiteral)
}

function fault(kind: JsonFault['kind'], reason: string): { fault: JsonFault } {
  return { fault: { kind, reason } }
}

function faultOf(error: unknown, text: string): JsonFault {
  // V8 quotes the text for short inputs; the answer must not depend on that.
  const reason = (error instanceof Error ? error.message : String(error)).replace(/, ?"[^]*" is not valid JSON$/, '')
  const position = Number(/at position (\d+)/.exec(reason)?.[1] ?? -1)
  if (reason.startsWith('Unexpected non-whitespace character after JSON')) {
    return { kind: /^[[{"\d-]/.test(text.slice(position)) ? 'extra' : 'syntax', reason }
  }
  const cut = /^(Unexpected end|Unterminated string)/.test(reason) || position >= text.trimEnd().length
  return { kind: cut ? 'end' : 'syntax', reason }
}

function parseWithLiterals(text: string): JsonValue {
  return JSON.parse(text, keepSpelling)
}

function keepSpelling(_key: string, value: unknown, context?: { source?: string }): unknown {
  const { source = '' } = context ?? {}
  return typeof value === 'number' && !/^-?\d{1,15}$/.test(source) ? new NumberLiteral(source) : value
}

interface Survey {
  members: number
  depth: number
  oddNumbers: boolean
}

/** Looks at valid JSON outside its strings. */
function survey(text: string): Survey {
  const seen: Survey = { members: 0, depth: 0, oddNumbers: false }
  let depth = 0
  let digits = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 0x22) {
      at = stringEnd(text, at)
    } else if (char >= 0x30 && char <= 0x39) {
      if (++digits > 15) seen.oddNumbers = true
      continue
    } else if (char === 0x3a) {
      seen.members++
    } else if (char === 0x7b || char === 0x5b) {
      seen.depth = Math.max(seen.depth, ++depth)
    } else if (char === 0x7d || char === 0x5d) {
      depth--
    } else if (char === 0x2e || (digits > 0 && (char === 0x65 || char === 0x45))) {
      seen.oddNumbers = true
    }
    digits = 0
  }
  return seen
}

/** The position of the quote that closes the string opened at `open`. */
function stringEnd(text: string, open: number): number {
  let end = open
  for (;;) {
    end = text.indexOf('"', end + 1)
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return end
  }
}

function membersOf(value: JsonValue): number {
  if (!Array.isArray(value) && !isObject(value)) return 0
  const children = Object.values(value)
  let members = Array.isArray(value) ? 0 : children.length
  for (const child of children) members += membersOf(child)
  return members
}
