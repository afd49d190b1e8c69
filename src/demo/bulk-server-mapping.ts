import { type DateFormat, detectedDateFormat, isDate } from './bulk-server-dates.ts'
import { badDocument, type Failure } from './bulk-server-errors.ts'
import { type JsonObject, type JsonValue, NumberLiteral, isObject } from './bulk-server-json.ts'

type FieldType = 'object' | 'text' | 'long' | 'float' | 'boolean' | DateFormat

/** Source: Elasticsearch reference, "Mapping limit settings": `index.mapping.total_fields.limit` and `depth.limit`. */
const fieldsMax = 1000
const depthMax = 20
const floatMax = 3.4028234663852886e38
const longLimit = 2n ** 63n

const metadataFields = new Set(
  '_id _index _source _routing _ignored _field_names _seq_no _primary_term _version _nested_path _tier _doc_count'.split(
    ' ',
  ),
)
/** Fields that have their type before the first document, as the `logs` template of Elasticsearch gives it to them. */
const declared: ReadonlyMap<string, FieldType> = new Map([
  ['@timestamp', 'strict_date_optional_time||epoch_millis'],
  ['message', 'text'],
])

/** What one document adds, kept apart until the whole document is accepted: a refused one teaches nothing. */
interface Draft {
  readonly id: string
  readonly learned: Map<string, FieldType>
  fields: number
  timestamps: number
}

/**
 * Which type each field of one index has. The first value seen decides (dynamic mapping), later ones must fit.
 * Source: Elasticsearch reference, "Dynamic field mapping", and the answers of 9.5 that the tests replay. Stricter in
 * one thing: a `message` that is no string is refused, for in a log shipper that is a missing pair of quotes.
 */
export class Mapping {
  readonly #types = new Map<string, FieldType>()
  readonly #isDataStream: boolean
  #fields = 0

  constructor(isDataStream: boolean) {
    this.#isDataStream = isDataStream
  }

  /** Field paths and their types, for showing. */
  get types(): ReadonlyMap<string, string> {
    return this.#types
  }

  /** Accepts `source` and learns its new fields, or says why Elasticsearch would refuse it. `id` is for the reason only. */
  admit(id: string, source: JsonObject): Failure | undefined {
    const draft: Draft = { id, learned: new Map(), fields: 0, timestamps: 0 }
    const failure = this.#object('', 0, source, draft)
    if (failure !== undefined) return failure
    if (this.#isDataStream && draft.timestamps !== 1) {
      const reason = `data stream timestamp field [@timestamp] ${draft.timestamps === 0 ? 'is missing' : 'encountered multiple values'}`
      return badDocument(`failed to parse: ${reason}`, { type: 'illegal_argument_exception', reason })
    }
    if (draft.fields > 0 && this.#fields + draft.fields > fieldsMax) {
      return refuse(`Limit of total fields [${fieldsMax}] has been exceeded while adding new fields [${draft.fields}]`)
    }
    this.#fields += draft.fields
    for (const [path, type] of draft.learned) this.#types.set(path, type)
    return undefined
  }

  #object(prefix: string, depth: number, object: JsonObject, draft: Draft): Failure | undefined {
    for (const [name, value] of Object.entries(object)) {
      const failure = this.#member(prefix, depth, name, value, draft)
      if (failure !== undefined) return failure
    }
    return undefined
  }

  #member(prefix: string, depth: number, name: string, value: JsonValue, draft: Draft): Failure | undefined {
    const complaint = nameComplaint(name)
    if (complaint !== undefined) return refuse(complaint)
    if (depth === 0 && metadataFields.has(name)) {
      return badDocument(`Field [${name}] is a metadata field and cannot be added inside a document.`)
    }
    const parts = name.replace(/\.+$/, '').split('.')
    const leaf = parts.pop() ?? name
    let path = prefix
    for (const part of parts) {
      path = join(path, part)
      const failure = this.#enter(path, ++depth, draft)
      if (failure !== undefined) return failure
    }
    return this.#value(join(path, leaf), depth + 1, value, draft)
  }

  #value(path: string, depth: number, value: JsonValue, draft: Draft): Failure | undefined {
    if (path === 'message' && typeof value !== 'string') return this.#misfit(path, 'text', value, draft)
    if (value === null) return undefined
    if (Array.isArray(value)) {
      for (const element of value) {
        const failure = this.#value(path, depth, element, draft)
        if (failure !== undefined) return failure
      }
      return undefined
    }
    if (isObject(value)) return this.#enter(path, depth, draft, value) ?? this.#object(path, depth, value, draft)
    return this.#leaf(path, value, draft)
  }

  /** Makes sure that `path` is an object. */
  #enter(path: string, depth: number, draft: Draft, value: JsonValue = {}): Failure | undefined {
    const type = this.#typeOf(path, draft) ?? declared.get(path)
    if (type === 'object') return undefined
    if (type !== undefined) return this.#misfit(path, type, value, draft)
    if (depth >= depthMax) {
      return refuse(`Limit of mapping depth [${depthMax}] has been exceeded due to object field [${path}]`)
    }
    learn(draft, path, 'object')
    return undefined
  }

  #leaf(path: string, value: string | number | boolean | NumberLiteral, draft: Draft): Failure | undefined {
    if (path === '@timestamp') draft.timestamps++
    let type = this.#typeOf(path, draft)
    if (type === undefined) {
      type = declared.get(path) ?? detect(value)
      learn(draft, path, type)
    }
    return fits(value, type) ? undefined : this.#misfit(path, type, value, draft)
  }

  #typeOf(path: string, draft: Draft): FieldType | undefined {
    return this.#types.get(path) ?? draft.learned.get(path)
  }

  #misfit(path: string, type: FieldType, value: JsonValue, draft: Draft): Failure {
    if (type === 'object') {
      return badDocument(
        `object mapping for [${path}] tried to parse field [${path}] as object, but found a concrete value`,
      )
    }
    // Elasticsearch repeats the whole value; whoever reads these answers has to bear that.
    const preview =
      value instanceof NumberLiteral ? value.text : typeof value === 'string' ? value : JSON.stringify(value)
    const name = type.includes('||') ? 'date' : type
    return badDocument(
      `failed to parse field [${path}] of type [${name}] in document with id '${draft.id}'. Preview of field's value: '${preview}'`,
      { type: 'illegal_argument_exception', reason: `For input string: "${preview}"` },
    )
  }
}

function refuse(reason: string): Failure {
  return badDocument(`failed to parse: ${reason}`, { type: 'illegal_argument_exception', reason })
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`
}

function learn(draft: Draft, path: string, type: FieldType): void {
  draft.learned.set(path, type)
  // A detected text field brings its `keyword` sub-field.
  draft.fields += type === 'text' ? 2 : 1
}

function nameComplaint(name: string): string | undefined {
  if (name === '') return 'field name cannot be an empty string'
  if (name.trim() === '') return `Field name cannot contain only whitespace: [${name}]`
  if (/^\.+$/.test(name)) return 'field name cannot contain only dots'
  const parts = name.replace(/\.+$/, '').split('.')
  return parts.some((part) => part.trim() === '') ? `field name cannot contain only whitespace: ['${name}']` : undefined
}

function detect(value: string | number | boolean | NumberLiteral): FieldType {
  if (typeof value === 'string') return detectedDateFormat(value) ?? 'text'
  if (typeof value === 'boolean') return 'boolean'
  const isWhole = typeof value === 'number' ? Number.isInteger(value) : /^-?\d+$/.test(value.text)
  return isWhole ? 'long' : 'float'
}

function fits(value: string | number | boolean | NumberLiteral, type: FieldType): boolean {
  if (type === 'object' || type === 'text') return type === 'text'
  if (type === 'boolean') return typeof value === 'boolean' || value === 'true' || value === 'false' || value === ''
  if (typeof value === 'boolean') return false
  const text = value instanceof NumberLiteral ? value.text : String(value)
  if (type === 'long' || type === 'float') return text === '' || isNumber(text, type)
  return isDate(text, type)
}

/** Numbers in strings are taken too (`coerce`), and a fraction is cut off for a `long`. */
function isNumber(text: string, type: 'long' | 'float'): boolean {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return false
  if (type === 'float') return Math.abs(Number(text)) <= floatMax
  if (!/^[+-]?\d+$/.test(text)) return Math.abs(Number(text)) < Number(longLimit)
  const whole = BigInt(text.replace('+', ''))
  return whole >= -longLimit && whole < longLimit
}
