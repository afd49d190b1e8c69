import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { keyOf, sameBirth } from './identity.ts'
import { directoryOf, type SeenFile } from './seen.ts'

/** A file with the bytes of a generation that is read elsewhere. */
export interface Copy {
  /** At the last look. */
  path: string
  readonly owner: Generation
  readonly birthNs: bigint
  /** When it was compared. */
  readonly sizeBytes: number
  /** The last bytes then; undefined for an archive, which does not grow. */
  readonly tail: Buffer | undefined
  /** It has grown since: to be compared again, for it may grow into something else. */
  grown: boolean
}

/** Which files are copies, by their key; nothing is read of them while the generation they are of is there. */
export class Copies {
  readonly #clock: Clock
  readonly #copies = new Map<string, Copy>()
  /** When a file was first seen that may be a copy of a live one, by its key; monotonic. */
  readonly #doubts = new Map<string, { readonly path: string; readonly sinceMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param tail  the last bytes of a file that is no archive */
  add(file: SeenFile, owner: Generation, tail: Buffer | undefined): void {
    const key = keyOf(file.facts)
    const { birthNs, sizeBytes } = file.facts
    this.#copies.set(key, { path: file.path, owner, birthNs, sizeBytes, tail, grown: false })
    owner.hasCopy(key)
    // An archive is not packed again.
    if (tail !== undefined) owner.wasCopied = true
    this.#doubts.delete(key)
  }

  /** What a file is a copy of, or was before it grew. */
  ownerOf(key: string): Generation | undefined {
    return this.#copies.get(key)?.owner
  }

  /** Whether a file is a copy as it is, not an archive. */
  isPlain(key: string): boolean {
    return this.#copies.get(key)?.tail !== undefined
  }

  /** The copy that a file was found to be, if it still is one as far as its facts tell. */
  still({ path, facts }: SeenFile): Copy | undefined {
    const key = keyOf(facts)
    const copy = this.#copies.get(key)
    if (copy === undefined) return undefined
    copy.path = path
    const isSame = sameBirth(copy.birthNs, facts.birthNs)
    if (isSame && facts.sizeBytes === copy.sizeBytes) return copy
    copy.grown = isSame && facts.sizeBytes > copy.sizeBytes && copy.tail !== undefined
    if (!copy.grown) this.#drop(key, copy)
    return undefined
  }

  /** A file was compared again, and is no copy. */
  drop({ facts }: SeenFile): void {
    const copy = this.#copies.get(keyOf(facts))
    if (copy !== undefined) this.#drop(keyOf(facts), copy)
  }

  forgetOf(owner: Generation): void {
    for (const key of owner.copies) this.#copies.delete(key)
    owner.hasNoCopy()
  }

  /** @param isThere  whether a path in this directory was listed with this key */
  sweep(directory: string, isThere: (path: string, key: string) => boolean): void {
    for (const [key, copy] of this.#copies) {
      if (directoryOf(copy.path) === directory && !isThere(copy.path, key)) this.#drop(key, copy)
    }
    for (const [key, { path }] of this.#doubts) {
      if (directoryOf(path) === directory && !isThere(path, key)) this.#doubts.delete(key)
    }
  }

  /** Whether the time is not over in which a file with the bytes of a live one may turn out to be its copy. */
  isDoubtful({ path, facts }: SeenFile): boolean {
    const key = keyOf(facts)
    const nowMs = this.#clock.monotonicMs()
    const sinceMs = this.#doubts.get(key)?.sinceMs ?? nowMs
    this.#doubts.set(key, { path, sinceMs })
    if (nowMs - sinceMs < limits.copyDoubtMs) return true
    this.#doubts.delete(key)
    return false
  }

  #drop(key: string, copy: Copy): void {
    this.#copies.delete(key)
    copy.owner.hasNoCopy(key)
  }
}
