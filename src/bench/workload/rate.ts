import type { Rate } from '../types.ts'

/** Bytes that are to be written when `elapsedMs` have passed since the first line. Never less than before. */
export function dueBytes(rate: Rate, elapsedMs: number): number {
  if (rate.kind === 'backlog') return Infinity
  if (rate.kind === 'fixed') return (rate.bytesPerSecond * elapsedMs) / 1e3
  const { bytesPerSecond, times, periodMs } = rate
  const periodBytes = (bytesPerSecond * periodMs) / 1e3
  const inPeriodMs = elapsedMs % periodMs
  return periodBytes * (Math.floor(elapsedMs / periodMs) + Math.min(1, (inPeriodMs * times) / periodMs))
}

/** When the byte behind so many is due, ms after the first line: what `dueBytes` has at that time. */
export function dueAtMs(rate: Rate, bytes: number): number {
  if (rate.kind === 'backlog') return 0
  if (rate.kind === 'fixed') return (bytes * 1e3) / rate.bytesPerSecond
  const { bytesPerSecond, times, periodMs } = rate
  const periodBytes = (bytesPerSecond * periodMs) / 1e3
  return Math.floor(bytes / periodBytes) * periodMs + ((bytes % periodBytes) * 1e3) / (bytesPerSecond * times)
}
