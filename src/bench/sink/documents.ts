/** The documents of one request, as numbers. Used again for the next one. */
export class Documents {
  count = 0
  /** -1: it has no line of this workload. */
  files = new Int32Array(1024)
  numbers = new Int32Array(1024)
  /** Of the `_id`, 64 bits; 0, 0: it has none. */
  idHighs = new Uint32Array(1024)
  idLows = new Uint32Array(1024)
  /** Of the head, µs of the day. */
  timesUs = new Float64Array(1024)
  /** 1: the line is not as it was written. */
  wrongs = new Uint8Array(1024)
  /** `index` instead of `create`. */
  isIndex = false

  clear(): void {
    this.count = 0
  }

  add(file: number, number: number, timeUs: number, idHigh: number, idLow: number, isWrong: boolean): void {
    const at = this.count++
    if (at === this.files.length) this.#grow()
    this.files[at] = file
    this.numbers[at] = number
    this.timesUs[at] = timeUs
    this.idHighs[at] = idHigh
    this.idLows[at] = idLow
    this.wrongs[at] = isWrong ? 1 : 0
  }

  #grow(): void {
    const length = this.files.length * 2
    this.files = longer(new Int32Array(length), this.files)
    this.numbers = longer(new Int32Array(length), this.numbers)
    this.idHighs = longer(new Uint32Array(length), this.idHighs)
    this.idLows = longer(new Uint32Array(length), this.idLows)
    this.timesUs = longer(new Float64Array(length), this.timesUs)
    this.wrongs = longer(new Uint8Array(length), this.wrongs)
  }
}

function longer<T extends Int32Array | Uint32Array | Float64Array | Uint8Array>(made: T, held: T): T {
  made.set(held)
  return made
}
