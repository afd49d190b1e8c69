import type { Generation } from '../follow/generation.ts'
import type { Registry } from '../follow/registry.ts'
import type { Span } from '../queue/batch.ts'
import type { Mark } from '../settle/frontier.ts'
import type { Frontiers } from './frontiers.ts'

/**
 * What the process before may have sent without living to see the answer: of each generation that it knew, the bytes from
 * the frontier to the size at the first reading in this process.
 */
export class Resumption {
  /** Undefined until it is read. */
  readonly #ends = new Map<Generation, number | undefined>()

  /** The process before knew it. */
  add(generation: Generation): void {
    this.#ends.set(generation, undefined)
  }

  /** It is read for the first time, or once more. */
  started(generation: Generation): void {
    if (!this.#ends.has(generation) || this.#ends.get(generation) !== undefined) return
    this.#ends.set(generation, sizeOf(generation))
  }

  mayHaveSent(spans: readonly Span<Generation, Mark>[]): boolean {
    return spans.some(({ source, from }) => from < (this.#ends.get(source) ?? 0))
  }

  /** Whether something of it has no verdict yet; forgets what has. */
  isOpen(registry: Registry, frontiers: Frontiers): boolean {
    for (const [generation, end] of this.#ends) {
      const { offset } = frontiers.markOf(generation) ?? generation
      // What is looked for in a copy or an archive may have more than the state knew, as what nobody could look at yet.
      const isLookedFor = end === undefined && (generation.wanted !== undefined || !generation.sized)
      const isBehind = offset < (end ?? sizeOf(generation))
      const open = isLookedFor || (isBehind && !(generation.finished && frontiers.isSettled(generation)))
      if (!open || !registry.generations.has(generation)) this.#ends.delete(generation)
    }
    return this.#ends.size > 0 || [...registry.waiting].some(({ finished }) => !finished)
  }
}

/** Nobody knows how many bytes come out of a compressed file before the last one has. */
function sizeOf({ packing, sizeBytes }: Generation): number {
  return packing === undefined ? sizeBytes : Infinity
}
