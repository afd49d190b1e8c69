import { trendOf } from '../trend.ts'
import type { Moment } from '../types.ts'

/** A lag that grows by more than this part of what is written: the agent is slower than the writer. */
const growthShareMax = 0.03
/** What is written in so long may be under way when the writer ends, */
const lagMsMax = 1_500
/** and always so much: what the writer writes at once. */
const lagBytesMin = 64 << 10
/** A lag below both of these may double and still be next to nothing: batches fill and go. */
const nextToNothing = { ms: 1_000, bytes: 512 << 10 }
/** What is made good when the lag is below this, or half a second. */
const caughtUpBytes = 512 << 10
/** Of the writing time, the part that is looked at: before that, code is compiled and a start is made good. */
const lookedAtShare = 0.6
const momentsMin = 10

/** Whether the agent kept up with a writer: its lag does not grow, and is small at the end. Undefined: too few looks to tell. */
export function keptUp(moments: readonly Moment[], bytesPerSecond: number, writtenMs: number): boolean | undefined {
  const looked = moments.filter(({ atMs }) => atMs >= writtenMs * (1 - lookedAtShare) && atMs <= writtenMs)
  if (looked.length < momentsMin) return undefined
  const { perHour } = trendOf(looked.map(({ atMs, lagBytes }) => ({ atMs, value: lagBytes })))
  if (perHour / 3_600 > bytesPerSecond * growthShareMax) {
    const largest = Math.max(...looked.map(({ lagBytes }) => lagBytes))
    if (largest > Math.min(nextToNothing.bytes, (bytesPerSecond * nextToNothing.ms) / 1_000)) return false
  }
  const last = looked.slice(-3).map(({ lagBytes }) => lagBytes)
  return Math.min(...last) <= Math.max(lagBytesMin, (bytesPerSecond * lagMsMax) / 1_000)
}

export interface CatchUp {
  /** From the server's return until the lag was as small as before. */
  readonly seconds: number
  /** Log bytes stored for each second of it. */
  readonly bytesPerSecond: number
}

/** How a lag was made good after `fromMs`; undefined when it was not while somebody looked. */
export function catchUpOf(moments: readonly Moment[], fromMs: number, bytesPerSecond: number): CatchUp | undefined {
  const after = moments.filter(({ atMs }) => atMs >= fromMs)
  const goal = Math.max(caughtUpBytes, bytesPerSecond / 2)
  const [first] = after
  const caught = after.find(({ lagBytes }) => lagBytes <= goal)
  if (first === undefined || caught === undefined) return undefined
  const seconds = Math.max(0.001, (caught.atMs - fromMs) / 1_000)
  return { seconds, bytesPerSecond: (caught.storedBytes - first.storedBytes) / seconds }
}
