const shapesMax = 8
const zero = 0x30
const nine = 0x39

/** Bytes of a document beside its line, of which another one may differ in digits alone. */
interface Shape {
  readonly known: Buffer
  /** Where in it the digits begin of `log.offset`, and of the number in the name of the file; -1: it has none. */
  readonly offsetAt: number
  readonly fileAt: number
  /** So much of it is as a rule the same as in the document before, digits included, which had this number of a file. */
  readonly sameBytes: number
  sameFile: number
}

/** What documents have before their line, or behind it: learned from those that were parsed. */
export class Surroundings {
  readonly #shapes: Shape[] = []
  #last = 0
  /** Of the bytes that were compared last; -1: they do not say. */
  offset = -1
  file = -1

  /** @returns the end of what is as one of the shapes, digits apart; -1: nothing is */
  match(bytes: Buffer, from: number, end: number): number {
    for (let n = 0; n < this.#shapes.length; n++) {
      const place = (this.#last + n) % this.#shapes.length
      const to = this.#matchOne(this.#shapes[place]!, bytes, from, end)
      if (to < 0) continue
      this.#last = place
      return to
    }
    return -1
  }

  #matchOne(shape: Shape, bytes: Buffer, from: number, end: number): number {
    const { known, offsetAt, fileAt, sameBytes } = shape
    const sameTo = from + sameBytes
    if (sameTo > end) return -1
    const isSame = bytes.compare(known, 0, sameBytes, from, sameTo) === 0
    let isAligned = true
    let at = isSame ? sameTo : from
    this.offset = -1
    this.file = isSame ? shape.sameFile : -1
    for (let n = at - from; n < known.length;) {
      const wanted = known[n]!
      if (wanted < zero || wanted > nine) {
        if (bytes[at] !== wanted) return -1
        n++
        at++
        continue
      }
      const digitsFrom = at
      let value = 0
      for (; at < end && bytes[at]! >= zero && bytes[at]! <= nine; at++) value = value * 10 + bytes[at]! - zero
      if (at === digitsFrom) return -1
      // In JSON no number begins so.
      if (n === offsetAt && bytes[digitsFrom] === zero && at > digitsFrom + 1) return -1
      if (n === offsetAt) this.offset = value
      if (n === fileAt) this.file = value
      while (n < known.length && known[n]! >= zero && known[n]! <= nine) n++
      if (n <= sameBytes && n !== at - from) isAligned = false
    }
    if (at > end) return -1
    if (!isSame && isAligned) {
      bytes.copy(known, 0, from, sameTo)
      shape.sameFile = this.file
    }
    return at
  }

  /** @param bytes  of a document that was parsed, and is right  @param offset  its `log.offset`; undefined: it has none */
  learn(bytes: Buffer, offset: number | undefined, hasPath: boolean): void {
    const known = Buffer.from(bytes)
    const text = known.toString('latin1')
    const found = [...text.matchAll(/"offset": ?(\d+)/g)].find(([, digits]) => Number(digits) === offset)
    const path = hasPath ? [...text.matchAll(/\/app-(\d+)\.log/g)].at(-1) : undefined
    const offsetAt = found === undefined ? -1 : found.index + found[0].length - found[1]!.length
    const shape = {
      known,
      offsetAt,
      sameBytes: offsetAt < 0 ? known.length : offsetAt,
      sameFile: -1,
      fileAt: path === undefined ? -1 : path.index + '/app-'.length,
    }
    if (this.#shapes.length === shapesMax) this.#shapes.shift()
    if (shape.fileAt >= 0 && shape.fileAt < shape.sameBytes) shape.sameFile = Number(path![1])
    this.#shapes.push(shape)
    this.#last = this.#shapes.length - 1
  }
}
