import type { Generation } from './generation.ts'
import { nameOf, type SeenFile } from './seen.ts'

/**
 * The files of a look that are nobody's, by the names that they may have had: thousands of generations each look for the
 * rest of them, and each would otherwise go through thousands of files.
 */
export class FreeFiles {
  readonly #files: readonly SeenFile[]
  /** Places in `#files`, by each name without its directory that a file may have had. */
  readonly #byName = new Map<string, number[]>()
  /** Of those that are known as copies: they are somebody's whatever they are called. */
  readonly #copies: number[] = []

  /** @param isCopy  whether somebody has it as a copy */
  constructor(files: readonly SeenFile[], isCopy: (file: SeenFile) => boolean) {
    this.#files = files
    for (const [at, file] of files.entries()) {
      if (isCopy(file)) this.#copies.push(at)
      for (const name of new Set([file.path, ...file.before].map(nameOf))) {
        const places = this.#byName.get(name)
        if (places === undefined) this.#byName.set(name, [at])
        else places.push(at)
      }
    }
  }

  /** Those that `mayHold` does not rule out by their names, and all copies, in the order of the look. */
  of({ path, basePath, lastPath }: Generation): SeenFile[] {
    const places = new Set(this.#copies)
    for (const known of [path, basePath, lastPath]) {
      if (known === undefined) continue
      for (const at of this.#byName.get(nameOf(known)) ?? []) places.add(at)
    }
    return [...places].toSorted((a, b) => a - b).map((at) => this.#files[at]!)
  }
}
