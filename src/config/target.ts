/** The names that Elasticsearch accepts for an index, and for the two parts of a data stream's name that are free. */
import { bad, good, quoted } from '../base/units.ts'
import type { Kind } from './kinds.ts'

/** Source: Elasticsearch reference, "Create index", path parameters. A colon would name another cluster's index. */
export const indexName: Kind<string> = {
  words: 'index',
  bounds: 'lower case, at most 255 bytes, none of \\ / * ? " < > | , # : { } or space, not beginning with - _ +',
  show: (value) => value,
  parse(text) {
    const forbidden = forbiddenIn(text, '\\/*?"<>| ,#:')
    if (forbidden !== undefined) return forbidden
    if (/[{}]/.test(text)) {
      return bad(`${quoted(text)} has a { or } in it`, 'write one fixed name: names made from fields are not supported')
    }
    if (/^[-_+]/.test(text))
      return bad(`${quoted(text)} begins with -, _ or +`, 'begin the name with a letter or digit')
    if (text === '.' || text === '..') return bad(`${quoted(text)} is not a name`, 'write a name such as logs-app')
    return withinBytes(text, 255)
  },
}

/** Source: Elasticsearch reference, "data_stream" field group of ECS: restrictions of dataset and namespace. */
export const dataStreamPart: Kind<string> = {
  words: 'name',
  bounds: 'lower case, at most 100 bytes, none of - \\ / * ? " < > | , # : or space',
  show: (value) => value,
  parse(text) {
    const forbidden = forbiddenIn(text, '-\\/*?"<>| ,#:{}')
    return forbidden ?? withinBytes(text, 100)
  },
}

function forbiddenIn(text: string, characters: string) {
  const found = characters.split('').find((character) => text.includes(character)) ?? /\s/.exec(text)?.[0]
  if (found === '-')
    return bad(`${quoted(text)} has a - in it, which parts a data stream's name`, 'write _ or . instead')
  if (found !== undefined) return bad(`${quoted(text)} has ${quoted(found)} in it`, 'leave that character out')
  if (text !== text.toLowerCase())
    return bad(`${quoted(text)} has capital letters in it`, `write ${text.toLowerCase()}`)
  return undefined
}

function withinBytes(text: string, bytesMax: number) {
  const bytes = Buffer.byteLength(text)
  return bytes <= bytesMax
    ? good(text)
    : bad(`${quoted(text)} is ${bytes} bytes long`, `write at most ${bytesMax} bytes`)
}
