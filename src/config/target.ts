/** The names that Elasticsearch accepts for an index, and for the two parts of a data stream's name that are free. */
import { hasDate, parsePlaceholders, nameAt, type Piece } from '../base/placeholders.ts'
import { bad, good, quoted, type Parsed } from '../base/units.ts'
import type { Kind } from './kinds.ts'

const nameBytesMax = 255
const partBytesMax = 100
const indexForbidden = '\\/*?"<>| ,#:{}'

/** Source: Elasticsearch reference, "Create index", path parameters. A colon would name another cluster's index. */
export const indexName: Kind<string> = {
  words: 'index',
  bounds:
    'lower case, at most 255 bytes, none of \\ / * ? " < > | , # : or space, not beginning with - _ +; `{field}` and `{+yyyy.MM.dd}` stand for a value',
  show: (value) => value,
  parse(text) {
    return checkLiterals(text, indexForbidden) ?? (text.includes('{') ? good(text) : wholeIndex(text))
  },
}

/** The same without anything that stands for a value. */
export const fixedIndexName: Kind<string> = {
  words: 'index',
  bounds: 'lower case, at most 255 bytes, none of \\ / * ? " < > | , # : { } or space, not beginning with - _ +',
  show: (value) => value,
  parse: (text) => forbiddenIn(text, indexForbidden) ?? wholeIndex(text),
}

/** Source: Elasticsearch reference, "data_stream" field group of ECS: restrictions of dataset and namespace. */
export const dataStreamPart: Kind<string> = {
  words: 'name',
  bounds: 'lower case, at most 100 bytes, none of - \\ / * ? " < > | , # : or space; `{field}` stands for a value',
  show: (value) => value,
  parse(text) {
    const forbidden = checkLiterals(text, `-${indexForbidden}`)
    if (forbidden !== undefined) return forbidden
    if (hasDate(text))
      return bad(`${quoted(text)} has a date in it`, 'leave it out: a data stream is rolled over instead')
    return text.includes('{') ? good(text) : withinBytes(text, partBytesMax)
  },
}

/** Value of the query parameter `routing`. */
export const routing: Kind<string> = {
  words: 'text',
  bounds: 'at most 255 bytes, no comma or space; `{field}` stands for a value',
  show: (value) => value,
  parse(text) {
    const forbidden = checkLiterals(text, ', {}', false)
    if (forbidden !== undefined) return forbidden
    if (hasDate(text))
      return bad(`${quoted(text)} has a date in it`, 'leave it out: a line sent again must go the same way')
    return withinBytes(text, nameBytesMax)
  },
}

/** Source: Elasticsearch reference, "Create or update pipeline". In the query `_none` stands for no pipeline. */
export const pipelineName: Kind<string> = {
  words: 'name',
  bounds: 'at most 255 bytes, none of \\ / * ? " < > | , # : { } or space',
  show: (value) => value,
  parse: (text) => forbiddenIn(text, indexForbidden, false) ?? withinBytes(text, nameBytesMax),
}

/** What the names of fields stand for, and what is to be said of one that is not there. */
export interface FieldValues {
  readonly fields: ReadonlyMap<string, string>
  /** The variable that would set a field, of those that have one of their own. */
  readonly variables: ReadonlyMap<string, string>
}

/** The name of an index with its fields resolved. Dates stay: they differ from generation to generation. */
export function resolveIndex(text: string, values: FieldValues): Parsed<string> {
  const resolved = resolve(text, values, (value) => value.toLowerCase().replace(noName, '_'))
  return resolved.ok ? wholeIndex(resolved.value) : resolved
}

/** The same for a part of a data stream's name, in which a - would begin the next part. */
export function resolvePart(text: string, values: FieldValues): Parsed<string> {
  const resolved = resolve(text, values, (value) => value.toLowerCase().replace(noName, '_').replaceAll('-', '_'))
  return resolved.ok ? withinBytes(resolved.value, partBytesMax) : resolved
}

/** Any value will do but one with a comma, which would be two. */
export function resolveRouting(text: string, values: FieldValues): Parsed<string> {
  const resolved = resolve(text, values, (value) => value)
  if (!resolved.ok) return resolved
  if (resolved.value.includes(','))
    return bad(`${quoted(text)} comes to ${quoted(resolved.value)}, with a comma in it`, 'route by another field')
  return withinBytes(resolved.value, nameBytesMax)
}

/** What no name of an index has in it, from the text of a stranger's field. */
// oxlint-disable-next-line no-control-regex
const noName = /[\\/*?"<>|,#:{}\s\0-\x1f\x7f]/gu

function resolve(text: string, { fields, variables }: FieldValues, clean: (value: string) => string): Parsed<string> {
  const parsed = parsePlaceholders(text)
  if (!parsed.ok) return parsed
  let name = ''
  for (const piece of parsed.value) {
    if (piece.kind === 'text') name += piece.text
    else if (piece.kind === 'date') name += `{+${piece.format}}`
    else {
      const value = fields.get(piece.name)
      if (value === undefined) return unknownField(piece.name, fields, variables)
      name += clean(value)
    }
  }
  return good(name)
}

function unknownField(
  name: string,
  fields: ReadonlyMap<string, string>,
  variables: ReadonlyMap<string, string>,
): Parsed<never> {
  const variable = variables.get(name)
  if (variable !== undefined) return bad(`{${name}} has no value`, `set ${variable}`)
  const there = [...fields.keys()]
  const known = there.length === 0 ? 'no document has a field of its own yet' : `the fields are ${there.join(', ')}`
  return bad(
    `there is no field ${quoted(name)} that every document has`,
    `${known}; REMORA_FIELDS, REMORA_SERVICE_NAME and the REMORA_POD_ settings make some`,
  )
}

function checkLiterals(text: string, forbidden: string, lowerCase = true): Parsed<never> | undefined {
  const parsed = parsePlaceholders(text)
  if (!parsed.ok) return parsed
  for (const piece of parsed.value) {
    const problem = isText(piece) ? forbiddenIn(piece.text, forbidden, lowerCase) : undefined
    if (problem !== undefined) return problem
  }
  return undefined
}

const isText = (piece: Piece) => piece.kind === 'text'

/** Of a name whose fields are resolved. A date is as long as its format. */
function wholeIndex(name: string): Parsed<string> {
  const dated = nameAt(name, 0)
  if (/^[-_+]/.test(dated)) return bad(`${quoted(name)} begins with -, _ or +`, 'begin the name with a letter or digit')
  if (dated === '.' || dated === '..') return bad(`${quoted(name)} is not a name`, 'write a name such as logs-app')
  const within = withinBytes(dated, nameBytesMax)
  return within.ok ? good(name) : within
}

function forbiddenIn(text: string, characters: string, lowerCase = true): Parsed<never> | undefined {
  const found = characters.split('').find((character) => text.includes(character)) ?? /\s/.exec(text)?.[0]
  if (found === '-')
    return bad(`${quoted(text)} has a - in it, which parts a data stream's name`, 'write _ or . instead')
  if (found !== undefined) return bad(`${quoted(text)} has ${quoted(found)} in it`, 'leave that character out')
  if (lowerCase && text !== text.toLowerCase())
    return bad(`${quoted(text)} has capital letters in it`, `write ${text.toLowerCase()}`)
  return undefined
}

function withinBytes(text: string, bytesMax: number): Parsed<string> {
  const bytes = Buffer.byteLength(text)
  return bytes <= bytesMax
    ? good(text)
    : bad(`${quoted(text)} is ${bytes} bytes long`, `write at most ${bytesMax} bytes`)
}
