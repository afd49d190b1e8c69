import { BagHash } from '../../../bench/strict.ts'
import { decode, lineAt } from '../../encode/reference.ts'
import { Random } from '../../model/random.ts'

const poolBytes = 1 << 20
/** More of them where a line would begin are a hole, which is skipped. */
const nulBytesMax = 511
const newline = 0x0a
const carriageReturn = 0x0d
const text = 'GET /orders/42 "größer" C:\\tmp\\x\t注文が届きました 😀👩‍👩‍👧 Ω≈ç√ <script>\u0000\u0001\u007f\u2028 ok; '

/**
 * Lines of any bytes but the newline: bytes without any sense, text that is cut anywhere, NULs, carriage returns, empty
 * lines, lines over the limit. What must become of them is said by the reference, not by the kernel.
 */
export class RandomLines {
  /** The texts of all lines so far. */
  readonly expected = new BagHash()
  bytes = 0
  /** Lines over the limit. */
  cut = 0
  readonly #random: Random
  readonly #lineBytesMax: number
  readonly #pools: readonly Buffer[]
  readonly #nuls = Buffer.alloc(nulBytesMax)

  constructor(seed: number, lineBytesMax: number) {
    this.#random = new Random(seed)
    this.#lineBytesMax = lineBytesMax
    const noise = Buffer.alloc(poolBytes)
    for (let at = 0; at < poolBytes; at++) {
      const byte = this.#random.between(0, 254)
      noise[at] = byte >= newline ? byte + 1 : byte
    }
    const sense = Buffer.alloc(poolBytes, text)
    this.#pools = [noise, noise, noise, sense, sense]
  }

  /** The longest line with its end. */
  get longestBytes(): number {
    return this.#lineBytesMax * 3 + 2
  }

  /** A line that no guess about a whole file can be built on: the first one of each. */
  putFirst(target: Buffer, at: number, life: number): number {
    return this.#end(target, at, at + target.write(`file ${life} begins`, at))
  }

  /** Puts one line with its newline into `target`. @returns where it ends */
  put(target: Buffer, at: number): number {
    const random = this.#random
    const pool = random.chance(0.02) ? this.#nuls : random.pick(this.#pools)
    const bytes = Math.min(this.#lengthOf(), pool === this.#nuls ? nulBytesMax : Infinity)
    const from = random.between(0, pool.length - bytes)
    let end = at + pool.copy(target, at, from, from + bytes)
    while (random.chance(0.1) && end - at < this.longestBytes - 1) target[end++] = carriageReturn
    return this.#end(target, at, end)
  }

  #lengthOf(): number {
    const random = this.#random
    const kind = random.next()
    if (kind < 0.05) return 0
    if (kind < 0.9) return random.between(1, 100)
    if (kind < 0.9996) return random.between(100, 600)
    // Around the limit, and far beyond it.
    if (kind < 0.9998) return random.between(this.#lineBytesMax - 4, this.#lineBytesMax + 4)
    return random.between(this.#lineBytesMax, this.#lineBytesMax * 2)
  }

  #end(target: Buffer, at: number, end: number): number {
    target[end] = newline
    const line = lineAt(target.subarray(at, end + 1), 0, this.#lineBytesMax, true)!
    if (line.cut) this.cut++
    this.expected.add(decode(line.bytes))
    this.bytes += end + 1 - at
    return end + 1
  }
}
