import { assert } from '../base/errors.ts'
import { hasDate, nameAt } from '../base/placeholders.ts'

/** What a document says of where it comes from, besides its line. Dotted ECS names become objects. */
export interface Origin {
  /** `log.file.path`. */
  readonly path: string
  /** 12 base64url characters that begin each `_id`; undefined: documents without an `_id`. */
  readonly generationId: string | undefined
  /** `@timestamp`: when the bytes were read, epoch milliseconds. */
  readonly readAtMs: number
  /** When its generation was first seen, epoch milliseconds: the date in the name of an index. */
  readonly seenMs: number
}

/** The bytes around a message. A bulk body is `prefix message suffix offset }}\n` for each line. */
export interface Template {
  readonly prefix: Buffer
  readonly suffix: Buffer
  /** Where in `prefix` the kernel puts offset and content hash, 8 characters each; 0: nowhere. */
  readonly idHoleAt: number
}

/** Fields with dots in their names as nested objects: `{"service":{"name":"orders"}}`. */
export function nest(fields: ReadonlyMap<string, string>): Record<string, unknown> {
  const root: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, value] of fields) {
    const parts = name.split('.')
    const last = parts.pop()!
    let at = root
    for (const part of parts) {
      at[part] ??= Object.create(null)
      assert(typeof at[part] === 'object', `the field ${name} lies below a text`)
      at = at[part] as Record<string, unknown>
    }
    assert(!(last in at), `the field ${name} holds others`)
    at[last] = value
  }
  return root
}

/** Makes templates for one set of static fields. */
export class Templates {
  readonly #static: string
  readonly #target: string | undefined
  #seenMs = -1
  #index = ''

  /**
   * @param fields  what every document carries, dotted ECS name to value; `log.*`, `message` and `@timestamp` are not among them
   * @param target  with a date in it each document names its index; otherwise the request does
   */
  constructor(fields: ReadonlyMap<string, string>, target = '') {
    this.#target = hasDate(target) ? target : undefined
    const text = JSON.stringify(nest(fields))
    this.#static = text === '{}' ? '' : `,${text.slice(1, -1)}`
  }

  of(origin: Origin): Template {
    const id = origin.generationId
    const index = this.#indexOf(origin.seenMs)
    const head = `{"create":{${index}${id === undefined ? '' : `${index === '' ? '' : ','}"_id":"${id}`}`
    const action = `${head}${id === undefined ? '' : `${' '.repeat(16)}"`}}}\n`
    const prefix = Buffer.from(`${action}{"@timestamp":"${new Date(origin.readAtMs).toISOString()}","message":"`)
    const suffix = Buffer.from(`"${this.#static},"log":{"file":{"path":${JSON.stringify(origin.path)}},"offset":`)
    return { prefix, suffix, idHoleAt: id === undefined ? 0 : Buffer.byteLength(head) }
  }

  #indexOf(seenMs: number): string {
    if (this.#target === undefined) return ''
    if (seenMs !== this.#seenMs) {
      this.#seenMs = seenMs
      this.#index = `"_index":${JSON.stringify(nameAt(this.#target, seenMs))}`
    }
    return this.#index
  }
}
