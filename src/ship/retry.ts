import { limits } from '../base/limits.ts'

/** How long to wait before trying again, in milliseconds. */
export interface Backoff {
  readonly baseMs: number
  readonly capMs: number
}

/** The server has too much to do; there is none; somebody has to mend the target. */
export const overload: Backoff = { baseMs: limits.retryBaseMs, capMs: limits.overloadCapMs }
/** The same, when a part of a request was taken. */
export const progress: Backoff = { baseMs: limits.progressBaseMs, capMs: limits.overloadCapMs }
export const unreachable: Backoff = { baseMs: limits.retryBaseMs, capMs: limits.retryCapMs }
export const hold: Backoff = { baseMs: limits.holdBaseMs, capMs: limits.holdCapMs }

/**
 * Capped exponential back-off with full jitter, so that two hundred sidecars do not come back at one moment.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param attempt      0 for the first wait
 * @param random       [0, 1)
 * @param askedMs      what the server asked for, which is kept at least
 */
export function backoffMs(backoff: Backoff, attempt: number, random: number, askedMs = 0): number {
  const most = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(attempt, 30))
  return Math.max(Math.round(random * most), Math.min(askedMs, backoff.capMs * 10))
}

/** `Retry-After` in milliseconds: seconds, or an HTTP date; 0 when there is none or it makes no sense. */
export function retryAfterMs(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const at = Date.parse(header)
  return Number.isNaN(at) ? 0 : Math.max(0, at - nowMs)
}
