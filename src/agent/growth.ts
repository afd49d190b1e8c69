import { limits } from '../base/limits.ts'

interface Recent {
  /** Writes that were noticed, each worth half as much after `growthHalfLifeMs`. */
  level: number
  atMs: number
  /** Events since the last look that found something. */
  hints: number
  /** Entries of the directory when it was listed last. */
  entries: number
}

/**
 * Which directories are written to so often that a look on a timer costs less than an event for each write, and a listing
 * for each event. Where lines come one by one the event is the quicker way, and cheap: it stays.
 */
export class Growth {
  readonly #directories = new Map<string, Recent>()

  /** A directory was listed. @param entries  how many names are in it: what following one event costs */
  listed(directory: string, entries: number): void {
    // One that is gone is listed a last time, without any.
    if (entries === 0) this.#directories.delete(directory)
    else this.#of(directory).entries = entries
  }

  /** An event came. What it costs is there whatever the next look finds. */
  hinted(directory: string): void {
    const recent = this.#directories.get(directory)
    if (recent !== undefined) recent.hints++
  }

  /** A look found a directory grown. True: it is busy, and better left to the timer. */
  grown(directory: string, nowMs: number): boolean {
    const recent = this.#of(directory)
    const weight = Math.max(1, recent.entries / limits.growthEntries)
    const halfLives = (nowMs - recent.atMs) / limits.growthHalfLifeMs
    recent.level = recent.level * 0.5 ** halfLives + Math.max(1, recent.hints) * weight
    recent.hints = 0
    recent.atMs = nowMs
    return recent.level > limits.growthBusy
  }

  #of(directory: string): Recent {
    let recent = this.#directories.get(directory)
    if (recent === undefined) {
      recent = { level: 0, atMs: 0, hints: 0, entries: 0 }
      this.#directories.set(directory, recent)
    }
    return recent
  }
}
