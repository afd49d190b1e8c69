import { limits } from '../base/limits.ts'

/**
 * How full one volume is. Measuring all of it costs a look at each file; between two measurements the sizes of the files
 * that are known, which somebody looks at anyway, tell how much has come.
 */
export class Gauge {
  readonly #limitBytes: number
  #measuredBytes: number | undefined
  #knownThen = 0
  #known = 0
  #measuredAtMs = -Infinity
  #tookMs = 0
  #removedBytes = 0
  #before: { readonly atMs: number; readonly bytes: number } | undefined
  #bytesPerMs = 0
  /** See `decide`. */
  freeing = false

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Undefined while nobody has measured it. */
  get usedBytes(): number | undefined {
    return this.#measuredBytes === undefined
      ? undefined
      : Math.max(0, this.#measuredBytes + this.#known - this.#knownThen)
  }

  get aheadBytes(): number {
    return this.#bytesPerMs * limits.volumeAheadMs
  }

  /** @param bytes  of all of it, @param knownBytes  of the files that are known, at the same moment */
  measured(nowMs: number, bytes: number, knownBytes: number, tookMs: number): void {
    const [usedBefore, spanMs] = [this.usedBytes, nowMs - this.#measuredAtMs]
    this.#grew(nowMs, knownBytes)
    this.#measuredBytes = bytes
    this.#known = knownBytes
    this.#knownThen = knownBytes
    this.#measuredAtMs = nowMs
    this.#tookMs = tookMs
    this.#before = { atMs: nowMs, bytes: bytes + this.#removedBytes }
    if (usedBefore === undefined) return
    // What nobody knew of has come at some time since the last measurement, not just now.
    const strangeBytes = Math.max(0, bytes - usedBefore)
    this.#bytesPerMs += ((1 - Math.exp(-spanMs / limits.volumeTrendMs)) * strangeBytes) / spanMs
  }

  known(nowMs: number, knownBytes: number): void {
    this.#grew(nowMs, knownBytes)
  }

  /** Room was made: `bytes` of the volume, with `knownBytes` of the files that are known. */
  removed(bytes: number, knownBytes: number): void {
    this.#removedBytes += bytes
    this.#known -= knownBytes
    if (this.#measuredBytes !== undefined) this.#measuredBytes -= bytes - knownBytes
  }

  /** When it has to be measured again, monotonic. */
  get dueMs(): number {
    const percent = (((this.usedBytes ?? 0) + this.aheadBytes) / this.#limitBytes) * 100
    const leastMs = percent > limits.volumeLowPercent ? limits.volumeWalkMinMs : limits.volumeWalkCalmMs
    const rest = percent > limits.volumeHighPercent ? limits.volumeWalkRestPressing : limits.volumeWalkRest
    const restMs = Math.min(limits.volumeWalkMaxMs, Math.max(leastMs, this.#tookMs * rest))
    return this.#measuredAtMs + restMs
  }

  /** Of the last seconds: one burst is no trend. */
  #grew(nowMs: number, knownBytes: number): void {
    this.#known = knownBytes
    const bytes = (this.usedBytes ?? 0) + this.#removedBytes
    const before = this.#before
    if (this.#measuredBytes === undefined || before?.atMs === nowMs) return
    this.#before = { atMs: nowMs, bytes }
    if (before === undefined) return
    const spanMs = nowMs - before.atMs
    const share = 1 - Math.exp(-spanMs / limits.volumeTrendMs)
    this.#bytesPerMs += share * (Math.max(0, bytes - before.bytes) / spanMs - this.#bytesPerMs)
  }
}
