import type { Written } from '../target.ts'
import type { Account } from '../types.ts'

export type Stored = 'new' | 'again' | 'twice'

const pageLines = 1 << 16
const pageLinesMin = 64
/** How often a line is stored, in the low bits of its byte. */
const timesMask = 0x3f
/** It is stored, and nobody was told. */
const unacknowledgedBit = 0x80

/** Of so many lines: how often each is there, and the hash of the `_id` under which it came first, two words; 0: none. */
interface Page {
  times: Uint8Array
  ids: Uint32Array
}

const nothing: Page = { times: new Uint8Array(0), ids: new Uint32Array(0) }

/** Every line that is stored: nine bytes for each, found by its file and number. */
export class Tally {
  readonly #files: Page[][] = []
  /** Different lines. */
  lines = 0
  /** Stored beyond the first time. */
  twice = 0
  /** Sent again under the `_id` that they have: stored once. */
  again = 0
  /** Stored, and of no line of these files, or not with its text. */
  wrong = 0

  /** One document with this line. An id of 0, 0: it has none. */
  store(file: number, number: number, idHigh: number, idLow: number): Stored {
    const page = this.#pageOf(file, number)
    const at = number & (pageLines - 1)
    const held = page.times[at]!
    if ((held & timesMask) === 0) {
      page.times[at] = 1
      page.ids[at * 2] = idHigh
      page.ids[at * 2 + 1] = idLow
      this.lines++
      return 'new'
    }
    const hasId = (idHigh | idLow) !== 0
    if (hasId && page.ids[at * 2] === idHigh && page.ids[at * 2 + 1] === idLow) {
      this.again++
      return 'again'
    }
    if ((held & timesMask) < timesMask) page.times[at] = held + 1
    this.twice++
    return 'twice'
  }

  /** Nobody could be told that these are stored: they will come again. */
  forgetAcknowledgement(file: number, from: number, count: number): void {
    for (let number = from; number < from + count; number++) {
      this.#pageOf(file, number).times[number & (pageLines - 1)]! |= unacknowledgedBit
    }
  }

  /** True once for a line of which nobody was told. */
  takeUnacknowledged(file: number, number: number): boolean {
    const page = this.#pageOf(file, number)
    const at = number & (pageLines - 1)
    if ((page.times[at]! & unacknowledgedBit) === 0) return false
    page.times[at]! &= ~unacknowledgedBit
    return true
  }

  account(written: Written): Account {
    let [stored, strange, lost] = [0, 0, 0]
    for (const [file, lines] of written.linesOfFiles.entries()) {
      const have = this.#storedBetween(file, 1, lines)
      stored += have
      lost += lines - have
    }
    // Of files and numbers that were never written: no line of this run.
    strange = this.lines - stored
    for (const { file, from, to } of written.destroyed) lost -= to - from + 1 - this.#storedBetween(file, from, to)
    return {
      writtenLines: written.lines,
      writtenBytes: written.bytes,
      storedLines: stored,
      // Of two lines under one `_id` Elasticsearch keeps the first.
      lostLines: lost + this.#sharedIds(),
      twiceLines: this.twice,
      againLines: this.again,
      wrongLines: this.wrong + strange,
    }
  }

  #storedBetween(file: number, from: number, to: number): number {
    const pages = this.#files[file]
    if (pages === undefined) return 0
    let count = 0
    for (let at = from; at <= to;) {
      const { times } = pages[Math.floor(at / pageLines)] ?? nothing
      const pageFrom = at - (at & (pageLines - 1))
      const end = Math.min(to, pageFrom + pageLines - 1)
      for (const last = Math.min(end, pageFrom + times.length - 1); at <= last; at++) {
        if ((times[at - pageFrom]! & timesMask) > 0) count++
      }
      at = end + 1
    }
    return count
  }

  #pageOf(file: number, number: number): Page {
    const pages = (this.#files[file] ??= [])
    const index = number >>> 16
    const page = (pages[index] ??= { times: new Uint8Array(0), ids: new Uint32Array(0) })
    const at = number & (pageLines - 1)
    if (at >= page.times.length) {
      const lines =
        index > 0 ? pageLines : Math.min(pageLines, Math.max(pageLinesMin, 2 ** Math.ceil(Math.log2(at + 1))))
      const [times, ids] = [new Uint8Array(lines), new Uint32Array(lines * 2)]
      times.set(page.times)
      ids.set(page.ids)
      page.times = times
      page.ids = ids
    }
    return page
  }

  /** How many lines have an `_id` that another line had before. 64 bits: by chance one in a million runs of five million lines. */
  #sharedIds(): number {
    const words = new Uint32Array(this.lines * 2)
    let have = 0
    for (const pages of this.#files) {
      for (const { ids } of pages ?? []) {
        for (let at = 0; at < ids.length; at += 2) {
          if ((ids[at]! | ids[at + 1]!) === 0) continue
          words[have++] = ids[at]!
          words[have++] = ids[at + 1]!
        }
      }
    }
    new BigUint64Array(words.buffer, 0, have / 2).sort()
    let shared = 0
    for (let at = 2; at < have; at += 2) {
      if (words[at] === words[at - 2] && words[at + 1] === words[at - 1]) shared++
    }
    return shared
  }
}
