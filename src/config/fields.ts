/** Fixed fields of every document, written `key=value,key=value`; `\,` is a comma and `\\` a backslash in a value. */
import { bad, good, quoted } from '../base/units.ts'
import type { Parsed } from '../base/units.ts'
import type { Kind } from './kinds.ts'

const fieldsMax = 64
const keyBytesMax = 128
const valueBytesMax = 1024
const textBytesMax = 4096

/** Fields that Remora writes itself, or that Elasticsearch does, and the setting to use instead. A field below one is as taken. */
const reserved: ReadonlyMap<string, string> = new Map([
  ['message', 'it is the line itself; choose another name, such as labels.message'],
  ['log', 'it says where the line stood; choose another name, such as labels.log'],
  ['kubernetes.namespace', 'set REMORA_POD_NAMESPACE'],
  ['kubernetes.pod.name', 'set REMORA_POD_NAME'],
  ['kubernetes.pod.uid', 'set REMORA_POD_UID'],
  ['kubernetes.node.name', 'set REMORA_NODE_NAME'],
  ['data_stream', 'it follows from the target: set REMORA_DATASET and REMORA_DATA_STREAM_NAMESPACE'],
])

export const fields: Kind<ReadonlyMap<string, string>> = {
  words: 'fields',
  bounds: `key=value, comma-separated, at most ${fieldsMax} and ${textBytesMax} bytes`,
  show: (value) => [...value].map(([key, content]) => `${key}=${content.replace(/[\\,]/g, '\\$&')}`).join(','),
  parse(text) {
    if (Buffer.byteLength(text) > textBytesMax) {
      return bad(
        `it is ${Buffer.byteLength(text)} bytes long, and would be on every line`,
        `write at most ${textBytesMax} bytes`,
      )
    }
    const stray = /(?<!\\)(?:\\\\)*\\(?![\\,])/.exec(text)
    if (stray !== null)
      return bad('it has a backslash before neither comma nor backslash', 'write \\\\ for a backslash')
    // At commas with an even number of backslashes before them.
    const pairs = text.split(/(?<=(?<!\\)(?:\\\\)*),/)
    if (pairs.length > fieldsMax) return bad(`it has ${pairs.length} fields`, `write at most ${fieldsMax}`)
    const found = new Map<string, string>()
    for (const pair of pairs) {
      const problem = addPair(found, pair)
      if (problem !== undefined) return problem
    }
    return good(found)
  },
}

function addPair(found: Map<string, string>, pair: string): Parsed<never> | undefined {
  const equals = pair.indexOf('=')
  if (pair.trim() === '') return bad('it has an empty entry', 'remove the comma that stands for nothing')
  if (equals < 0) return bad(`${quoted(pair)} has no =`, 'write key=value; a comma inside a value is written \\,')
  const key = pair.slice(0, equals).trim()
  const value = pair
    .slice(equals + 1)
    .trim()
    .replace(/\\(.)/gs, '$1')
  const keyProblem = problemOfKey(key)
  if (keyProblem !== undefined) return keyProblem
  if (value === '') return bad(`${key} has no value`, 'give it one, or leave the field out')
  if (Buffer.byteLength(value) > valueBytesMax)
    return bad(`the value of ${key} is too long`, `write at most ${valueBytesMax} bytes`)
  if (found.has(key)) return bad(`${key} is given twice`, 'keep one of them')
  const other = [...found.keys()].find((each) => clash(each, key))
  if (other !== undefined) {
    const [shorter, longer] = other.length < key.length ? [other, key] : [key, other]
    return bad(`${shorter} cannot be a text and hold ${longer} as well`, `rename one, as in ${shorter}.name`)
  }
  found.set(key, value)
  return undefined
}

function problemOfKey(key: string): Parsed<never> | undefined {
  const name = quoted(key)
  if (key === '@timestamp')
    return bad('@timestamp is set for every line by Remora', 'choose another name, such as event.created')
  if (Buffer.byteLength(key) > keyBytesMax)
    return bad(`the field name ${name} is too long`, `write at most ${keyBytesMax} bytes`)
  if (!/^[A-Za-z][\w-]*(?:\.[A-Za-z0-9][\w-]*)*$/.test(key)) {
    return bad(
      `${name} is not a field name`,
      'write letters, digits, _ and -, with dots between the parts: labels.team',
    )
  }
  for (const [taken, wayOut] of reserved) {
    if (taken === key || clash(taken, key)) return bad(`${key} collides with ${taken}, which is not free`, wayOut)
  }
  return undefined
}

/** Whether one of two different field names is an object that holds the other. */
export function clash(one: string, other: string): boolean {
  return one.startsWith(`${other}.`) || other.startsWith(`${one}.`)
}
