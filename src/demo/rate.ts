const windowMs = 2_000

/** How fast a counter has been growing of late. */
export class Rate {
  #samples: { readonly atMs: number; readonly count: number }[] = []

  /** @param atMs  never earlier than the one before */
  add(atMs: number, count: number): void {
    this.#samples.push({ atMs, count })
    // One sample from before the window stays: the rate is that over the whole window.
    while ((this.#samples[1]?.atMs ?? Infinity) <= atMs - windowMs) this.#samples.shift()
  }

  perSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0
    return ((last.count - first.count) / (last.atMs - first.atMs)) * 1000
  }
}
