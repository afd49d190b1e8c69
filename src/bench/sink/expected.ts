import type { LineText } from '../workload/text.ts'
import { startOf } from '../workload/lines.ts'
import { headBytes } from '../workload/head.ts'

/** From here on the native comparison is faster than a loop. */
const nativeBytesMin = 48
const quote = 0x22

/** Every line of a workload, as it must be in a document. */
export class ExpectedLines {
  readonly files: number
  readonly #texts: readonly LineText[]
  readonly #count: number
  /** What is before and behind the head of each text, as JSON has it: before 0, after 0, before 1, … and where each begins. */
  readonly #escaped: Buffer
  readonly #edges: Int32Array
  readonly #lengths: Int32Array
  /** Bytes of all lines of the round before each. */
  readonly #sums: Float64Array
  readonly #rotates: boolean
  /** Of what matched last: where its text begins. */
  textFrom = 0
  readonly #firsts: Int32Array
  /** The same unescaped; made only where texts are parsed. */
  #decoded: readonly (readonly [before: string, after: string])[] = []

  /** @param rotates  offsets count from the begin of a file's last life, which is not known here */
  constructor(texts: readonly LineText[], seed: number, files: number, rotates = false) {
    this.#rotates = rotates
    this.files = files
    this.#texts = texts
    this.#count = texts.length
    const parts = texts.flatMap(({ before, after }) => [escaped(before), escaped(after)])
    this.#edges = new Int32Array(parts.length + 1)
    for (const [n, part] of parts.entries()) this.#edges[n + 1] = this.#edges[n]! + part.length
    this.#escaped = Buffer.concat(parts)
    this.#lengths = Int32Array.from(texts, ({ before, after }) => before.length + headBytes + after.length + 1)
    this.#sums = new Float64Array(this.#count + 1)
    for (const [n, bytes] of this.#lengths.entries()) this.#sums[n + 1] = this.#sums[n]! + bytes
    this.#firsts = Int32Array.from({ length: files }, (_, file) => startOf(seed, file, this.#count))
  }

  /** Of the line in its file, newline included. */
  bytesOf(file: number, number: number): number {
    return this.#lengths[this.#placeOf(file, number)]!
  }

  /** Where the line begins in what was written to its file, in all its lives. */
  offsetOf(file: number, number: number): number {
    const first = this.#firsts[file]! + 1
    return this.#sumOf(first + number - 1) - this.#sumOf(first)
  }

  /** Whether a document may say that its line begins at `offset`. */
  isOffset(offset: number, file: number, number: number): boolean {
    const exact = this.offsetOf(file, number)
    return this.#rotates ? offset >= 0 && offset <= exact : offset === exact
  }

  /** Of so many lines of the round, which goes on and on. */
  #sumOf(lines: number): number {
    return Math.floor(lines / this.#count) * this.#sums[this.#count]! + this.#sums[lines % this.#count]!
  }

  get meanBytes(): number {
    return this.#lengths.reduce((sum, bytes) => sum + bytes, 0) / this.#count
  }

  /**
   * Whether the head at `headAt` stands in a JSON text that is this line, byte for byte, as a value of some field.
   * @returns the place of its closing quote; -1: not so, or `end` comes before
   */
  match(bytes: Buffer, from: number, headAt: number, end: number, file: number, number: number): number {
    const place = this.#placeOf(file, number) * 2
    const edges = this.#edges
    const beforeFrom = edges[place]!
    const afterFrom = edges[place + 1]!
    const afterTo = edges[place + 2]!
    const textFrom = headAt - (afterFrom - beforeFrom)
    // `"message":"` or `"message": "`
    if (textFrom < from + 2 || bytes[textFrom - 1] !== quote) return -1
    if (bytes[textFrom - 2] !== 0x3a && bytes[textFrom - 2] !== 0x20) return -1
    const textTo = headAt + headBytes + afterTo - afterFrom
    if (textTo >= end || bytes[textTo] !== quote) return -1
    const same =
      isSame(bytes, textFrom, this.#escaped, beforeFrom, afterFrom) &&
      isSame(bytes, headAt + headBytes, this.#escaped, afterFrom, afterTo)
    this.textFrom = textFrom
    return same ? textTo : -1
  }

  /** The same for a text that has been parsed, with its head cut out. */
  isText(text: string, headAt: number, file: number, number: number): boolean {
    if (this.#decoded.length === 0) {
      this.#decoded = this.#texts.map((each) => [each.before.toString(), each.after.toString()] as const)
    }
    const [before, after] = this.#decoded[this.#placeOf(file, number)]!
    if (text.length !== before.length + headBytes + after.length || headAt !== before.length) return false
    return text.startsWith(before) && text.endsWith(after)
  }

  #placeOf(file: number, number: number): number {
    return (this.#firsts[file]! + number) % this.#count
  }
}

function isSame(bytes: Buffer, at: number, other: Buffer, from: number, to: number): boolean {
  const length = to - from
  if (length >= nativeBytesMin) return bytes.compare(other, from, to, at, at + length) === 0
  for (let n = 0; n < length; n++) if (bytes[at + n] !== other[from + n]) return false
  return true
}

/** As the agent writes it, which is as `JSON.stringify` does; without the quotes. Invalid UTF-8 is U+FFFD. */
function escaped(bytes: Buffer): Buffer {
  return Buffer.from(JSON.stringify(bytes.toString()).slice(1, -1))
}
