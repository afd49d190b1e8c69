import { assert } from '../base/errors.ts'

/**
 * The only place where log bytes live: a bounded number of slots. No free slot means that nobody reads; that is the
 * whole backpressure. Slots are made when first needed, so that an idle agent has one or two; and their number and shape
 * may change while others hold some: those go when they are given back.
 */
export class Arena<Slot> {
  #slots: number
  #make: () => Slot
  /** Last in, first out: the slot whose pages are still in the cache. */
  #free: Slot[] = []
  /** Free slots that nobody has taken since `trim` was called last: the first ones of `#free`. */
  #unneeded = 0
  /** Slots that somebody holds, each with what made it: another shape is made now, maybe. */
  readonly #taken = new Map<Slot, () => Slot>()
  #dropped = 0

  /** @param slots  how many at most  @param make  allocates one */
  constructor(slots: number, make: () => Slot) {
    assert(slots >= 1, 'at least one slot')
    this.#slots = slots
    this.#make = make
  }

  /** How many there may be now; for a while after they have become fewer there are more. */
  get slots(): number {
    return this.#slots
  }

  /** Slots that exist, taken or not. */
  get made(): number {
    return this.#taken.size + this.#free.length
  }

  get taken(): number {
    return this.#taken.size
  }

  /** Slots that nobody holds any more and whose memory nobody has collected: they count until `collected` is called. */
  get dropped(): number {
    return this.#dropped
  }

  /** A slot that nobody else has, or undefined: then the caller stops reading until one is given back. */
  take(): Slot | undefined {
    if (this.taken >= this.#slots) return undefined
    let slot = this.#free.pop()
    this.#unneeded = Math.min(this.#unneeded, this.#free.length)
    if (slot === undefined) {
      if (this.made + this.#dropped >= this.#slots) return undefined
      slot = this.#make()
    }
    this.#taken.set(slot, this.#make)
    return slot
  }

  /** Only for a slot whose request's last byte has left it: it will be written over. */
  give(slot: Slot): void {
    const made = this.made
    const make = this.#taken.get(slot)
    assert(this.#taken.delete(slot), 'a slot is given back once')
    if (make !== this.#make || made > this.#slots) this.#dropped++
    else this.#free.push(slot)
  }

  /** So many from now on, at least one. */
  resize(slots: number): void {
    assert(slots >= 1, 'at least one slot')
    this.#slots = slots
    this.#dropFree(Math.min(this.#free.length, Math.max(0, this.made - slots)))
  }

  /** So many, and of another shape. */
  reshape(slots: number, make: () => Slot): void {
    this.#make = make
    this.#dropFree(this.#free.length)
    this.resize(slots)
  }

  /** Drops the slots that nobody has needed since the last call. */
  trim(): void {
    this.#dropFree(this.#unneeded)
    this.#unneeded = this.#free.length
  }

  /** The memory of what was dropped has been given back. */
  collected(): void {
    this.#dropped = 0
  }

  #dropFree(count: number): void {
    this.#free.splice(0, count)
    this.#unneeded = Math.max(0, this.#unneeded - count)
    this.#dropped += count
  }
}
