import { limits } from '../base/limits.ts'

export type Policy = 'keep' | 'delete-shipped' | 'drop-oldest'

export interface VolumeFacts {
  readonly policy: Policy
  readonly limitBytes: number
  /** As the kubelet counts it: blocks of all that has a name in it. */
  readonly usedBytes: number
  /** What will be added in `limits.volumeAheadMs`, as fast as it grows now. */
  readonly aheadBytes: number
  /** It was above the high mark, and has not been below the low one since. */
  readonly freeing: boolean
}

/** A file that may go: rotated, known, with one name, and written to by nobody as far as its names and times tell. */
export interface Candidate {
  /** Every line of it has its final verdict, and the checkpoint on disk says so. */
  readonly shipped: boolean
  /** Since its last new byte. */
  readonly quietMs: number
  /** What removing it brings. */
  readonly allocatedBytes: number
}

export interface Removal<C extends Candidate> {
  readonly candidate: C
  /** `dropped`: with lines in it that nobody has shipped. */
  readonly as: 'shipped' | 'dropped'
}

export interface Decision<C extends Candidate> {
  readonly freeing: boolean
  /** In this order. */
  readonly remove: readonly Removal<C>[]
  /** It is nearly full all the same: there is nothing more that may go. */
  readonly short: boolean
}

/**
 * What is to be deleted so that the volume stays below its limit. Shipped files first, whatever their age; unshipped ones
 * only where that is asked for, and as late as can be. No more than needed.
 *
 * @param candidates  the oldest content first
 */
export function decide<C extends Candidate>(volume: VolumeFacts, candidates: readonly C[]): Decision<C> {
  const { policy, limitBytes, usedBytes, aheadBytes } = volume
  const mark = (percent: number) => (limitBytes / 100) * percent
  const high = mark(limits.volumeHighPercent)
  let used = usedBytes
  const isOver = (bytes: number) => used + aheadBytes > bytes
  if (!isOver(high) && !(volume.freeing && used > mark(limits.volumeLowPercent)))
    return { freeing: false, remove: [], short: false }
  const remove: Removal<C>[] = []
  const take = (wanted: (candidate: C) => boolean, as: Removal<C>['as'], goesOn: () => boolean) => {
    for (const candidate of candidates) {
      if (!goesOn()) return
      if (!wanted(candidate)) continue
      remove.push({ candidate, as })
      used -= candidate.allocatedBytes
    }
  }
  if (policy !== 'keep') {
    // A rotator that deletes such a file does no more: nobody who still writes to it could tell the difference.
    const isAtRest = ({ shipped, quietMs }: C) => shipped && quietMs >= limits.deletedHoldMs
    take(isAtRest, 'shipped', () => used > mark(limits.volumeLowPercent) || isOver(high))
    const isPressing = isOver(mark(limits.volumeUrgentPercent))
    if (isPressing)
      take(
        (candidate) => candidate.shipped && !isAtRest(candidate),
        'shipped',
        () => isOver(high),
      )
    const mayDrop = () => used > mark(limits.volumeDropPercentMin)
    if (policy === 'drop-oldest' && isOver(mark(limits.volumeUrgentPercent)))
      take(
        ({ shipped }) => !shipped,
        'dropped',
        () => isOver(high) && mayDrop(),
      )
  }
  // Between the marks there may be files that go when it presses.
  const bound = policy === 'keep' ? limits.volumeHighPercent : limits.volumeUrgentPercent
  return { freeing: true, remove, short: used > mark(bound) }
}
