import { Random } from '../../model/random.ts'

/** What every life of a file begins with: the same bytes, without any digit. */
export const banner = '=== application log begins ==='

const numberDigits = 10
const poolBytes = 1 << 16
const lineBytesMin = 40
/** What JSON must escape or what takes several bytes; in one of `oddEvery` lines. */
const odd = Buffer.from(' "C:\\tmp\\new" \t\u0001 Größe 注文 😀')
const oddEvery = 16

/** The lines of one storm: each begins with its number, and the rest of it follows from seed and number. */
export class StormLines {
  readonly #pool: Buffer
  readonly #spreadBytes: number
  readonly #scratch = Buffer.alloc(1 << 16)

  /** @param meanBytes  of a line, its newline included */
  constructor(seed: number, meanBytes: number) {
    const random = new Random(seed)
    this.#pool = Buffer.alloc(poolBytes)
    for (let at = 0; at < poolBytes; at++) this.#pool[at] = random.pick(letters)
    this.#spreadBytes = Math.max(1, Math.min(2 * (meanBytes - lineBytesMin), this.#scratch.length - 256))
  }

  /** Writes line `number` with its newline into `target`. @returns where it ends */
  put(target: Buffer, at: number, number: number): number {
    const mixed = Math.imul(number, 0x9e3779b1) >>> 0
    const bytes = lineBytesMin - numberDigits + (mixed % this.#spreadBytes)
    const from = (mixed >>> 8) % (poolBytes / 2)
    let end = at + target.write(String(number).padStart(numberDigits, '0'), at, 'latin1')
    target[end++] = 0x20
    end += this.#pool.copy(target, end, from, Math.min(from + bytes, poolBytes))
    if (number % oddEvery === 0) end += odd.copy(target, end)
    target[end++] = 0x0a
    return end
  }

  /** The number of a line, when `bytes` from `from` to `to` are exactly that line without its newline; else 0. */
  numberOf(bytes: Buffer, from: number, to: number): number {
    let number = 0
    for (let at = from; at < from + numberDigits; at++) {
      const digit = (bytes[at] ?? 0) - 0x30
      if (digit < 0 || digit > 9) return 0
      number = number * 10 + digit
    }
    const end = this.put(this.#scratch, 0, number) - 1
    return end === to - from && this.#scratch.compare(bytes, from, to, 0, end) === 0 ? number : 0
  }
}

/** What stands for itself in JSON. */
const letters = Array.from({ length: 95 }, (_, n) => n + 32).filter((code) => code !== 0x22 && code !== 0x5c)
