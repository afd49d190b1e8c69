import fs from 'node:fs'
import { codeOf } from '../../base/errors.ts'

/** A thousand active files keep theirs; the least used give way. */
const descriptorsMax = 1_100
const descriptorsMin = 16

/** Files open for appending, no more than the process may have. */
export class Descriptors {
  readonly #open = new Map<string, number>()
  #most = descriptorsMax

  /** @throws Error of the system when the file cannot be opened */
  of(path: string): number {
    const found = this.#open.get(path)
    if (found !== undefined) {
      if (this.#open.size === this.#most) {
        this.#open.delete(path)
        this.#open.set(path, found)
      }
      return found
    }
    while (this.#open.size >= this.#most) this.#closeOldest()
    for (;;) {
      try {
        const descriptor = fs.openSync(path, 'a')
        this.#open.set(path, descriptor)
        return descriptor
      } catch (error) {
        if (codeOf(error) !== 'EMFILE' || this.#open.size <= descriptorsMin) throw error
        this.#most = Math.max(descriptorsMin, this.#open.size >> 1)
        while (this.#open.size >= this.#most) this.#closeOldest()
      }
    }
  }

  close(path: string): void {
    const found = this.#open.get(path)
    if (found === undefined) return
    this.#open.delete(path)
    fs.closeSync(found)
  }

  closeAll(): void {
    for (const path of this.#open.keys()) this.close(path)
  }

  #closeOldest(): void {
    for (const path of this.#open.keys()) return this.close(path)
  }
}
