/** With nothing waiting there, a request takes no longer than so many times as long as one of its size did, and this. */
const idleFactor = 2
const idleSpareMs = 5
/** The shortest times give way by so much with each request; and how long they took lately is smoothed by so much. */
const drift = 1.001
const smoothing = 1 / 4

/** Clearly less than what the server took. What it took is worth so much less with each refusal of all that is sent. */
const lessShare = 0.95
const forgetting = 0.1
/** So often in a row it may be for something else; a server that takes nothing has too much to do. */
const inARowMax = 3

/** How much is refused anyway is smoothed by so much. What is refused of one answer may be above it by so much. */
const shareSmoothing = 1 / 16
const shareFactor = 1.5

/** A request that was answered. */
export interface Answered {
  readonly bytes: number
  /** Of these, the ones that were not taken. */
  readonly leftBytes: number
  readonly tookMs: number
  /** Together with all that was on its way at that time. */
  readonly onWayBytes: number
  /** The largest request that the window lets through. */
  readonly requestBytesMax: number
}

/**
 * Refusals that have nothing to do with how much was sent: a proxy's dice, a limit of requests, one shard of several that
 * others keep busy. Halved by each of them the window goes down to nothing, and nothing is won.
 *
 * They are told by two facts: the server has nothing waiting, for it answers as quickly as ever; and it took clearly more a
 * moment ago, or refuses no more of a request than it does of small ones. Of what is too much for a server, the next one that
 * is refused is never smaller than what it took, and of less than that it refuses nothing.
 */
export class Strays {
  #shortestMs = Infinity
  /** For each byte of the quickest request. */
  #eachMs = Infinity
  /** How long requests take that are taken whole, smoothed; from 1 on something waits. */
  #slowness = 0
  /** Most bytes that were on their way and taken. */
  #tookBytes = 0
  #share = 0
  /** Requests in a row of which nothing was taken. */
  #inARow = 0

  /** What share is refused of requests that are not too large: 0 to 1. */
  get share(): number {
    return this.#share
  }

  taken(answered: Answered): void {
    this.#slowness += (this.#slownessOf(answered) - this.#slowness) * smoothing
    this.#tookBytes = Math.max(this.#tookBytes, answered.onWayBytes)
    this.#inARow = 0
    this.#learn(0, answered)
  }

  /**
   * @param least  the window cannot become smaller, and something was taken since the last refusal
   * @returns whether it has nothing to do with the size
   */
  refused(answered: Answered, least: boolean): boolean {
    const { bytes, leftBytes, onWayBytes } = answered
    const share = leftBytes / bytes
    const partly = leftBytes < bytes
    // A part that is taken at once is not in the way of the other one.
    this.#inARow = partly ? 0 : this.#inARow + 1
    const idle = (partly ? this.#slownessOf(answered) : this.#slowness) < 1 && this.#inARow <= inARowMax
    const small = least || onWayBytes < this.#tookBytes * lessShare
    const stray = idle && (small || (partly && share < shareFactor * this.#share))
    this.#tookBytes = Math.max(this.#tookBytes * (1 - forgetting * share), onWayBytes - leftBytes)
    if (small || share < this.#share) this.#learn(share, answered)
    return stray
  }

  #learn(share: number, { bytes, requestBytesMax }: Answered): void {
    // The last documents of a batch are few, and tell little.
    const weight = Math.min(1, bytes / requestBytesMax)
    this.#share += (share - this.#share) * shareSmoothing * weight
  }

  #slownessOf({ bytes, tookMs }: Answered): number {
    this.#shortestMs = Math.min(this.#shortestMs * drift, tookMs)
    this.#eachMs = Math.min(this.#eachMs * drift, tookMs / bytes)
    return tookMs / (idleFactor * Math.max(this.#shortestMs, this.#eachMs * bytes) + idleSpareMs)
  }
}
