import { assert } from '../base/errors.ts'
import { Strays, type Answered } from './strays.ts'

export interface WindowSizes {
  /** Largest body of one request. */
  readonly batchBytes: number
  /** Most requests at once. */
  readonly concurrencyMax: number
}

/** A request of which the server did not take all. */
export interface Refused {
  readonly bytes: number
  /** Not taken of these. */
  readonly leftBytes: number
  readonly startedMs: number
  /** It says that it has too much to do: that tells of its capacity, also when nothing was taken before. */
  readonly busy: boolean
}

/** The window grows quickly only while requests take no longer than the way there and back and this: who takes longer is busy. */
const quickMs = 250

/** Of the largest body: what a request has at first, and after an outage; and the least that a refused one shrinks to. */
const probeShare = 1 / 64
const leastShare = 1 / 128

/** Below this share of what was refused last the window grows quickly, above it slowly: so few requests are refused. */
const cautiousShare = 0.8
/** Above it, in this many steps by as much again; from so many steps on twice as fast, for the server may have more room now. */
const cautiousSteps = 256
const hastenSteps = 32
/** A refusal that has nothing to do with the size leaves no mark: what was refused before was taken for too little, by so much. */
const strayRaise = 1 / 4

/** A request that takes so many times as long as one alone did: more at once only make the server's queue longer. */
const slowFactor = 3
const slowShare = 0.8
/** The measure of "alone" gives way by so much with each request, and latency is smoothed by so much. */
const baseDrift = 1.001
const smoothing = 0.25

/** At the least window a refusal parts the requests in time; the next ones bring them together again. */
const gapFirstMs = 50
const gapMaxMs = 1_000
const gapShrink = 15 / 16

/** So often in a row it must say so of requests that are smaller than others which it took. */
const disbeliefMax = 4

/** For so long a server is not asked again for requests of a size that was too large for it. */
const ceilingMs = 600_000

/**
 * How many bytes may be on their way at once: what the server has taken lately, and no more. Additive increase,
 * multiplicative decrease, as TCP does it: two hundred sidecars that come back after an outage share what there is.
 * Half of what was refused, then quickly up to near that size, then slowly (as in CUBIC, RFC 9438): what is refused was
 * sent in vain. Refusals that come whatever is sent (`Strays`) make it smaller only by as much as they are usual.
 *
 * The window is requests of the largest size while it holds at least one, and one smaller request otherwise.
 */
export class Window {
  #sizes: WindowSizes
  #bytes: number
  /** Refused last; Infinity: never. */
  #refusedBytes = Infinity
  /** Requests taken near that since then. */
  #steps = 0
  readonly #strays = new Strays()
  #changedAtMs = -Infinity
  /** What changed it was a stray: of those that were on their way with it the same holds. */
  #strayed = false
  /** Since then something was taken: a refusal tells of the server's capacity, not of an outage. */
  #works = false
  #gapMs = 0
  /** The server takes no request that is larger. */
  #ceilingBytes = Infinity
  #ceilingSinceMs = 0
  /** Bytes of the largest request that was taken, and how often a smaller one was too large since. */
  #largestTaken = 0
  #disbelieved = 0
  /** Milliseconds for each byte: one request alone, and the last ones. */
  #baseMs = Infinity
  #latelyMs = 0
  /** A request of any size, lately. */
  #shortestMs = Infinity

  constructor(sizes: WindowSizes) {
    assert(sizes.batchBytes > 0 && sizes.concurrencyMax >= 1, 'a window holds a request')
    this.#sizes = sizes
    this.#bytes = this.#probeBytes
  }

  /** The memory plan is another one. What the server takes is not: only what fits is sent. */
  resize(sizes: WindowSizes): void {
    assert(sizes.batchBytes > 0 && sizes.concurrencyMax >= 1, 'a window holds a request')
    this.#sizes = sizes
    this.#bytes = Math.min(this.#bytes, sizes.concurrencyMax * this.#largestBytes)
  }

  /** Requests at once, 1 to `concurrencyMax`. */
  get concurrency(): number {
    return Math.max(1, Math.min(this.#sizes.concurrencyMax, Math.floor(this.#bytes / this.#largestBytes)))
  }

  /** The body of a request; one document that is larger goes alone. */
  get requestBytesMax(): number {
    return Math.max(1, Math.floor(Math.min(this.#largestBytes, this.#bytes)))
  }

  /** How long to wait between two requests. */
  get gapMs(): number {
    return this.#gapMs
  }

  /**
   * The server took a request.
   *
   * @param tookMs  from its start to the last byte of its answer
   * @param wanted  more was waiting to be sent: the window is in the way
   */
  taken(bytes: number, tookMs: number, nowMs: number, wanted: boolean): void {
    if (nowMs - this.#ceilingSinceMs > ceilingMs) this.#ceilingBytes = Infinity
    this.#works = true
    if (bytes * 2 >= this.#largestTaken) this.#disbelieved = 0
    this.#largestTaken = Math.max(this.#largestTaken, bytes)
    this.#gapMs *= gapShrink
    if (this.#gapMs < gapFirstMs / 2) this.#gapMs = 0
    this.#strays.taken(this.#answered(bytes, 0, tookMs))
    this.#notice(bytes, tookMs, nowMs)
    this.#grow(bytes, tookMs, wanted)
  }

  #grow(bytes: number, tookMs: number, wanted: boolean): void {
    const full = bytes * 2 >= this.requestBytesMax
    if (this.#gapMs > 0 || !(full || wanted)) return
    const near = this.#refusedBytes * cautiousShare
    this.#shortestMs = Math.min(this.#shortestMs * baseDrift, tookMs)
    if (this.#bytes < near && tookMs < quickMs + 2 * this.#shortestMs) {
      this.#bytes = Math.min(this.#bytes + bytes, near)
    } else {
      const hasten = 2 ** Math.min(5, Math.floor(this.#steps++ / hastenSteps))
      this.#bytes += (this.#bytes / cautiousSteps) * hasten
    }
    this.#bytes = Math.min(this.#bytes, this.#sizes.concurrencyMax * this.#largestBytes)
  }

  /**
   * It did not take a request, or not all of it. Of those that were on their way together only the first one counts.
   *
   * @returns whether it was too much for the server; false: it would have refused less, too
   */
  refused({ bytes, leftBytes, startedMs, busy }: Refused, nowMs: number): boolean {
    if (startedMs < this.#changedAtMs) return !this.#strayed
    this.#changedAtMs = nowMs
    const partly = leftBytes < bytes
    const least = this.#bytes < this.#leastBytes * 2
    const answered = this.#answered(bytes, leftBytes, nowMs - startedMs)
    this.#strayed = busy && this.#strays.refused(answered, least && this.#works)
    if (this.#strayed) this.#onStray(answered)
    else this.#onTooMuch(busy, least && !partly)
    return !this.#strayed
  }

  /** What was taken of it counts. */
  #onStray({ bytes, leftBytes, tookMs, onWayBytes }: Answered): void {
    const share = leftBytes / onWayBytes
    this.#refusedBytes *= 1 + strayRaise
    this.#bytes = Math.max(this.#leastBytes, this.#bytes * (1 - (share * this.#strays.share) / 2))
    this.#works = leftBytes < bytes
    if (this.#works) this.#grow(bytes - leftBytes, tookMs, true)
  }

  #onTooMuch(busy: boolean, parts: boolean): void {
    if (this.#works || busy) this.#refusedBytes = this.#bytes
    if (this.#works && parts) this.#gapMs = Math.min(gapMaxMs, Math.max(gapFirstMs, this.#gapMs * 2))
    this.#works = false
    this.#steps = 0
    this.#bytes = Math.max(this.#leastBytes, this.#bytes / 2)
  }

  /** There was no server, or its target has to be mended: whoever comes back begins small. */
  away(nowMs: number): void {
    this.#changedAtMs = nowMs
    this.#strayed = false
    this.#steps = 0
    this.#bytes = Math.min(this.#bytes, this.#probeBytes)
  }

  /**
   * It says that it takes no request of this size (413).
   *
   * @returns whether that is believed: not at once where it has taken larger ones, for many things answer on the way to it
   */
  tooLarge(bytes: number, nowMs: number): boolean {
    if (bytes <= this.#largestTaken && ++this.#disbelieved < disbeliefMax) return false
    this.#disbelieved = 0
    this.#largestTaken = Math.min(this.#largestTaken, bytes - 1)
    this.#ceilingBytes = Math.min(this.#ceilingBytes, bytes / 2)
    this.#ceilingSinceMs = nowMs
    this.#baseMs = Infinity
    this.#latelyMs = 0
    this.#bytes = Math.min(this.#bytes, this.#sizes.concurrencyMax * this.#largestBytes)
    return true
  }

  #answered(bytes: number, leftBytes: number, tookMs: number): Answered {
    const { requestBytesMax } = this
    return { bytes, leftBytes, tookMs, requestBytesMax, onWayBytes: (this.concurrency - 1) * requestBytesMax + bytes }
  }

  get #largestBytes(): number {
    return Math.min(this.#sizes.batchBytes, this.#ceilingBytes)
  }

  get #probeBytes(): number {
    return this.#largestBytes * probeShare
  }

  get #leastBytes(): number {
    return this.#largestBytes * leastShare
  }

  /** Rising latency. Only requests of full size tell: a small one costs its way there and back. */
  #notice(bytes: number, tookMs: number, nowMs: number): void {
    if (bytes * 2 < this.#largestBytes) return
    const eachMs = tookMs / bytes
    this.#latelyMs += (eachMs - this.#latelyMs) * (this.#latelyMs === 0 ? 1 : smoothing)
    if (this.concurrency === 1) this.#baseMs = this.#latelyMs
    else this.#baseMs = Math.min(this.#baseMs * baseDrift, eachMs)
    if (this.concurrency === 1 || this.#latelyMs < this.#baseMs * slowFactor) return
    this.#changedAtMs = nowMs
    this.#strayed = false
    this.#refusedBytes = this.#bytes
    this.#steps = 0
    this.#bytes *= slowShare
    this.#latelyMs = 0
  }
}
