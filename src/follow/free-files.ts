import type { Generation } from './generation.ts'
import { nameOf, type SeenFile } from './seen.ts'

/**
 * The files of a look that are nobody's, by the names that they may have had: thousands of generations each look for the
 * rest of them, and each would otherwise go through thousands of files.
 */
export class FreeFiles {
  readonly #files: readonly SeenFile[]
  /** Places in `#files`, by each path that a file has or may have had, and by the latter without their directories. */
  readonly #byPath = new Map<string, number[]>()
  readonly #byName = new Map<string, number[]>()
  /** Of those that are known as copies: they are somebody's whatever they are called. */
  readonly #copies: number[] = []

  /** @param isCopy  whether somebody has it as a copy */
  constructor(files: readonly SeenFile[], isCopy: (file: SeenFile) => boolean) {
    this.#files = files
    for (const [at, file] of files.entries()) {
      if (isCopy(file)) this.#copies.push(at)
      for (const path of new Set([file.path, ...file.before])) put(this.#byPath, path, at)
      for (const name of new Set(file.before.map(nameOf))) put(this.#byName, name, at)
    }
  }

  /** Those that `mayHold` does not rule out by their names, and all copies, in the order of the look. */
  of({ path, basePath, lastPath, anchor }: Generation): SeenFile[] {
    const places = new Set(this.#copies)
    const add = (found: readonly number[] = []) => found.forEach((at) => places.add(at))
    for (const known of [path, basePath, lastPath]) if (known !== undefined) add(this.#byPath.get(known))
    if (anchor !== undefined) add(this.#byName.get(nameOf(path)))
    return [...places].toSorted((a, b) => a - b).map((at) => this.#files[at]!)
  }
}

function put(places: Map<string, number[]>, key: string, at: number): void {
  const known = places.get(key)
  if (known === undefined) places.set(key, [at])
  else known.push(at)
}
