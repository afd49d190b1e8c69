import { limits } from '../base/limits.ts'

/** The hash of the guard before a place that reading has passed. */
export interface PassedMark {
  readonly offset: number
  readonly hash: string
}

/**
 * Adds the place that reading has come to; of those before a few are kept, the fewer the further back.
 *
 * @param before  in growing order
 * @returns       an array of just its size: one that grows by itself keeps room for sixteen more, in each of 10,000 files
 */
export function withMark(before: readonly PassedMark[], offset: number, hash: string): readonly PassedMark[] {
  const marks = [...before, { offset, hash }]
  if (marks.length <= limits.marksMax) return marks
  // Whichever leaves the smallest hole for its distance from the end.
  let least = 1
  let leastHole = Infinity
  for (let at = 1; at < marks.length - 1; at++) {
    const hole = (marks[at + 1]!.offset - marks[at - 1]!.offset) / (offset - marks[at]!.offset)
    if (hole < leastHole) [least, leastHole] = [at, hole]
  }
  marks.splice(least, 1)
  return marks
}

/** The last mark that a content of so many bytes can be compared at. */
export function markBefore(marks: readonly PassedMark[], sizeBytes: number): PassedMark | undefined {
  return marks.findLast(({ offset }) => offset <= sizeBytes)
}
