import type { Generation } from './generation.ts'

/** Turns in a row that files about to vanish may take before a live one gets its own. */
const urgentInRow = 3

/**
 * Whose turn it is. Each turn reads one quantum, then the generation goes to the end of its line: no file starves
 * another. Files that were rotated away or deleted go first, for they may vanish; and before their successors.
 */
export class Schedule {
  #urgent: Generation[] = []
  #live: Generation[] = []
  readonly #queued = new Set<Generation>()
  #row = 0

  get size(): number {
    return this.#queued.size
  }

  /** Puts a generation in line; one that stands there already stays where it is. */
  offer(generation: Generation): void {
    if (this.#queued.has(generation)) return
    this.#queued.add(generation)
    if (generation.stage === 'live') this.#live.push(generation)
    else this.#urgent.push(generation)
  }

  /** The next generation that may be read, or undefined. One whose predecessor has unread bytes waits. */
  next(): Generation | undefined {
    const urgentFirst = this.#row < urgentInRow
    const picked =
      (urgentFirst ? this.#take(this.#urgent) : undefined) ?? this.#take(this.#live) ?? this.#take(this.#urgent)
    this.#row = picked !== undefined && picked.stage !== 'live' && urgentFirst ? this.#row + 1 : 0
    return picked
  }

  #take(line: Generation[]): Generation | undefined {
    for (let tries = line.length; tries > 0; tries--) {
      const generation = line.shift()!
      if (waits(generation)) {
        line.push(generation)
        continue
      }
      this.#queued.delete(generation)
      return generation
    }
    return undefined
  }
}

function waits(generation: Generation): boolean {
  if (generation.waitsFor !== undefined) return true
  for (;;) {
    const { predecessor } = generation
    if (predecessor === undefined) return false
    // Not for a copy that may never be found: the live file may be truncated again meanwhile.
    if (predecessor.readable || predecessor.countsUntilMs !== undefined) return true
    // It may get a late line yet; but order is kept per generation, and `log.offset` gives it back.
    generation.predecessor = predecessor.predecessor
  }
}
