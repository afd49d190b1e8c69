import { hash } from 'node:crypto'

const slotsAtFirst = 1 << 12

/**
 * Counts distinct strings in 16 to 32 bytes each, by 64 bits of their SHA-256: among a million strings the chance
 * that two different ones count as one is 3 in 10^8. Equal strings always count once.
 */
export class FingerprintSet {
  size = 0
  // Open addressing; two words a slot, both zero when it is free.
  #words = new Uint32Array(slotsAtFirst * 2)

  add(text: string): void {
    const sum = hash('sha256', text, 'buffer')
    this.#insert(sum.readUInt32LE(0), sum.readUInt32LE(4) || 1)
    if (this.size * 4 > this.#words.length) this.#grow()
  }

  #insert(low: number, high: number): void {
    const words = this.#words
    const mask = words.length - 1
    let at = (low * 2) & mask
    while (words[at + 1] !== 0) {
      if (words[at] === low && words[at + 1] === high) return
      at = (at + 2) & mask
    }
    words[at] = low
    words[at + 1] = high
    this.size++
  }

  #grow(): void {
    const old = this.#words
    this.#words = new Uint32Array(old.length * 2)
    this.size = 0
    for (let at = 0; at < old.length; at += 2) {
      const high = old[at + 1] ?? 0
      if (high !== 0) this.#insert(old[at] ?? 0, high)
    }
  }
}
