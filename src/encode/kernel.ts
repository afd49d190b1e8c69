import { readFileSync } from 'node:fs'
import { assert } from '../base/errors.ts'
import { places, type Charset, type Place } from '../base/charset.ts'
import { inputAt, prefixAt, prefixBytesMax, resultAt, slackBytes, suffixAt, suffixBytesMax } from './layout.ts'
import type { Template } from './template.ts'

/** Why `encode` came back: all whole lines are out, the output has no room for the next, or the count is reached. */
export const stops = ['input', 'output', 'documents'] as const
export type Stop = (typeof stops)[number]

export interface Encoded {
  /** Bytes of the input whose documents are out, or that belong to the rest of a cut line. */
  consumedBytes: number
  documents: number
  /** Lines that were longer than the limit. */
  cutLines: number
  stop: Stop
  /** The next byte stands inside a line that was cut. */
  skipping: boolean
  /** Bytes of the input known to hold no further newline behind `consumedBytes`. */
  searchedBytes: number
  /** Of the consumed bytes, the NUL bytes of holes. */
  skippedBytes: number
  /** Where the written NDJSON ends, from the start of the output. */
  outputBytes: number
}

interface Exports {
  initialize(lineBytesMax: number): void
  template(prefixBytes: number, suffixBytes: number, idHole: number): void
  encode(
    input: number,
    length: number,
    output: number,
    outputEnd: number,
    offset: bigint,
    documentsMax: number,
    final: number,
    place: number,
  ): number
  encodeWide(
    input: number,
    length: number,
    output: number,
    outputEnd: number,
    offset: bigint,
    documentsMax: number,
    final: number,
    place: number,
    swap: number,
  ): number
  hash(at: number, length: number): bigint
}

let compiled: WebAssembly.Module | undefined

function moduleOf(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('kernel.wasm', import.meta.url)))
  return compiled
}

const pageBytes = 65536

/** One instance of the kernel with its own memory, which never grows: growing would detach the views of a body. */
export class Kernel {
  /** Where the reader puts bytes. */
  readonly input: Uint8Array
  /** Finished NDJSON; a bulk body is a part of it. */
  readonly output: Buffer
  readonly memoryBytes: number
  readonly #all: Buffer
  readonly #exports: Exports
  readonly #outputAt: number
  readonly #result: Uint32Array
  readonly #encoded: Encoded
  #template: Template | undefined

  /** @param lineBytesMax  a line with more bytes is cut  @param inputBytes  at least `lineBytesMax` + 2 */
  constructor(inputBytes: number, outputBytes: number, lineBytesMax: number) {
    assert(inputBytes >= lineBytesMax + 2, 'the input must hold the longest line')
    this.#outputAt = inputAt + Math.ceil((inputBytes + slackBytes) / 64) * 64
    const pages = Math.ceil((this.#outputAt + outputBytes + slackBytes) / pageBytes)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const instance = new WebAssembly.Instance(moduleOf(), { env: { memory } })
    this.#exports = instance.exports as unknown as Exports
    this.#exports.initialize(lineBytesMax)
    this.memoryBytes = pages * pageBytes
    this.#all = Buffer.from(memory.buffer)
    this.input = new Uint8Array(memory.buffer, inputAt, inputBytes)
    this.output = Buffer.from(memory.buffer, this.#outputAt, outputBytes)
    this.#result = new Uint32Array(memory.buffer, resultAt, 7)
    this.#encoded = {
      consumedBytes: 0,
      documents: 0,
      cutLines: 0,
      stop: 'input',
      skipping: false,
      searchedBytes: 0,
      skippedBytes: 0,
      outputBytes: 0,
    }
  }

  /** What stands around each message from now on; the same object again costs nothing. */
  use(template: Template): void {
    if (template === this.#template) return
    assert(template.prefix.length <= prefixBytesMax && template.suffix.length <= suffixBytesMax, 'template too long')
    this.#all.set(template.prefix, prefixAt)
    this.#all.set(template.suffix, suffixAt)
    this.#exports.template(template.prefix.length, template.suffix.length, template.idHoleAt)
    this.#template = template
  }

  /**
   * Encodes whole lines of the input, from byte `from` to byte `to`, behind `outputFrom`. A run of NUL bytes is passed as a
   * hole when it stands at a line's start and has `limits.holeBytesMin` or more; elsewhere they are text.
   *
   * @param offset   of byte `from` in its generation
   * @param final    a last line without a newline is a line
   * @param charset  of the input; a byte order mark is text here. In UTF-16 `from` is a character's first byte, and the limit
   *                 of a line counts its bytes in the file, not those of the UTF-8 that is sent
   * @returns        one object, the same at each call: read it before the next
   */
  encode(
    from: number,
    to: number,
    outputFrom: number,
    offset: number,
    documentsMax: number,
    final: boolean,
    place: Place,
    charset: Charset = 'utf-8',
  ): Encoded {
    const input = inputAt + from
    const output = this.#outputAt + outputFrom
    const outputEnd = this.#outputAt + this.output.length
    const [at, last, start] = [BigInt(offset), final ? 1 : 0, places.indexOf(place)]
    const end =
      charset === 'utf-8'
        ? this.#exports.encode(input, to - from, output, outputEnd, at, documentsMax, last, start)
        : this.#exports.encodeWide(
            input,
            to - from,
            output,
            outputEnd,
            at,
            documentsMax,
            last,
            start,
            charset === 'utf-16be' ? 1 : 0,
          )
    const result = this.#result
    const encoded = this.#encoded
    encoded.consumedBytes = result[0]!
    encoded.documents = result[1]!
    encoded.cutLines = result[2]!
    encoded.stop = stops[result[3]!]!
    encoded.skipping = result[4] === 1
    encoded.searchedBytes = result[5]!
    encoded.skippedBytes = result[6]!
    encoded.outputBytes = end - this.#outputAt
    return encoded
  }

  /** XXH64 of a part of the input: for tests against published vectors. */
  hash(from: number, to: number): bigint {
    return BigInt.asUintN(64, this.#exports.hash(inputAt + from, to - from))
  }
}
