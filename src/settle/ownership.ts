/**
 * Two Remoras in one state directory, by mistake or because the old Pod of a rolling update still drains: whoever finds that
 * the other has written since leaves the checkpoint alone. So the one that started last goes on, and never both; a lock
 * would outlive a SIGKILL. It is taken back from one that is silent.
 */
export interface OwnerFacts {
  /** This process has written before. */
  readonly owned: boolean
  /** It was there when this process wrote last, and nothing has gone wrong since. */
  readonly present: boolean
  readonly own: string
  /** The writer of the newest checkpoint; empty: it does not say; undefined: there is no file. */
  readonly onDisk: string | undefined
  /** Since the other was last seen to write. */
  readonly silentMs: number
}

/**
 * - `ours`: write
 * - `deleted`: write, and make what else is gone
 * - `other`: somebody else has it now
 * - `silent`: somebody else had it: take it back
 */
export type Ownership = 'ours' | 'deleted' | 'other' | 'silent'

export function ownershipOf(facts: OwnerFacts, yieldMs: number): Ownership {
  const { owned, present, own, onDisk, silentMs } = facts
  // What the last run has left is there to be taken over.
  if (!owned) return 'ours'
  if (onDisk === undefined) return present ? 'deleted' : 'ours'
  if (onDisk === own || onDisk === '') return 'ours'
  return silentMs >= yieldMs ? 'silent' : 'other'
}
