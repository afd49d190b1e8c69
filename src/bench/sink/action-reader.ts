const newline = 0x0a
const quote = 0x22
const idName = '"_id"'

/**
 * Reads the action before each document. Those of one agent are alike but for the `_id`: what is around it is compared,
 * and only another form is parsed.
 */
export class ActionReader {
  /** Of the `_id` read last; 0, 0: there was none. */
  idHigh = 0
  idLow = 0
  isIndex = false
  hasIndex = false
  readonly #index: string | undefined
  /** The action of before, its newline included, and where its `_id` lies. */
  #known = Buffer.alloc(0)
  #idFrom = 0
  #idTo = 0
  readonly #words = new Int32Array(2)

  /** @param index  that documents are for; undefined: for any */
  constructor(index?: string) {
    this.#index = index
  }

  /**
   * Reads the action at `at`.
   * @returns where its document begins; -1: `end` comes before
   * @throws Error when it is no action that makes a document
   */
  read(bytes: Buffer, at: number, end: number): number {
    const known = this.#known
    if (at + known.length <= end && known.length > 0 && this.#isAlike(bytes, at)) {
      this.#hash(bytes, at + this.#idFrom, at + this.#idTo)
      return at + known.length
    }
    const to = bytes.indexOf(newline, at)
    if (to < 0 || to >= end) return -1
    this.#learn(bytes, at, to)
    this.#hash(bytes, at + this.#idFrom, at + this.#idTo)
    return to + 1
  }

  #isAlike(bytes: Buffer, at: number): boolean {
    const known = this.#known
    for (let n = this.#idTo; n < known.length; n++) if (bytes[at + n] !== known[n]) return false
    for (let n = 0; n < this.#idFrom; n++) if (bytes[at + n] !== known[n]) return false
    return true
  }

  #learn(bytes: Buffer, at: number, to: number): void {
    const text = bytes.toString('latin1', at, to)
    const { create, index }: { create?: Action; index?: Action } = JSON.parse(bytes.toString('utf8', at, to))
    const action = create ?? index
    if (typeof action !== 'object' || action === null) throw new Error('an action is neither create nor index')
    this.hasIndex = action._index !== undefined
    if (this.hasIndex && this.#index !== undefined && action._index !== this.#index) {
      throw new Error(`an action is for the index ${JSON.stringify(action._index)}, not for ${this.#index}`)
    }
    this.isIndex = create === undefined
    this.#known = Buffer.from(bytes.subarray(at, to + 1))
    const id = action._id
    if (typeof id !== 'string' || id === '') {
      this.#idFrom = this.#idTo = this.#known.length
      return
    }
    this.#idFrom = text.indexOf('"', text.indexOf(idName) + idName.length) + 1
    this.#idTo = this.#known.indexOf(quote, this.#idFrom)
  }

  /** Two lanes, each as MurmurHash3 (32 bits) does it with a seed of its own. Source: Austin Appleby, public domain. */
  #hash(bytes: Buffer, from: number, to: number): void {
    if (to === from) {
      this.idHigh = this.idLow = 0
      return
    }
    let high = 0x3c6ef372 ^ (to - from)
    let low = 0x1f83d9ab ^ (to - from)
    for (let at = from; at < to; at += 4) {
      let word = bytes[at]!
      if (at + 3 < to) word |= (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
      else for (let n = 1; at + n < to; n++) word |= bytes[at + n]! << (8 * n)
      const a = Math.imul(word, 0xcc9e2d51)
      const b = Math.imul(word, 0x85ebca77)
      high ^= Math.imul((a << 15) | (a >>> 17), 0x1b873593)
      high = (Math.imul((high << 13) | (high >>> 19), 5) + 0xe6546b64) | 0
      low ^= Math.imul((b << 16) | (b >>> 16), 0xc2b2ae3d)
      low = (Math.imul((low << 11) | (low >>> 21), 9) + 0x27d4eb2f) | 0
    }
    const words = this.#words
    words[0] = mixed(high)
    words[1] = mixed(low)
    this.idHigh = words[0] >>> 0
    // 0, 0 is no id.
    this.idLow = words[1] >>> 0 || 1
  }
}

interface Action {
  readonly _id?: unknown
  readonly _index?: unknown
}

function mixed(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return twice ^ (twice >>> 16)
}
