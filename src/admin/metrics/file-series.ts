import { limits } from '../../base/limits.ts'
import type { FileFigures } from '../figures.ts'
import { labelOf } from './printable.ts'

/** What a file is asked for: counts, which never fall, and what is as it is now. */
export interface Columns {
  readonly counts: readonly ((file: FileFigures) => number)[]
  /** Added up, or the largest, of several files. */
  readonly gauges: readonly (readonly [read: (file: FileFigures) => number, of: 'sum' | 'most'])[]
}

/** By column. */
type Counts = readonly number[]

export interface FileRow {
  /** The value of its label. */
  readonly path: string
  readonly counts: Counts
  readonly gauges: readonly number[]
}

/** Stands for all files without series of their own; no path, for those are absolute. */
export const otherFiles = 'other'

interface Own {
  readonly label: string
  /** What the series had when the present account of its file began, less what that account had then: this is among the others'. */
  readonly before: Counts
  counts: Counts
  /** When they last were others, monotonic. */
  changedAtMs: number
}

const add = (a: Counts, b: Counts): Counts => a.map((count, column) => count + b[column]!)
const subtract = (a: Counts, b: Counts): Counts => a.map((count, column) => count - b[column]!)

/**
 * Which files have series of their own, and what the series `other` counts, so that each of them only grows.
 *
 * An application may make as many names as it likes, and each that once had a series is kept by whoever scrapes. So only so
 * many have one at a time, and so many new ones come a day. What is in none of them is in `other`. What a series that ended has
 * counted is not counted in `other` again; it goes on from there when its file comes back.
 */
export class FileSeries {
  readonly #columns: Columns
  readonly #nothing: Counts
  readonly #own = new Map<string, Own>()
  /** Known now, and counted as `other`. */
  readonly #others = new Set<string>()
  /** What series that have ended had, the one that ended last at the end; and all of them together, forgotten ones too. */
  readonly #ended = new Map<string, Counts>()
  #endedInAll: Counts
  #othersShown: Counts
  #newNames: number = limits.metricFilesMax
  #refilledAtMs: number | undefined

  constructor(columns: Columns) {
    this.#columns = columns
    this.#nothing = columns.counts.map(() => 0)
    this.#endedInAll = this.#othersShown = this.#nothing
  }

  /** @param monotonicMs  now */
  rows(files: readonly FileFigures[], monotonicMs: number): FileRow[] {
    this.#refill(monotonicMs)
    const known = new Set(files.map(({ path }) => path))
    for (const path of this.#own.keys()) if (!known.has(path)) this.#end(path)
    for (const path of this.#others) if (!known.has(path)) this.#others.delete(path)
    for (const file of files) this.#update(file, monotonicMs)
    this.#promote(files, monotonicMs)

    const ownRows: FileRow[] = []
    const rest: FileFigures[] = []
    let left = subtract(this.#nothing, this.#endedInAll)
    for (const file of files) {
      left = add(left, this.#countsOf(file))
      const own = file.path === undefined ? undefined : this.#own.get(file.path)
      if (own === undefined) {
        rest.push(file)
        continue
      }
      const counts = add(own.before, own.counts)
      left = subtract(left, counts)
      ownRows.push({ path: own.label, counts, gauges: this.#gaugesOf([file]) })
    }
    // The ledger forgets nothing; if it ever did, one series would stand still, and the others be shown all the same.
    const others = this.#othersShown.map((shown, column) => Math.max(shown, left[column]!))
    this.#othersShown = others
    if (rest.length === 0 && others.every((count) => count === 0)) return ownRows
    return [...ownRows, { path: otherFiles, counts: others, gauges: this.#gaugesOf(rest) }]
  }

  #update(file: FileFigures, nowMs: number): void {
    const { path } = file
    if (path === undefined || this.#others.has(path)) return
    const counts = this.#countsOf(file)
    const own = this.#own.get(path)
    if (own === undefined) {
      if (this.#admits(path, nowMs)) this.#begin(path, counts, nowMs)
      else this.#others.add(path)
      return
    }
    const { counts: last } = own
    // Its account was closed and another one opened since: what the first one had is among the others' now.
    if (counts.some((count, column) => count < last[column]!)) {
      this.#end(path)
      this.#begin(path, counts, nowMs)
      return
    }
    const moves = file.unreadBytes > 0 || file.heldLines > 0 || counts.some((count, column) => count !== last[column])
    if (moves) own.changedAtMs = nowMs
    own.counts = counts
  }

  /** The other files that are furthest behind get the series of those that were quiet for long. */
  #promote(files: readonly FileFigures[], nowMs: number): void {
    if (this.#others.size === 0 || !this.#hasRoom(nowMs)) return
    const waiting = files.filter(
      ({ path, unreadBytes }) => unreadBytes > 0 && path !== undefined && this.#others.has(path),
    )
    for (const file of waiting.toSorted((a, b) => b.unreadBytes - a.unreadBytes)) {
      const path = file.path!
      if (!this.#admits(path, nowMs)) return
      this.#others.delete(path)
      const counts = this.#countsOf(file)
      this.#begin(path, counts, nowMs, counts)
    }
  }

  #hasRoom(nowMs: number): boolean {
    if (this.#own.size < limits.metricFilesMax) return true
    for (const { changedAtMs } of this.#own.values()) if (nowMs - changedAtMs >= limits.metricFileQuietMs) return true
    return false
  }

  /** Whether it may have series now; one that was quiet for long makes room. */
  #admits(path: string, nowMs: number): boolean {
    const isNew = !this.#ended.has(path)
    if (isNew && this.#newNames < 1) return false
    if (this.#own.size >= limits.metricFilesMax) {
      const [quietest] = [...this.#own].toSorted(([, a], [, b]) => a.changedAtMs - b.changedAtMs)
      if (quietest === undefined || nowMs - quietest[1].changedAtMs < limits.metricFileQuietMs) return false
      this.#end(quietest[0])
      this.#others.add(quietest[0])
    }
    if (isNew) this.#newNames--
    return true
  }

  /** @param elsewhere  what of these counts is in the series of the others already */
  #begin(path: string, counts: Counts, nowMs: number, elsewhere = this.#nothing): void {
    const had = this.#ended.get(path) ?? this.#nothing
    this.#ended.delete(path)
    this.#endedInAll = subtract(this.#endedInAll, had)
    this.#own.set(path, { label: labelOf(path), before: subtract(had, elsewhere), counts, changedAtMs: nowMs })
  }

  #end(path: string): void {
    const { before, counts } = this.#own.get(path)!
    const had = add(before, counts)
    this.#own.delete(path)
    this.#ended.set(path, had)
    this.#endedInAll = add(this.#endedInAll, had)
    const [oldest] = this.#ended.keys()
    if (this.#ended.size > limits.metricFilesEndedMax && oldest !== undefined) this.#ended.delete(oldest)
  }

  #refill(nowMs: number): void {
    const forMs = nowMs - (this.#refilledAtMs ?? nowMs)
    this.#refilledAtMs = nowMs
    this.#newNames = Math.min(limits.metricFilesMax, this.#newNames + forMs / limits.metricFileIntervalMs)
  }

  #countsOf(file: FileFigures): Counts {
    return this.#columns.counts.map((read) => read(file))
  }

  #gaugesOf(files: readonly FileFigures[]): number[] {
    return this.#columns.gauges.map(([read, of]) =>
      files.map(read).reduce((total, value) => (of === 'sum' ? total + value : Math.max(total, value)), 0),
    )
  }
}
