import { dayUs } from '../workload/head.ts'
import type { Documents } from './documents.ts'
import type { ExpectedLines } from './expected.ts'
import { LatencyHistogram } from './histogram.ts'
import { Tally } from './tally.ts'

/** Lines of one request that follow each other in a file and were written at once. */
interface Run {
  readonly file: number
  readonly from: number
  count: number
  readonly timeUs: number
}

/** What one request brought, until it is answered. */
export interface Commit {
  readonly documents: number
  /** Places of the documents that were there under their `_id`. */
  readonly conflicts: readonly number[]
  /** Places of those that were not taken. */
  readonly refused: readonly number[]
  readonly runs: readonly Run[]
}

/** What has arrived: each request as a whole, when its end is here. */
export class Arrivals {
  readonly tally = new Tally()
  readonly #expected: ExpectedLines
  #histogram = new LatencyHistogram()
  #measuredFromUs = -Infinity
  /** Of log, newlines included; each line once. */
  storedBytes = 0

  constructor(expected: ExpectedLines) {
    this.#expected = expected
  }

  /** @param refuses  asked of each document whether it is not taken; undefined: all are */
  commit(documents: Documents, refuses?: () => boolean): Commit {
    const { tally } = this
    const { count, files, numbers, timesUs, idHighs, idLows, wrongs } = documents
    const conflicts: number[] = []
    const refused: number[] = []
    const runs: Run[] = []
    let run: Run | undefined
    for (let n = 0; n < count; n++) {
      if (refuses?.() === true) {
        refused.push(n)
        continue
      }
      if (wrongs[n] === 1) tally.wrong++
      const file = files[n]!
      if (file < 0) continue
      const number = numbers[n]!
      const stored = tally.store(file, number, idHighs[n]!, idLows[n]!)
      if (stored === 'new') this.storedBytes += this.#expected.bytesOf(file, number)
      if (stored === 'again' && !documents.isIndex) conflicts.push(n)
      if (stored !== 'new' && !(stored === 'again' && tally.takeUnacknowledged(file, number))) continue
      const timeUs = timesUs[n]!
      if (run !== undefined && run.file === file && run.timeUs === timeUs && run.from + run.count === number)
        run.count++
      else runs.push((run = { file, from: number, count: 1, timeUs }))
    }
    return { documents: count, conflicts, refused, runs }
  }

  /** The answer is written. @param nowUs  of the wall clock that the writer uses */
  acknowledged({ runs }: Commit, nowUs: number): void {
    for (const { timeUs, count } of runs) {
      const latencyUs = sinceUs(timeUs, nowUs)
      if (nowUs - latencyUs >= this.#measuredFromUs) this.#histogram.add(latencyUs, count)
    }
  }

  /** The answer could not be written. */
  unacknowledged({ runs }: Commit): void {
    for (const { file, from, count } of runs) this.tally.forgetAcknowledgement(file, from, count)
  }

  measureFrom(nowUs: number): void {
    this.#measuredFromUs = nowUs
    this.#histogram = new LatencyHistogram()
  }

  latency(): ReturnType<LatencyHistogram['latency']> {
    return this.#histogram.latency()
  }
}

/** A head has the time of the day, so that no run may last longer than one. */
function sinceUs(timeOfDayUs: number, nowUs: number): number {
  const since = ((nowUs % dayUs) - timeOfDayUs + dayUs) % dayUs
  // A moment before it was written: the head's time is whole µs.
  return since > dayUs / 2 ? 0 : since
}
