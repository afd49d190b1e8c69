/** Facts about the batch being filled, when nothing more can be put into it before the next look at the files. */
export interface SealingFacts {
  readonly documents: number
  readonly ageMs: number
  /** A bulk request is waiting or under way: this batch gains nothing by leaving now. */
  readonly busy: boolean
  readonly draining: boolean
}

/**
 * How long to wait for more lines before the batch leaves; 0: now; undefined: there is nothing to send.
 *
 * While nothing is under way it leaves at once: more lines come with the next look, which is longer away than any wait
 * that is worth it. What paces small requests is the interval between looks; under load the answer of the request
 * before does, and batches fill meanwhile.
 */
export function sealAfterMs(facts: SealingFacts, lingerMs: number): number | undefined {
  if (facts.documents === 0) return undefined
  if (facts.draining || !facts.busy) return 0
  return Math.max(0, lingerMs - facts.ageMs)
}
