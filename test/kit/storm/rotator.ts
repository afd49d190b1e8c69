import fs from 'node:fs'
import { copyNumbered, shiftNumbered } from '../../../src/bench/workload/numbered.ts'

export type Mode = 'rename' | 'copytruncate'

/** A file that is written and rotated by one process, which therefore knows exactly what a rotation destroys. */
export class RotatedFile {
  readonly path: string
  readonly #keep: number
  #descriptor: number
  #rotated = 0
  /** In this life of the file. */
  sizeBytes = 0

  constructor(path: string, keep: number) {
    this.path = path
    this.#keep = keep
    this.#descriptor = fs.openSync(path, 'a')
  }

  append(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to;) at += fs.writeSync(this.#descriptor, bytes, at, to - at)
    this.sizeBytes += to - from
  }

  /** `.1` becomes `.2` and so on; the oldest is deleted. */
  shift(): void {
    shiftNumbered(this.path, this.#keep, this.#rotated++)
  }

  /** The first half of a rotation by name: until `reopen` the application writes on into `.1`. */
  rename(): void {
    this.shift()
    fs.renameSync(this.path, `${this.path}.1`)
  }

  reopen(): void {
    fs.closeSync(this.#descriptor)
    this.#descriptor = fs.openSync(this.path, 'a')
    this.sizeBytes = 0
  }

  /** The first half of copytruncate, in steps between which the application may write; ends at the end of the file. */
  *copy(): Generator<void, void> {
    this.shift()
    yield* copyNumbered(this.path)
  }

  /** The second half. @returns how many bytes of the file are in no copy now */
  truncate(): number {
    const { size } = fs.fstatSync(this.#descriptor)
    const destroyedBytes = size - fs.statSync(`${this.path}.1`).size
    fs.ftruncateSync(this.#descriptor, 0)
    this.sizeBytes = 0
    return destroyedBytes
  }

  close(): void {
    fs.closeSync(this.#descriptor)
  }
}
