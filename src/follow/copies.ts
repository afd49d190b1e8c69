import type { Clock } from '../base/clock.ts'
import type { FileFacts } from '../base/disk.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { sameBirth } from './identity.ts'

/** A file with the bytes of a generation that is read elsewhere. */
export interface Copy {
  readonly owner: Generation
  readonly birthNs: bigint
  /** When it was found. */
  readonly sizeBytes: number
  /** The last bytes then; undefined for an archive, which does not grow. */
  readonly tail: Buffer | undefined
}

/** Which files are copies, by their key; nothing is read of them while the generation they are of is there. */
export class Copies {
  readonly #clock: Clock
  readonly #copies = new Map<string, Copy>()
  /** Copies that have grown since they were compared, and what they were copies of. */
  readonly #grown = new Map<string, Generation>()
  /** When a file was first seen that may be a copy of a live one, by its key; monotonic. */
  readonly #doubts = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(key: string, copy: Copy): void {
    this.#copies.set(key, copy)
    copy.owner.copies.add(key)
    this.#doubts.delete(key)
  }

  ownerOf(key: string): Generation | undefined {
    return this.#copies.get(key)?.owner
  }

  /** What a file was a copy of before it grew: asked once. */
  formerOwnerOf(key: string): Generation | undefined {
    const owner = this.#grown.get(key)
    this.#grown.delete(key)
    return owner
  }

  /** The copy that a file was found to be, if it still can be one; otherwise it is forgotten. */
  still(key: string, { birthNs, sizeBytes }: FileFacts): Copy | undefined {
    const copy = this.#copies.get(key)
    if (copy === undefined) return undefined
    const isSame = sameBirth(copy.birthNs, birthNs)
    if (isSame && sizeBytes === copy.sizeBytes) return copy
    this.#copies.delete(key)
    copy.owner.copies.delete(key)
    // It grows while it is made, and may grow into something else: to be compared again.
    if (isSame && sizeBytes > copy.sizeBytes && copy.tail !== undefined) this.#grown.set(key, copy.owner)
    return undefined
  }

  forgetOf(owner: Generation): void {
    for (const key of owner.copies) this.#copies.delete(key)
    owner.copies.clear()
  }

  /** Whether the time is not over in which a file with the bytes of a live one may turn out to be its copy. */
  isDoubtful(key: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    const sinceMs = this.#doubts.get(key) ?? nowMs
    this.#doubts.set(key, sinceMs)
    if (nowMs - sinceMs < limits.copyDoubtMs) return true
    this.#doubts.delete(key)
    return false
  }
}
