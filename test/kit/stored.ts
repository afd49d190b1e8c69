import fs from 'node:fs'
import { xxh64 } from '../encode/xxh64.ts'
import type { Elasticsearch } from './elasticsearch.ts'

/** A file of distinct lines that grows; of each it is known where it begins. */
export class WrittenLines {
  readonly path: string
  readonly #texts = new Map<number, string>()
  #offset = 0

  constructor(path: string) {
    this.path = path
  }

  get count(): number {
    return this.#texts.size
  }

  /** By offset. */
  get texts(): ReadonlyMap<number, string> {
    return this.#texts
  }

  /** Appends so many lines, each of about `bytes`, and no two alike. */
  append(lines: number, bytes = 120): void {
    const texts: string[] = []
    for (let n = 0; n < lines; n++) texts.push(lineOf(this.#texts.size + n, bytes))
    this.appendTexts(texts)
  }

  appendTexts(texts: readonly string[]): void {
    let offset = this.#offset
    for (const text of texts) {
      this.#texts.set(offset, text)
      offset += Buffer.byteLength(text) + 1
    }
    fs.appendFileSync(this.path, texts.map((text) => `${text}\n`).join(''))
    this.#offset = offset
  }
}

function lineOf(sequence: number, bytes: number): string {
  const start = `${new Date(1.7e12 + sequence * 7).toISOString()} INFO "order" ${sequence} für 注文\t`
  // Other bytes in each line: what is mixed up shows.
  const filling = Math.imul(sequence + 1, 0x9e3779b1) >>> 0
  return (
    start +
    filling
      .toString(36)
      .repeat(Math.ceil(bytes / 7))
      .slice(0, Math.max(0, bytes - start.length))
  )
}

/** What a target has of what was written. All but `documents` should be 0. */
export interface Stored {
  readonly documents: number
  readonly lost: number
  /** Documents too many for their line. */
  readonly twice: number
  /** Documents whose text is not that of the line at their offset, or whose id does not say so. */
  readonly wrong: number
}

/** Compares every document's id, offset and text with the lines. An id ends with the offset and the hash of the line. */
export async function storedOf(server: Elasticsearch, target: string, written: WrittenLines): Promise<Stored> {
  const seen = new Map<number, number>()
  let documents = 0
  let wrong = 0
  for await (const { _id: id, _source: source } of server.hits(target, { sourceFilter: ['message', 'log.offset'] })) {
    const { message, log } = source as { message: string; log: { offset: number } }
    documents++
    seen.set(log.offset, (seen.get(log.offset) ?? 0) + 1)
    if (written.texts.get(log.offset) !== message || !id.endsWith(idEnd(log.offset, message))) wrong++
  }
  const lost = [...written.texts.keys()].filter((offset) => !seen.has(offset)).length
  let twice = 0
  for (const times of seen.values()) twice += times - 1
  return { documents, lost, twice, wrong }
}

export function allOf(written: WrittenLines): Stored {
  return { documents: written.count, lost: 0, twice: 0, wrong: 0 }
}

function idEnd(offset: number, text: string): string {
  return base64url48(BigInt(offset)) + base64url48(xxh64(Buffer.from(text)))
}

function base64url48(value: bigint): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt.asUintN(48, value))
  return bytes.subarray(2).toString('base64url')
}
