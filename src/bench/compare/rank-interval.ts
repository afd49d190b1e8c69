/** How much larger the values of one report are than those of another, with what is certain of it. */
export interface RatioInterval {
  /** Hodges and Lehmann's estimate: the median of the ratios of all pairs. */
  readonly ratio: number
  readonly low: number
  readonly high: number
  /** That the true ratio is between `low` and `high`. With three values each it cannot be more than 0.9. */
  readonly confidence: number
}

/** Fewer on a side, and nothing is certain. */
export const valuesMin = 3
/** Beyond this many pairs the distribution is as good as normal. */
const exactPairsMax = 900
const wantedConfidence = 0.95
const z95 = 1.96

/**
 * Moses' interval by Mann and Whitney's statistic, of the logarithms: no distribution is assumed but that both have the same
 * shape, and with as few values as there are here a bootstrap would draw from three. Exact at up to 900 pairs. When `wantedConfidence`
 * cannot be reached, the widest there is, with its own.
 * Source: M. Hollander, D. A. Wolfe, "Nonparametric Statistical Methods", 2nd ed. 1999, 4.2 (estimate) and 4.3 (interval).
 *
 * @returns undefined with fewer than three values on a side, or one that is not above 0
 */
export function ratioInterval(before: readonly number[], after: readonly number[]): RatioInterval | undefined {
  if (before.length < valuesMin || after.length < valuesMin) return undefined
  if (![...before, ...after].every((value) => value > 0)) return undefined
  const ratios = after.flatMap((b) => before.map((a) => b / a)).toSorted((a, b) => a - b)
  const { nth, confidence } = widthOf(before.length, after.length)
  const middle = Math.sqrt(ratios[(ratios.length - 1) >> 1]! * ratios[ratios.length >> 1]!)
  return { ratio: middle, low: ratios[nth]!, high: ratios[ratios.length - 1 - nth]!, confidence }
}

/** How many of the ordered pairs lie outside on each side. */
function widthOf(m: number, n: number): { readonly nth: number; readonly confidence: number } {
  const pairs = m * n
  if (pairs > exactPairsMax) {
    const nth = Math.floor(pairs / 2 - z95 * Math.sqrt((pairs * (m + n + 1)) / 12))
    return { nth: Math.max(0, nth - 1), confidence: wantedConfidence }
  }
  const counts = mannWhitneyCounts(m, n)
  const all = counts.reduce((sum, each) => sum + each, 0)
  let [nth, outside] = [0, counts[0]! / all]
  while ((outside + counts[nth + 1]! / all) * 2 <= 1 - wantedConfidence) {
    nth += 1
    outside += counts[nth]! / all
  }
  return { nth, confidence: 1 - 2 * outside }
}

/** In how many orders of `m` and `n` values exactly `u` pairs are the wrong way round, for each `u`. */
export function mannWhitneyCounts(m: number, n: number): number[] {
  // The Gaussian binomial: the product of (1 - q^(n + i)) / (1 - q^i).
  const counts = [1, ...Array.from<number>({ length: m * n }).fill(0)]
  for (let i = 1; i <= m; i++) {
    for (let u = counts.length - 1; u >= n + i; u--) counts[u]! -= counts[u - n - i]!
    for (let u = i; u < counts.length; u++) counts[u]! += counts[u - i]!
  }
  return counts
}
