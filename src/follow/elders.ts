import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { directoryOf, type SeenFile } from './seen.ts'

/**
 * Why a file is not read yet, though it could be. A directory is not listed in one moment: what had the file's name before
 * may turn up a look later.
 *
 * - `look`: it has the name of one that is known, and nobody has looked again since it was found
 * - `decision`: a rotated file was seen that may be older, and it is too early to say what it is
 */
export type Wait = 'look' | 'decision'

/** Order at a rotation: a file waits until it is known what was rotated away before it; for a few looks, not for good. */
export class Elders {
  readonly #clock: Clock
  readonly #lookAgain: (directory: string) => void
  /** Names before rotation of files that it was too early to say anything of. */
  readonly #undecided = new Set<string>()

  constructor(clock: Clock, lookAgain: (directory: string) => void) {
    this.#clock = clock
    this.#lookAgain = lookAgain
  }

  /** @param looked  the directories that were listed */
  beginLook(generations: Iterable<Generation>, looked: ReadonlyMap<string, unknown>, everything: boolean): void {
    if (everything) this.#undecided.clear()
    for (const generation of generations) {
      const { waitsFor, directory } = generation
      if (waitsFor !== 'look') continue
      if (directory === undefined) generation.waitsFor = undefined
      else if (everything || looked.has(directory)) this.#looked(generation, directory)
    }
  }

  #looked(generation: Generation, directory: string): void {
    if (--generation.looksToWait > 0) this.#lookAgain(directory)
    else generation.waitsFor = undefined
  }

  /** It is too early to say what a rotated file is. */
  undecided({ before }: SeenFile): void {
    for (const name of before) this.#undecided.add(name)
  }

  /** Others have had its name. */
  holdBack(generation: Generation): void {
    generation.waitsFor = 'look'
    generation.looksToWait = limits.elderLooks
    generation.waitsUntilMs = this.#clock.monotonicMs() + limits.elderWaitMs
    this.#lookAgain(directoryOf(generation.lastPath ?? generation.path))
  }

  endLook(generations: Iterable<Generation>, everything: boolean): void {
    if (!everything) return
    const nowMs = this.#clock.monotonicMs()
    for (const generation of generations) {
      const { stage, offset, path } = generation
      // One that is being read goes on: what came before it was decided before.
      const mayWait = stage === 'live' && offset === 0 && this.#undecided.has(path)
      if (mayWait) generation.waitsUntilMs ||= nowMs + limits.elderWaitMs
      if (mayWait && nowMs < generation.waitsUntilMs) generation.waitsFor = 'decision'
      else if (generation.waitsFor === 'decision') generation.waitsFor = undefined
    }
  }

  /** Whether a file has just waited for long enough, whatever was looked at meanwhile. */
  isOver(generation: Generation, nowMs: number): boolean {
    if (generation.waitsFor === undefined || nowMs < generation.waitsUntilMs) return false
    generation.waitsFor = undefined
    return true
  }

  /** There will be no further look. */
  lastLook(generations: Iterable<Generation>): void {
    for (const generation of generations) generation.waitsFor = undefined
  }
}
