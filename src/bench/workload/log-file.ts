import fs from 'node:fs'
import { assert } from '../../base/errors.ts'
import type { Descriptors } from './descriptors.ts'
import { linesOfFileMax } from './head.ts'
import type { LineRing } from './lines.ts'
import { copyNumbered, shiftNumbered } from './numbered.ts'

/** First and last line of what is in no copy. */
export interface DestroyedLines {
  readonly from: number
  readonly to: number
}

/** One log: appends whole lines, and is rotated by its own process, which so knows what a rotation destroys. */
export class LogFile {
  readonly path: string
  readonly #file: number
  readonly #ring: LineRing
  readonly #descriptors: Descriptors
  readonly #keep: number
  #rotated = 0
  /** Lines so far, in all lives of the file. */
  lines = 0
  /** Nothing is written any more: who waits for that does not. */
  ended = false

  constructor(path: string, file: number, ring: LineRing, descriptors: Descriptors, keep: number) {
    this.path = path
    this.#file = file
    this.#ring = ring
    this.#descriptors = descriptors
    this.#keep = keep
  }

  /** Appends at least one line, and as many as `wantedBytes` need. @returns their bytes */
  append(wantedBytes: number, timeUs: number): number {
    const ring = this.#ring
    const descriptor = this.#descriptors.of(this.path)
    let written = 0
    do {
      assert(this.lines + ring.count < linesOfFileMax, 'the numbers of a file suffice')
      ring.put(this.#file, this.lines + 1, timeUs, wantedBytes - written)
      for (let at = ring.from; at < ring.to;) at += fs.writeSync(descriptor, ring.bytes, at, ring.to - at)
      this.lines += ring.lines
      written += ring.to - ring.from
    } while (written < wantedBytes)
    return written
  }

  /** @param late  the application notices only when it has written into the old one once more */
  *rename(late: boolean): Generator<void, undefined> {
    this.#shift()
    fs.renameSync(this.path, `${this.path}.1`)
    const lines = this.lines
    if (late) while (this.lines === lines && !this.ended) yield
    this.#descriptors.close(this.path)
    // It is there at once, as with an application that opens it when it is told to.
    this.#descriptors.of(this.path)
    return undefined
  }

  /** In steps between which the application writes. @returns the lines that came between the end of the copy and the truncation */
  *copytruncate(): Generator<void, DestroyedLines | undefined> {
    this.#shift()
    yield* copyNumbered(this.path)
    const lines = this.lines
    yield
    fs.truncateSync(this.path, 0)
    return this.lines > lines ? { from: lines + 1, to: this.lines } : undefined
  }

  #shift(): void {
    shiftNumbered(this.path, this.#keep, this.#rotated++)
  }
}
