/** Facts about the batch being filled, when nothing more can be put into it at once. */
export interface SealingFacts {
  readonly documents: number
  readonly ageMs: number
  /** A bulk request is waiting or under way: this batch gains nothing by leaving now. */
  readonly busy: boolean
  readonly draining: boolean
}

/** How long to wait for more lines before the batch leaves; 0: now; undefined: there is nothing to send. */
export function sealAfterMs(facts: SealingFacts, lingerMs: number, idleLingerMs: number): number | undefined {
  if (facts.documents === 0) return undefined
  if (facts.draining) return 0
  const most = facts.busy ? lingerMs : Math.min(lingerMs, idleLingerMs)
  return Math.max(0, most - facts.ageMs)
}
