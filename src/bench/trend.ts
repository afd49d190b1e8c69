/** One figure at one time. */
export interface Sample {
  readonly atMs: number
  readonly value: number
}

export interface Trend {
  /** Of the value, for each hour: Theil and Sen's median of the slopes of all pairs, and its 99 % confidence interval. */
  readonly perHour: number
  readonly perHourLow: number
  readonly perHourHigh: number
  /** What the value has certainly risen over the whole time: the low end of the interval; 0 when that is below 0. */
  readonly rise: number
  /** The spread of what no line explains: the median distance from the line, as a standard deviation. */
  readonly noise: number
  /** Medians that the trend was made of. */
  readonly blocks: number
}

const blocksMax = 120
const blocksMin = 10
/** Of a normal distribution: 99 % lie within so many standard deviations; the median distance by so much is one. */
const z99 = 2.576
const madToSigma = 1.4826
const hourMs = 3_600_000

/**
 * Whether a value rises in the long run. Made of the medians of equal parts of the time, for neighbouring samples of a
 * heap are not independent; a collector's saw tooth and single peaks move a median of slopes little.
 * Sources: P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", 1968; R. O. Gilbert,
 * "Statistical Methods for Environmental Pollution Monitoring", 1987, 16.5 (the interval).
 * @param samples  in the order of time
 * @throws RangeError when there are too few
 */
export function trendOf(samples: readonly Sample[]): Trend {
  if (samples.length < blocksMin) throw new RangeError(`${samples.length} samples are no trend`)
  const points = blocksOf(samples)
  const slopes: number[] = []
  for (const [at, { atMs, value }] of points.entries()) {
    for (const later of points.slice(at + 1)) slopes.push((later.value - value) / (later.atMs - atMs))
  }
  slopes.sort((a, b) => a - b)
  const n = points.length
  const half = (z99 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)) / 2
  const nth = (index: number) => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(index)))]!
  const slope = median(slopes)
  const [low, high] = [nth(slopes.length / 2 - half - 1), nth(slopes.length / 2 + half)]
  const level = median(points.map(({ atMs, value }) => value - slope * atMs))
  const noise = madToSigma * median(samples.map(({ atMs, value }) => Math.abs(value - slope * atMs - level)))
  const spanMs = samples.at(-1)!.atMs - samples[0]!.atMs
  return {
    perHour: slope * hourMs,
    perHourLow: low * hourMs,
    perHourHigh: high * hourMs,
    rise: Math.max(0, low * spanMs),
    noise,
    blocks: n,
  }
}

function blocksOf(samples: readonly Sample[]): Sample[] {
  const count = Math.min(blocksMax, Math.floor(samples.length / 2))
  if (count < blocksMin) return [...samples]
  return Array.from({ length: count }, (_, n) => {
    const [from, to] = [n, n + 1].map((edge) => Math.round((edge * samples.length) / count))
    const block = samples.slice(from, to)
    return { atMs: median(block.map(({ atMs }) => atMs)), value: median(block.map(({ value }) => value)) }
  })
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}
