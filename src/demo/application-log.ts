import { closeSync, copyFileSync, existsSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { LineHashSum } from './application-hash.ts'
import type { LogEvent } from './lines.ts'

/** `rename`: the file gets a new name and a new one is made. `copytruncate`: it is copied, then emptied. */
export type RotationKind = 'rename' | 'copytruncate'

/** What was written to one log, all its rotated files together. */
export interface LogAccount {
  readonly file: string
  readonly lines: number
  /** Line ends included. */
  readonly bytes: number
  readonly rotations: number
  /** `LineHashSum` of the lines without their line ends. */
  readonly hash: string
}

const rotatedFilesKept = 3

/** One log file of the sample application: appends, rotates as logrotate would, and keeps count. */
export class ApplicationLog {
  readonly path: string
  readonly sum = new LineHashSum()
  readonly #rotation: RotationKind
  #descriptor: number
  #bytes = 0
  #rotations = 0
  /** The end of a line whose beginning is in the file already, as of a program that writes through a buffer. */
  #held: Buffer = Buffer.alloc(0)

  constructor(path: string, rotation: RotationKind) {
    this.path = path
    this.#rotation = rotation
    this.#descriptor = openSync(path, 'a')
  }

  /** Writes the events. With `splitAt` in [0, 1] the last line may be cut there; its end comes with the next call. */
  write(events: readonly LogEvent[], splitAt = 1): void {
    const pieces: Buffer[] = [this.#held]
    let last = 0
    for (const { lines, lineEnd } of events) {
      for (const line of lines) {
        this.sum.add(line)
        const bytes = Buffer.from(line + lineEnd)
        last = bytes.length
        pieces.push(bytes)
      }
    }
    const all = Buffer.concat(pieces)
    const cut = all.length - last + Math.floor(last * splitAt)
    this.#append(all.subarray(0, cut))
    this.#held = all.subarray(cut)
  }

  /** Finishes the line, then rotates: `x.log.1` becomes `x.log.2` and so on, three are kept. */
  rotate(): void {
    this.write([])
    rmSync(`${this.path}.${rotatedFilesKept}`, { force: true })
    for (let number = rotatedFilesKept - 1; number >= 1; number--) {
      if (existsSync(`${this.path}.${number}`)) renameSync(`${this.path}.${number}`, `${this.path}.${number + 1}`)
    }
    if (this.#rotation === 'rename') {
      renameSync(this.path, `${this.path}.1`)
      closeSync(this.#descriptor)
      this.#descriptor = openSync(this.path, 'a')
    } else {
      copyFileSync(this.path, `${this.path}.1`)
      ftruncateSync(this.#descriptor, 0)
    }
    this.#rotations++
  }

  /** Finishes the line and closes the file. */
  close(): void {
    this.write([])
    closeSync(this.#descriptor)
  }

  account(file: string): LogAccount {
    return { file, lines: this.sum.lines, bytes: this.#bytes, rotations: this.#rotations, hash: this.sum.value() }
  }

  #append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at)
    this.#bytes += bytes.length
  }
}
