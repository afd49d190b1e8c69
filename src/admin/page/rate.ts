import type { Status } from './status.ts'

/** In a second since `before`; undefined when that was no moment of this process. */
export function rateOf(
  status: Status,
  before: Status | undefined,
  read: (status: Status) => number,
): number | undefined {
  if (before === undefined || before.startedAtMs !== status.startedAtMs || before.nowMs >= status.nowMs)
    return undefined
  return Math.max(0, ((read(status) - read(before)) * 1000) / (status.nowMs - before.nowMs))
}
