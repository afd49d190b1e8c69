import { assert } from '../base/errors.ts'

/**
 * The only place where log bytes live: a fixed number of slots. No free slot means that nobody reads; that is the
 * whole backpressure. Slots are made when first needed, so that an idle agent has one or two.
 */
export class Arena<Slot> {
  readonly slots: number
  readonly #make: () => Slot
  readonly #free: Slot[] = []
  #made = 0

  /** @param slots  how many at most  @param make  allocates one */
  constructor(slots: number, make: () => Slot) {
    assert(slots >= 1, 'at least one slot')
    this.slots = slots
    this.#make = make
  }

  /** Slots that exist, taken or not. */
  get made(): number {
    return this.#made
  }

  get taken(): number {
    return this.#made - this.#free.length
  }

  /** A slot that nobody else has, or undefined: then the caller stops reading until one is given back. */
  take(): Slot | undefined {
    // Last in, first out: the slot whose pages are still in the cache.
    const slot = this.#free.pop()
    if (slot !== undefined || this.#made === this.slots) return slot
    const made = this.#make()
    this.#made++
    return made
  }

  /** Only for a slot whose request's last byte has left it: it will be written over. */
  give(slot: Slot): void {
    assert(!this.#free.includes(slot) && this.#free.length < this.#made, 'a slot is given back once')
    this.#free.push(slot)
  }
}
