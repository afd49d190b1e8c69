import { limits } from '../base/limits.ts'

/**
 * When garbage is collected although nobody needs the room: in a quiet process, when there may be much of it. V8 collects when
 * the heap has grown by a share of what lives, and a process without work never grows: with 1,000 idle files half of what
 * they take was left from finding them.
 */
export class Tidying {
  #quietSinceMs: number | undefined
  #doneAtMs = -Infinity
  #leftBytes = 0

  /**
   * @param isQuiet    no batch is being filled or under way
   * @param heapBytes  garbage included
   */
  isDue(nowMs: number, isQuiet: boolean, heapBytes: number): boolean {
    this.#quietSinceMs = isQuiet ? (this.#quietSinceMs ?? nowMs) : undefined
    if (heapBytes > limits.tidyHeapBytesMax) return false
    if (this.#quietSinceMs === undefined || nowMs - this.#quietSinceMs < limits.tidyQuietMs) return false
    return nowMs - this.#doneAtMs >= limits.tidyIntervalMs && heapBytes - this.#leftBytes >= limits.tidyBytesMin
  }

  /** @param heapBytes  what the collection has left */
  done(nowMs: number, heapBytes: number): void {
    this.#doneAtMs = nowMs
    this.#leftBytes = heapBytes
  }
}
