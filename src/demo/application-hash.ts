import { createHash } from 'node:crypto'

const modulus = 2n ** 128n

/**
 * A fingerprint of a bag of lines: the sum modulo 2^128 of the first 16 bytes of each line's SHA-256. The order does not
 * matter; a line more, a line less, a line twice and a changed byte all do.
 */
export class LineHashSum {
  #sum = 0n
  #lines = 0

  get lines(): number {
    return this.#lines
  }

  /** @param text one line without its line end; a string counts as its UTF-8 bytes */
  add(text: string | Uint8Array): void {
    const digest = createHash('sha256').update(text).digest()
    this.#sum = (this.#sum + ((digest.readBigUInt64BE(0) << 64n) | digest.readBigUInt64BE(8))) % modulus
    this.#lines++
  }

  /** All lines of `other` as well. */
  merge(other: LineHashSum): void {
    this.#sum = (this.#sum + other.#sum) % modulus
    this.#lines += other.#lines
  }

  /** 32 hexadecimal digits. */
  value(): string {
    return this.#sum.toString(16).padStart(32, '0')
  }
}

/** The `LineHashSum` of all `lines`. */
export function lineHashSum(lines: Iterable<string | Uint8Array>): string {
  const sum = new LineHashSum()
  for (const line of lines) sum.add(line)
  return sum.value()
}
