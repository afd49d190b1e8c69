import { limits } from '../base/limits.ts'

interface Recent {
  /** Writes that were noticed, each worth half as much after `growthHalfLifeMs`. */
  level: number
  atMs: number
  /** Events since the last look that found something. */
  hints: number
  /** Looks in a row that found it grown although it was watched and no event had come. */
  unannounced: number
  /** Entries of the directory when it was listed last. */
  entries: number
}

/** Once may be a look that was quicker than its event; on some file systems no event ever comes. */
const unannouncedMax = 1
/** As often as this no event has come: the watch is not tried again. */
const unannouncedDeaf = 3

/**
 * Which directories are written to so often that a look on a timer costs less than an event for each write, and a listing
 * for each event. Where lines come one by one the event is the quicker way, and cheap: it stays, if it comes at all.
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
    if (recent === undefined) return
    recent.hints++
    recent.unannounced = 0
  }

  /** A look found a directory grown. True: it is busy, and better left to the timer. */
  grown(directory: string, watched: boolean, nowMs: number): boolean {
    const recent = this.#of(directory)
    if (watched && recent.hints === 0) recent.unannounced++
    const weight = Math.max(1, recent.entries / limits.growthEntries)
    const halfLives = (nowMs - recent.atMs) / limits.growthHalfLifeMs
    recent.level = recent.level * 0.5 ** halfLives + Math.max(1, recent.hints) * weight
    recent.hints = 0
    recent.atMs = nowMs
    return recent.level > limits.growthBusy || recent.unannounced > unannouncedMax
  }

  /** The watch of a directory tells nothing of what others write there, as on NFS: it is no use. */
  isDeaf(directory: string): boolean {
    return (this.#directories.get(directory)?.unannounced ?? 0) >= unannouncedDeaf
  }

  #of(directory: string): Recent {
    let recent = this.#directories.get(directory)
    if (recent === undefined) {
      // Those that went while a file in them was held open.
      if (this.#directories.size >= limits.directoriesMax) this.#directories.clear()
      recent = { level: 0, atMs: 0, hints: 0, unannounced: 0, entries: 0 }
      this.#directories.set(directory, recent)
    }
    return recent
  }
}
