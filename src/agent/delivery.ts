import type PQueue from 'p-queue'
import type { Clock } from '../base/clock.ts'
import type { Kernel } from '../encode/kernel.ts'
import type { Filled } from '../pump.ts'
import type { Arena } from '../queue/arena.ts'
import type { Ledger } from '../settle/ledger.ts'
import { noDelivery } from '../ship/range.ts'
import type { Shipper } from '../ship/shipper.ts'
import type { Frontiers } from './frontiers.ts'
import type { Resumption } from './resumption.ts'
import type { Saving } from './saving.ts'

export interface DeliveryOptions {
  readonly clock: Clock
  readonly requests: PQueue
  readonly shipper: Shipper
  readonly frontiers: Frontiers
  readonly saving: Saving
  readonly resumption: Resumption
  readonly ledger: Ledger
  readonly arena: Arena<Kernel>
  /** Aborts: what has no verdict yet stays held. */
  readonly signal: AbortSignal
  /** A slot is free, and a request over. */
  readonly delivered: () => void
  /** All of a batch has its verdict: so long since its first line was read. */
  readonly took: (durationMs: number) => void
}

/** What the lines of a span take up in their file. */
const bytesOf = ({ from, to }: Filled['spans'][number]) => to.offset - from

/** From a batch that leaves to its verdicts: in the ledger, at the frontiers, and its slot given back. */
export class Delivery {
  readonly #o: DeliveryOptions
  /** Batches without a verdict and when they left, the oldest first. */
  readonly #held = new Map<Filled, number>()

  constructor(options: DeliveryOptions) {
    this.#o = options
  }

  /** When the oldest batch without a verdict has left, monotonic. */
  get heldSinceMs(): number | undefined {
    return this.#held.values().next().value
  }

  /** Takes its turn among the requests. Rejects when Remora itself is at fault. */
  async ship(batch: Filled): Promise<void> {
    // In the order in which batches leave, whatever the order in which they arrive.
    const settle = batch.spans.map((span) => this.#o.frontiers.issue(span))
    this.#held.set(batch, this.#o.clock.monotonicMs())
    await this.#o.requests.add(() => this.#deliver(batch, settle)).finally(() => this.#held.delete(batch))
    // Only now the queue does not count it any more: who is told sooner may think that it is under way still.
    this.#o.delivered()
  }

  /** A batch without a document (the rest of a cut line, or nothing) has nothing to wait for. */
  settleEmpty(batch: Filled): void {
    const { frontiers, saving, arena, ledger } = this.#o
    for (const span of batch.spans) {
      frontiers.issue(span)()
      ledger.settle(span.source.path, 0, noDelivery(), bytesOf(span))
    }
    if (batch.spans.length > 0) saving.touch()
    arena.give(batch.slot)
  }

  async #deliver(batch: Filled, settle: readonly (() => void)[]): Promise<void> {
    const { shipper, saving, resumption, ledger, arena, signal, clock } = this.#o
    const { spans, slot, bytes } = batch
    await saving.knows(spans.map(({ source }) => source))
    const documents = spans.map((span) => span.documents)
    const outcomes = await shipper.deliver(slot.output, bytes, documents, signal, resumption.mayHaveSent(spans))
    for (const [at, span] of spans.entries()) {
      const outcome = outcomes[at]!
      ledger.settle(span.source.path, documents[at]!, outcome, bytesOf(span))
      if (outcome.held === 0) settle[at]!()
    }
    saving.touch()
    arena.give(slot)
    if (outcomes.every(({ held }) => held === 0)) this.#o.took(clock.monotonicMs() - batch.openedAtMs)
  }
}
