import type { Generation } from '../follow/generation.ts'
import { Frontier, type Mark } from '../settle/frontier.ts'
import type { Span } from '../queue/batch.ts'

/** The frontier of each generation; one that is forgotten takes its own along. */
export class Frontiers {
  readonly #frontiers = new WeakMap<Generation, Frontier>()

  /** The frontier of a generation; it begins where that is read now. */
  of(generation: Generation): Frontier {
    let frontier = this.#frontiers.get(generation)
    if (frontier === undefined) {
      const { offset, skipping } = generation
      frontier = new Frontier({ offset, skipping, guardHash: generation.guardHash() })
      this.#frontiers.set(generation, frontier)
    }
    return frontier
  }

  /** Notes that the bytes of a span are under way. Returns what settles them. */
  issue(span: Span<Generation, Mark>): () => void {
    const { source } = span
    const frontier = this.of(source)
    const settle = frontier.issue(span.from, span.to)
    return () => {
      settle()
      const { offset, skipping } = frontier.mark
      // All that was read has its verdict: the generation says the same, and most of 10,000 files are idle.
      if (frontier.settled && offset === source.offset && skipping === source.skipping) this.#frontiers.delete(source)
    }
  }

  /** Undefined while nothing was read of it in this life of the process. */
  markOf(generation: Generation): Mark | undefined {
    return this.#frontiers.get(generation)?.mark
  }

  /** Whether every line that was read of it has a final verdict. */
  isSettled(generation: Generation): boolean {
    const frontier = this.#frontiers.get(generation)
    return frontier === undefined || (frontier.settled && frontier.mark.offset === generation.offset)
  }
}
