import fs from 'node:fs'
import { assert } from '../../base/errors.ts'
import type { Descriptors } from './descriptors.ts'
import { linesOfFileMax } from './head.ts'
import type { LineRing } from './lines.ts'

const copyStepBytes = 4 * 1024 * 1024

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
    const from = fs.openSync(this.path, 'r')
    const to = fs.openSync(`${this.path}.1`, 'w')
    const step = Buffer.allocUnsafe(copyStepBytes)
    try {
      for (let copied = 0; ;) {
        const got = fs.readSync(from, step, 0, step.length, copied)
        if (got === 0) break
        for (let at = 0; at < got;) at += fs.writeSync(to, step, at, got - at)
        copied += got
        if (got === step.length) yield
      }
      const lines = this.lines
      yield
      fs.truncateSync(this.path, 0)
      return this.lines > lines ? { from: lines + 1, to: this.lines } : undefined
    } finally {
      fs.closeSync(from)
      fs.closeSync(to)
    }
  }

  /** `.1` becomes `.2` and so on; the oldest is deleted. */
  #shift(): void {
    fs.rmSync(`${this.path}.${this.#keep}`, { force: true })
    for (let n = Math.min(this.#keep - 1, this.#rotated); n >= 1; n--) {
      if (fs.existsSync(`${this.path}.${n}`)) fs.renameSync(`${this.path}.${n}`, `${this.path}.${n + 1}`)
    }
    this.#rotated++
  }
}
