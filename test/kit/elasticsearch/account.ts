// oxlint-disable no-underscore-dangle -- Elasticsearch's own names
import { hash } from 'node:crypto'
import type { Elasticsearch } from './client.ts'
import { FingerprintSet } from './fingerprints.ts'
import { scanPages } from './scan.ts'

/** What a test compares of an index and of what was written: equal accounts, equal text in every line. */
export interface Account {
  readonly documents: number
  /** Fewer than `documents` when an `_id` occurs in more than one backing index. */
  readonly distinctIds: number
  /** 32 hexadecimal digits: the sum, mod 2^128, of the first 16 bytes of the SHA-256 of each text, in any order. */
  readonly digest: string
}

export interface AccountOptions {
  /** The fields of `_source` that `text` reads. */
  readonly sourceFilter?: readonly string[]
  /** The text of a document; its `message` unless told. */
  // oxlint-disable-next-line typescript/no-explicit-any -- any document
  readonly text?: (source: any) => string
}

// Measured with 1,000,000 documents on two cores: 1 part 8.7 s, 2 parts 5.3 s, 4 parts 5.1 s.
const parts = 2
const pageDocuments = 5_000

/** The account of every document of an index, data stream or pattern. */
export async function accountOf(server: Elasticsearch, index: string, options: AccountOptions = {}): Promise<Account> {
  const { sourceFilter = ['message'], text = (source) => source.message } = options
  const lines = new LineAccount()
  const ids = new FingerprintSet()
  const readPart = async (id: number) => {
    for await (const page of scanPages(server, index, { sourceFilter, pageDocuments, slice: { id, max: parts } })) {
      for (const hit of page) {
        ids.add(hit._id)
        lines.add(text(hit._source))
      }
    }
  }
  await Promise.all(Array.from({ length: parts }, (_, id) => readPart(id)))
  return { documents: lines.count, distinctIds: ids.size, digest: lines.digest() }
}

/** The account of lines that a test wrote: `account()` is what an index with exactly these lines must have. */
export class LineAccount {
  count = 0
  // Four words of 32 bits, the least first; as numbers they hold 2^20 sums before the carry must move on.
  readonly #words = new Float64Array(4)

  /** @param text one line without its newline, as a string or as UTF-8 */
  add(text: string | Uint8Array): void {
    const sum = hash('sha256', text, 'buffer')
    for (let word = 0; word < 4; word++) this.#words[word] = (this.#words[word] ?? 0) + sum.readUInt32LE(word * 4)
    this.count++
    if (this.count % 0x100000 === 0) this.#carry()
  }

  digest(): string {
    this.#carry()
    const words = [...this.#words].toReversed()
    return words.map((word) => word.toString(16).padStart(8, '0')).join('')
  }

  account(): Account {
    return { documents: this.count, distinctIds: this.count, digest: this.digest() }
  }

  #carry(): void {
    let carry = 0
    for (let word = 0; word < 4; word++) {
      const value = (this.#words[word] ?? 0) + carry
      this.#words[word] = value % 0x1_0000_0000
      carry = Math.floor(value / 0x1_0000_0000)
    }
  }
}
