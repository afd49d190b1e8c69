import { openSync, readSync, closeSync } from 'node:fs'

/** Two 32-bit lanes of one 64-bit hash, of the text hashed last. Reused: millions of lines make no garbage. */
const lanes = new Uint32Array(2)

/** Hashes the UTF-16 units of `text` into `lanes`; two lanes, since 32 bits collide among millions of lines. */
function hashText(text: string): void {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    high = Math.imul(high ^ unit, 2654435761)
    low = Math.imul(low ^ unit, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  lanes[0] = high
  lanes[1] = low
}

/** A hash of a bag of texts: the same whatever the order, different when one is missing, doubled or changed. */
export class BagHash {
  private readonly sums = new Uint32Array(2)
  private mixed = 0
  count = 0

  add(text: string): void {
    hashText(text)
    this.sums[0] = (this.sums[0] ?? 0) + (lanes[0] ?? 0)
    this.sums[1] = (this.sums[1] ?? 0) + (lanes[1] ?? 0)
    this.mixed ^= Math.imul((lanes[0] ?? 0) ^ ((lanes[1] ?? 0) >>> 7), 2654435761)
    this.count += 1
  }

  digest(): string {
    const parts = [this.count, this.sums[0] ?? 0, this.sums[1] ?? 0, this.mixed >>> 0]
    return parts.map((part) => part.toString(16)).join('-')
  }
}

/**
 * Which texts were seen, 8 bytes each: open addressing over 64-bit hashes. Two different texts are taken for the same
 * with a chance of about one in ten million among two million.
 */
export class SeenSet {
  private slots: Uint32Array
  size = 0

  constructor(slotCount = 1 << 16) {
    this.slots = new Uint32Array(slotCount * 2)
  }

  /** False when it was there already. */
  add(text: string): boolean {
    hashText(text)
    // An empty slot is two zeros, so that one hash is moved aside.
    const low = (lanes[1] ?? 0) === 0 ? 1 : (lanes[1] ?? 0)
    if (!this.insert(lanes[0] ?? 0, low)) return false
    this.size += 1
    if (this.size * 4 > this.slots.length) this.grow()
    return true
  }

  private insert(high: number, low: number): boolean {
    const mask = this.slots.length / 2 - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const heldLow = this.slots[slot * 2 + 1] ?? 0
      if (heldLow === 0) {
        this.slots[slot * 2] = high
        this.slots[slot * 2 + 1] = low
        return true
      }
      if (heldLow === low && this.slots[slot * 2] === high) return false
    }
  }

  private grow(): void {
    const old = this.slots
    this.slots = new Uint32Array(old.length * 2)
    for (let at = 0; at < old.length; at += 2) {
      if ((old[at + 1] ?? 0) !== 0) this.insert(old[at] ?? 0, old[at + 1] ?? 0)
    }
  }
}

/** What a strict sink knows of every document it was sent. */
export class Inspection {
  readonly #seen: ((message: string) => void) | undefined
  readonly ids = new SeenSet()
  readonly messages = new BagHash()
  duplicates = 0
  withoutId = 0

  /** @param seen  is told each message as it arrives */
  constructor(seen?: (message: string) => void) {
    this.#seen = seen
  }

  /** @throws SyntaxError when a line of the body is not JSON, or Error when it is not pairs of action and document */
  inspect(body: Buffer): void {
    const lines = body.toString('utf8').split('\n')
    if (lines.pop() !== '') throw new Error('a bulk body must end with a newline')
    if (lines.length % 2 !== 0) throw new Error('a bulk body must be pairs of an action and a document')
    for (let at = 0; at < lines.length; at += 2) {
      const action: { create?: { _id?: string } } = JSON.parse(lines[at] ?? '')
      const document: { message?: unknown } = JSON.parse(lines[at + 1] ?? '')
      const { _id: id } = action.create ?? {}
      if (id === undefined) this.withoutId += 1
      else if (!this.ids.add(id)) this.duplicates += 1
      if (typeof document.message !== 'string') throw new Error('a document has no message')
      this.messages.add(document.message)
      this.#seen?.(document.message)
    }
  }
}

/** The bag of the messages that the lines of a file must become: without `\r\n`, invalid UTF-8 as U+FFFD. */
export function messagesOfFile(path: string): BagHash {
  const bag = new BagHash()
  const fd = openSync(path, 'r')
  const block = Buffer.allocUnsafe(4 << 20)
  let held = 0
  try {
    for (;;) {
      const got = readSync(fd, block, held, block.length - held, null)
      if (got === 0) break
      const filled = held + got
      const end = block.lastIndexOf(0x0a, filled - 1)
      if (end < 0) throw new Error(`a line is longer than ${block.length} bytes`)
      const lines = block.toString('utf8', 0, end).split('\n')
      for (const line of lines) bag.add(line.endsWith('\r') ? line.slice(0, -1) : line)
      held = filled - end - 1
      block.copyWithin(0, end + 1, filled)
    }
  } finally {
    closeSync(fd)
  }
  return bag
}
