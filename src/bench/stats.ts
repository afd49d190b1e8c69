/** What a figure says: the middle of its rounds and how far they spread. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @throws RangeError when there is nothing to summarise: a figure out of no rounds would be an invention */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const low = sorted[(sorted.length - 1) >> 1]
  const high = sorted[sorted.length >> 1]
  const min = sorted[0]
  const max = sorted.at(-1)
  if (low === undefined || high === undefined || min === undefined || max === undefined) {
    throw new RangeError('no values to summarise')
  }
  return { median: (low + high) / 2, min, max }
}

/** Two floors of one round may differ by this part of the smaller one; more, and something else used the machine. */
export const floorToleranceRatio = 0.25

export function floorsAgree(before: number, after: number): boolean {
  if (!(before > 0) || !(after > 0)) return false
  return Math.abs(before - after) / Math.min(before, after) <= floorToleranceRatio
}
