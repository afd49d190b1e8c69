import fs from 'node:fs'

/** A log file as an application and logrotate treat it: appended to, and renamed away with the oldest ones deleted. */
export class RotatingFile {
  readonly path: string
  readonly #keep: number
  #descriptor: number
  rotations = 0

  constructor(path: string, keep: number) {
    this.path = path
    this.#keep = keep
    this.#descriptor = fs.openSync(path, 'a')
  }

  append(text: string): void {
    fs.writeSync(this.#descriptor, text)
  }

  /** `create` of logrotate: `.1` becomes `.2` and so on, the file becomes `.1`, a new one is made. */
  rotate(): void {
    fs.rmSync(`${this.path}.${this.#keep}`, { force: true })
    for (let n = this.#keep - 1; n >= 1; n--) {
      if (fs.existsSync(`${this.path}.${n}`)) fs.renameSync(`${this.path}.${n}`, `${this.path}.${n + 1}`)
    }
    fs.renameSync(this.path, `${this.path}.1`)
    const next = fs.openSync(this.path, 'a')
    fs.closeSync(this.#descriptor)
    this.#descriptor = next
    this.rotations++
  }

  close(): void {
    fs.closeSync(this.#descriptor)
  }
}
