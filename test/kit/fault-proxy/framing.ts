/** Where an HTTP/1.1 message ends, and nothing more: its bytes are passed on as they came. Source: RFC 9112, section 6. */
export interface Head {
  /** The request line, or the status line. */
  readonly start: string
  /** By lower-case name; of several the last one. */
  readonly headers: ReadonlyMap<string, string>
  /** With the empty line. */
  readonly bytes: number
}

const headBytesMax = 256 * 1024

/** @returns undefined while it is not whole */
export function headOf(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) {
    if (bytes.length > headBytesMax) throw new Error('no HTTP: a head without an end')
    return undefined
  }
  const [start = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers = new Map<string, string>()
  for (const field of fields) {
    const colon = field.indexOf(':')
    headers.set(field.slice(0, colon).trim().toLowerCase(), field.slice(colon + 1).trim())
  }
  return { start, headers, bytes: end + 4 }
}

export function statusOf(head: Head): number {
  return Number(head.start.split(' ')[1])
}

/** What its head says of a message's body: its length, `chunked`, or until the connection is closed. */
export type Body = number | 'chunked' | 'close'

/** @param method  of the request that is answered; undefined for the body of a request */
export function bodyOf(head: Head, method: string | undefined): Body {
  if (method !== undefined) {
    const status = statusOf(head)
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0
  }
  if (head.headers.get('transfer-encoding')?.toLowerCase().endsWith('chunked') === true) return 'chunked'
  const length = head.headers.get('content-length')
  if (length !== undefined) return Number(length)
  return method === undefined ? 0 : 'close'
}

type Part = 'size' | 'data' | 'data end' | 'trailer' | 'over'

/** Finds the end of a body in bytes that come in pieces of any length, and what it says. */
export class BodyReader {
  readonly #body: Body
  readonly #data: ((bytes: Buffer) => void) | undefined
  #left: number
  #part: Part
  #line = ''

  /** @param data  gets the content, without the frames of its chunks */
  constructor(body: Body, data?: (bytes: Buffer) => void) {
    this.#body = body
    this.#data = data
    this.#left = typeof body === 'number' ? body : 0
    this.#part = body === 'chunked' ? 'size' : body === 0 ? 'over' : 'data'
  }

  get isWhole(): boolean {
    return this.#part === 'over'
  }

  /** @returns how many of the bytes belong to the body */
  feed(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length && this.#part !== 'over') at = this.#step(bytes, at)
    return at
  }

  #step(bytes: Buffer, at: number): number {
    if (this.#part === 'data') {
      const most = this.#body === 'close' ? bytes.length - at : Math.min(this.#left, bytes.length - at)
      this.#data?.(bytes.subarray(at, at + most))
      this.#left -= most
      if (this.#body !== 'close' && this.#left === 0) this.#part = this.#body === 'chunked' ? 'data end' : 'over'
      return at + most
    }
    const newline = bytes.indexOf(10, at)
    const end = newline === -1 ? bytes.length : newline + 1
    this.#line += bytes.toString('latin1', at, end)
    if (newline !== -1) {
      const line = this.#line.trimEnd()
      this.#line = ''
      if (this.#part === 'size') {
        this.#left = Number.parseInt(line, 16)
        this.#part = this.#left === 0 ? 'trailer' : 'data'
      } else if (this.#part === 'data end') this.#part = 'size'
      else if (line === '') this.#part = 'over'
    }
    return end
  }
}
