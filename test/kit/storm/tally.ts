import { banner, type StormLines } from './lines.ts'

/** What the writer wrote, and what its rotator destroyed of it between copy and truncate. */
export interface Written {
  /** Lines 1 to `lines`. */
  readonly lines: number
  readonly bytes: number
  readonly banners: number
  readonly rotations: number
  /** First and last number of each run of lines that was in no copy when the file was truncated. */
  readonly destroyed: readonly (readonly [number, number])[]
  readonly destroyedBanners: number
  readonly destroyedBytes: number
  readonly durationMs: number
}

export interface Outcome {
  readonly arrived: number
  readonly lost: number
  readonly duplicates: number
  readonly foreign: number
  readonly bannersLost: number
  readonly bannersTooMany: number
  /** Of the lines that the rotator destroyed, those that had been read before. */
  readonly destroyedArrived: number
  /** The first of each, for a person. */
  readonly examples: readonly string[]
}

const examplesMax = 10
const timesMax = 255
const bannerBytes = Buffer.from(banner)

/** How often each line has arrived: one byte a line. */
export class Tally {
  readonly #lines: StormLines
  #times = new Uint8Array(1 << 16)
  #foreign = 0
  #missing = 1
  #banners = 0
  readonly #examples: string[] = []
  /** Different lines, and all else that has arrived. */
  distinct = 0

  constructor(lines: StormLines) {
    this.#lines = lines
  }

  /** Takes the text of one document that is stored. */
  add(bytes: Buffer, from = 0, to = bytes.length): void {
    const number = this.#lines.numberOf(bytes, from, to)
    if (number > 0) {
      while (number >= this.#times.length) {
        const more = new Uint8Array(this.#times.length * 2)
        more.set(this.#times)
        this.#times = more
      }
      const times = this.#times[number]!
      this.#times[number] = Math.min(timesMax, times + 1)
      if (times === 0) this.distinct++
      return
    }
    this.distinct++
    if (bannerBytes.compare(bytes, from, to) === 0) {
      this.#banners++
    } else {
      this.#foreign++
      this.#note(`foreign: ${bytes.toString('utf8', from, Math.min(to, from + 80))}`)
    }
  }

  /** The first line that has not arrived and was not destroyed: nothing is owed below it. */
  firstMissing(destroyed: Written['destroyed']): number {
    for (;;) {
      const run = destroyed.find(([from, to]) => from <= this.#missing && this.#missing <= to)
      if (run !== undefined) this.#missing = run[1] + 1
      else if ((this.#times[this.#missing] ?? 0) > 0) this.#missing++
      else return this.#missing
    }
  }

  outcome(written: Written): Outcome {
    const counts = { arrived: 0, lost: 0, duplicates: 0, destroyedArrived: 0 }
    let foreign = this.#foreign
    let run = 0
    for (let number = 1; number < this.#times.length || number <= written.lines; number++) {
      const times = this.#times[number] ?? 0
      if (number > written.lines) {
        foreign += times
        if (times > 0) this.#note(`line ${number} was never written`)
        continue
      }
      while (run < written.destroyed.length && number > written.destroyed[run]![1]) run++
      const destroyed = run < written.destroyed.length && number >= written.destroyed[run]![0]
      if (destroyed && times > 0) counts.destroyedArrived++
      if (times > 0) counts.arrived++
      else if (!destroyed) {
        counts.lost++
        this.#note(`line ${number} is lost`)
      }
      if (times > 1) {
        counts.duplicates += times - 1
        this.#note(`line ${number} is there ${times} times`)
      }
    }
    return {
      ...counts,
      foreign,
      bannersLost: Math.max(0, written.banners - written.destroyedBanners - this.#banners),
      bannersTooMany: Math.max(0, this.#banners - written.banners),
      examples: this.#examples,
    }
  }

  #note(text: string): void {
    if (this.#examples.length < examplesMax) this.#examples.push(text)
  }
}

/** Empty when every line is there once; else what is wrong. */
export function faultOf(outcome: Outcome): string {
  const { lost, duplicates, foreign, bannersLost, bannersTooMany, examples } = outcome
  if (lost + duplicates + foreign + bannersLost + bannersTooMany === 0) return ''
  return `lost ${lost}, duplicates ${duplicates}, foreign ${foreign}, banners lost ${bannersLost}, banners too many ${bannersTooMany}: ${examples.join('; ')}`
}
