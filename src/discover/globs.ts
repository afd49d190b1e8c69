import path from 'node:path'

/** Characters that make a path segment a pattern. Source: Node's `path.matchesGlob` (minimatch). */
const magic = /[*?[\]{}()!+@\\]/

/** Which paths are to be tailed, and which directories may hold such a path. */
export class Globs {
  readonly #include: readonly string[]
  readonly #exclude: readonly string[]
  readonly #own: readonly string[]
  /** Some glob names something hidden. */
  readonly #hidden: boolean

  /**
   * @param include  absolute globs
   * @param exclude  absolute globs, which win
   * @param own      directories of Remora's own: nothing in them is tailed, whatever it is called
   */
  constructor(include: readonly string[], exclude: readonly string[], own: readonly string[] = []) {
    this.#include = include
    this.#exclude = exclude
    this.#own = own
    this.#hidden = include.some((glob) => /[/{,[]\./.test(glob))
  }

  /** The deepest directory of each glob without a pattern, none of them inside another. */
  roots(): string[] {
    const roots = this.#include.map((glob) => {
      const parts = glob.split('/')
      const first = parts.findIndex((part) => magic.test(part))
      return parts.slice(0, first === -1 ? -1 : first).join('/') || '/'
    })
    const distinct = [...new Set(roots)]
    return distinct.filter((root) => !distinct.some((other) => other !== root && isWithin(root, other)))
  }

  matches(file: string): boolean {
    return this.#include.some((glob) => path.matchesGlob(file, glob)) && !this.excludes(file)
  }

  /** Whether it is to be left alone, under whatever name. */
  excludes(file: string): boolean {
    return this.#isOwn(file) || this.#exclude.some((glob) => path.matchesGlob(file, glob))
  }

  /** Whether a file below `directory` may match: its depth is not beyond each glob's, its segments fit so far. */
  mayContain(directory: string): boolean {
    if (this.#isOwn(directory)) return false
    if (!this.#hidden && this.#exclude.some((glob) => coversAll(glob, directory))) return false
    const parts = directory.split('/')
    return this.#include.some((glob) => {
      const pattern = glob.split('/')
      for (const [index, part] of parts.entries()) {
        const at = pattern[index]
        if (at === undefined) return false
        // A brace may span segments; then only matching the whole path can tell.
        if (at === '**' || at.split('{').length !== at.split('}').length) return true
        if (part !== at && !path.matchesGlob(part, at)) return false
      }
      return pattern.length > parts.length
    })
  }

  #isOwn(at: string): boolean {
    return this.#own.some((directory) => isWithin(at, directory))
  }
}

/** Whether a glob matches all that can be below a directory, but for hidden names: `**` leaves those out. */
function coversAll(glob: string, directory: string): boolean {
  return glob.endsWith('/**') && path.matchesGlob(`${directory}/x`, glob)
}

/** Whether `inner` is `outer` or below it. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`)
}
