import { limits } from './limits.ts'

/**
 * In which interval something is looked at that no notification tells of: the longer it was quiet and the more there are of its
 * kind, the less often. So all of them together cost about the same however many they are, few are found as soon as ever, and
 * whatever happens is found after `limits.idlePollMaxMs` at the latest.
 *
 * @param quietMs  since it changed last
 * @param count    how many are looked at like this
 * @param leastMs  no more often than this
 */
export function backOffMs(quietMs: number, count: number, leastMs: number): number {
  const fairMs = (count / limits.idlePollsPerSecond) * 1000
  return Math.max(leastMs, Math.min(quietMs / limits.idlePollShare, fairMs, limits.idlePollMaxMs))
}
