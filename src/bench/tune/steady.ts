import type { Moment } from '../types.ts'

/** How a backlog went while it went evenly. */
export interface Steady {
  readonly bytesPerSecond: number
  readonly cpuSecondsPerGB: number
  readonly seconds: number
}

/** Of a backlog, the part that is not looked at: files are found, code is compiled, the window of requests opens. */
const startShare = 0.25
const momentsMin = 3

/**
 * The slope of what was stored, from the looks between the start and the moment at which all was there. From the first answer to the
 * last would be another figure: the first wave of requests would count with its bytes and without its time, so that more and larger
 * requests looked faster than they are by as much as they hold. A look comes when it comes, in the middle of a wave or at its
 * end; so the slope leans to nobody.
 *
 * @returns undefined when there are too few looks: it was over too soon
 */
export function steadyOf(moments: readonly Moment[]): Steady | undefined {
  const allBytes = Math.max(0, ...moments.map(({ storedBytes }) => storedBytes))
  const under = moments.filter(({ storedBytes }) => storedBytes > 0 && storedBytes < allBytes)
  const later = under.filter(({ storedBytes }) => storedBytes >= allBytes * startShare)
  const looks = later.length >= momentsMin ? later : under
  const [first, last] = [looks[0], looks.at(-1)]
  if (looks.length < momentsMin || first === undefined || last === undefined || last.atMs <= first.atMs)
    return undefined
  const bytesPerMs = slopeOf(looks.map(({ atMs, storedBytes }) => [atMs, storedBytes]))
  const usPerMs = slopeOf(looks.map(({ atMs, cpuUs }) => [atMs, cpuUs]))
  if (!(bytesPerMs > 0)) return undefined
  return {
    bytesPerSecond: bytesPerMs * 1e3,
    // Microseconds a byte are 1,000 seconds a GB.
    cpuSecondsPerGB: (usPerMs / bytesPerMs) * 1e3,
    seconds: (last.atMs - first.atMs) / 1e3,
  }
}

/** Least squares. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const count = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const under = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return over / under
}
