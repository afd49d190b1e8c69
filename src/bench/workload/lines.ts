import { assert } from '../../base/errors.ts'
import type { Mix } from '../types.ts'
import { headBytes, HeadStamp } from './head.ts'
import { readSample } from './sample.ts'
import { type LineText, makeLines } from './text.ts'

/**
 * So much text is made once, and goes round: far more than the 32 KiB that gzip looks back, and no more than fits into a
 * second-level cache. Line `number` of a file is the text at (start of the file + number) mod count, behind its own head.
 */
const roundBytes = 1024 * 1024

/** @throws RemoraError when it is a sample that cannot be taken */
export function textsOf(mix: Mix, seed: number): readonly LineText[] {
  return mix.kind === 'sample' ? readSample(mix.path) : makeLines(mix.kind, seed, roundBytes, headBytes)
}

/** Where in the round a file begins: files that are written side by side do not say the same. */
export function startOf(seed: number, file: number, count: number): number {
  let hash = Math.imul(seed ^ 0x51ed270b, 0x9e3779b1) ^ Math.imul(file + 1, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return ((hash ^ (hash >>> 13)) >>> 0) % count
}

/**
 * The lines of a workload as bytes to be written. The text of the whole round lies in one piece of memory, into which
 * the heads are put in place: a block of lines costs their heads, and no copy.
 */
export class LineRing {
  readonly bytes: Buffer
  readonly count: number
  readonly #seed: number
  /** Of each line, and the end of the last. */
  readonly #starts: Int32Array
  readonly #headAts: Int32Array
  readonly #stamp = new HeadStamp()
  readonly #firsts = new Map<number, number>()
  /** Of the lines put last: where they lie, and how many they are. */
  from = 0
  to = 0
  lines = 0

  constructor(texts: readonly LineText[], seed: number) {
    assert(texts.length > 0, 'a workload has lines')
    this.#seed = seed
    this.count = texts.length
    this.#starts = new Int32Array(texts.length + 1)
    this.#headAts = new Int32Array(texts.length)
    const pieces: Buffer[] = []
    const head = Buffer.alloc(headBytes)
    const newline = Buffer.from('\n')
    let at = 0
    for (const [n, { before, after }] of texts.entries()) {
      this.#starts[n] = at
      this.#headAts[n] = at + before.length
      pieces.push(before, head, after, newline)
      at += before.length + headBytes + after.length + 1
    }
    this.#starts[texts.length] = at
    this.bytes = Buffer.concat(pieces)
  }

  get meanBytes(): number {
    return this.bytes.length / this.count
  }

  /**
   * Puts lines of a file from `number` on: as many as `wantedBytes` need, one at least, and no more than there are to the
   * end of the round.
   */
  put(file: number, number: number, timeUs: number, wantedBytes: number): void {
    let first = this.#firsts.get(file)
    if (first === undefined) this.#firsts.set(file, (first = startOf(this.#seed, file, this.count)))
    const from = (first + number) % this.count
    this.#stamp.set(file, timeUs)
    const start = this.#starts[from]!
    let place = from
    do {
      this.#stamp.put(this.bytes, this.#headAts[place]!, number + place - from)
      place++
    } while (place < this.count && this.#starts[place]! - start < wantedBytes)
    this.from = start
    this.to = this.#starts[place]!
    this.lines = place - from
  }
}
