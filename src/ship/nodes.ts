import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { backoffMs } from './retry.ts'

/** What a request tells of its node: `unsaid` when it was we who ended it. */
export type NodeNews = 'alive' | 'failed' | 'unsaid'

interface Node {
  underWay: number
  down: boolean
  /** In a row, of requests and of signs of life; only a request that gets through ends them. */
  failures: number
  /** Monotonic: when it is asked again whether it is there. */
  dueMs: number
  asking: boolean
}

export interface NodesOptions {
  readonly count: number
  readonly clock: Clock
  /** [0, 1) */
  readonly random: () => number
  /** Whether a node gives a sign of life. Bounded in time; never throws. */
  readonly probe: (node: number) => Promise<boolean>
}

function unknownNode(): Node {
  return { underWay: 0, down: false, failures: 0, dueMs: 0, asking: false }
}

const probing = { baseMs: limits.nodeProbeBaseMs, capMs: limits.nodeProbeCapMs }

/**
 * Which node gets the next request: of those that are not down the one with the fewest requests under way, in turn where
 * they are equal. So one that hangs gets no second request while others answer. One that failed gets none at all until it
 * gives a sign of life, which is asked for in the background, with growing pauses: no batch waits to find out. Where all are
 * down there is nothing to lose, and all are tried in turn.
 */
export class Nodes {
  readonly #o: NodesOptions
  readonly #nodes: readonly Node[]
  #last = -1

  constructor(options: NodesOptions) {
    this.#o = options
    this.#nodes = Array.from({ length: options.count }, unknownNode)
  }

  /** The caller says by `done` when its request is over. */
  take(): number {
    const up = this.#nodes.some(({ down }) => !down)
    if (up) this.#ask()
    const { length } = this.#nodes
    let chosen = -1
    for (let step = 1; step <= length; step++) {
      const at = (this.#last + step) % length
      const node = this.#nodes[at]!
      if (up && node.down) continue
      if (chosen === -1 || node.underWay < this.#nodes[chosen]!.underWay) chosen = at
    }
    this.#last = chosen
    this.#nodes[chosen]!.underWay++
    return chosen
  }

  done(at: number, news: NodeNews): void {
    const node = this.#nodes[at]!
    node.underWay--
    if (news === 'alive') {
      node.down = false
      node.failures = 0
    } else if (news === 'failed') this.#failed(node)
  }

  /** What was said of them may hold no longer: all are tried again. */
  forgive(): void {
    for (const node of this.#nodes) {
      node.down = false
      node.failures = 0
    }
  }

  #failed(node: Node): void {
    node.down = true
    // Not at one moment for all sidecars, and not at once.
    const spread = 0.5 + this.#o.random() / 2
    node.dueMs = this.#o.clock.monotonicMs() + backoffMs(probing, node.failures, spread)
    node.failures++
  }

  #ask(): void {
    const nowMs = this.#o.clock.monotonicMs()
    for (const [at, node] of this.#nodes.entries()) {
      if (!node.down || node.asking || nowMs < node.dueMs) continue
      void this.#probe(at, node)
    }
  }

  async #probe(at: number, node: Node): Promise<void> {
    node.asking = true
    const alive = await this.#o.probe(at)
    node.asking = false
    if (!node.down) return
    // Down again at the first request that fails, with the pauses where they were: it may answer this, and nothing else.
    if (alive) node.down = false
    else this.#failed(node)
  }
}
