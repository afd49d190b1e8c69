import type { Latency } from '../types.ts'

/** Each bucket is so much wider than the one before; its middle is within half of that of whatever is in it. */
const growth = 1.01
const growthLog = Math.log(growth)
/** From 1 µs, below which all is one, to a day. */
const buckets = Math.ceil(Math.log(86_400e6) / growthLog) + 2
/** Of what is told, so many buckets are one. */
const shownTogether = 10

/** Latencies in µs: counts by size, and the largest. Takes the same room for any number of them. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(buckets)
  #lines = 0
  #maxUs = 0

  add(latencyUs: number, lines: number): void {
    const bucket = latencyUs <= 1 ? 0 : Math.min(buckets - 1, 1 + Math.floor(Math.log(latencyUs) / growthLog))
    this.#counts[bucket]! += lines
    this.#lines += lines
    if (latencyUs > this.#maxUs) this.#maxUs = latencyUs
  }

  /** Undefined when nothing was added. */
  latency(): Latency | undefined {
    if (this.#lines === 0) return undefined
    const [p50Ms, p90Ms, p99Ms] = [0.5, 0.9, 0.99].map((share) => this.#quantileUs(share) / 1e3)
    return {
      lines: this.#lines,
      p50Ms: p50Ms!,
      p90Ms: p90Ms!,
      p99Ms: p99Ms!,
      maxMs: this.#maxUs / 1e3,
      histogram: this.#shown(),
    }
  }

  /** Of the line that comes at this share in order of latency. */
  #quantileUs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#lines))
    let below = 0
    for (let n = 0; n < buckets; n++) {
      below += this.#counts[n]!
      if (below >= wanted) return Math.min(n === 0 ? 1 : growth ** (n - 0.5), this.#maxUs)
    }
    return this.#maxUs
  }

  /** From the last edge with nothing below it to the first with everything. */
  #shown(): Latency['histogram'] {
    const edges: { upToMs: number; lines: number }[] = []
    let below = 0
    for (let from = 0; from < buckets && below < this.#lines; from += shownTogether) {
      const to = Math.min(from + shownTogether, buckets)
      const before = below
      for (let n = from; n < to; n++) below += this.#counts[n]!
      if (before === 0 && below > 0 && from > 0) edges.push({ upToMs: growth ** (from - 1) / 1e3, lines: 0 })
      if (below > 0) edges.push({ upToMs: growth ** (to - 1) / 1e3, lines: below })
    }
    return edges
  }
}
