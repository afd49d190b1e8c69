import type { Moment } from './types.ts'

export interface CostFacts {
  /** `atMs` from the writer's first line on. */
  readonly moments: readonly Moment[]
  /** Undefined: there was none, and the start counts. */
  readonly warm: { readonly cpuUs: number; readonly writtenBytes: number } | undefined
  readonly warmUpMs: number
  /** The lines came evenly, and nothing was killed or taken away. */
  readonly isSteady: boolean
  /** Of the whole run, until the last line was there. */
  readonly cpuUs: number
  readonly written: { readonly bytes: number; readonly firstAtMs: number; readonly lastAtMs: number }
}

const momentsMin = 6

/**
 * CPU seconds for each GB (10^9) of log. Of a steady load what was spent between the end of the warm-up and the writer's end,
 * by what was written meanwhile: lines that are under way at the one are made up for by those at the other. Else all from the
 * warm-up's end to the last answer, by all that was written from then on. 0: nothing was.
 */
export function cpuSecondsPerGB({ moments, warm, warmUpMs, isSteady, cpuUs, written }: CostFacts): number {
  if (warm === undefined) return perGB(cpuUs, written.bytes)
  const endMs = written.lastAtMs - written.firstAtMs
  const looked = moments.filter(({ atMs }) => atMs >= warmUpMs && atMs <= endMs)
  const [first, last] = [looked[0], looked.at(-1)]
  if (isSteady && looked.length >= momentsMin && first !== undefined && last !== undefined) {
    const bytes = last.storedBytes + last.lagBytes - first.storedBytes - first.lagBytes
    if (bytes > 0) return perGB(last.cpuUs - first.cpuUs, bytes)
  }
  return perGB(cpuUs - warm.cpuUs, written.bytes - warm.writtenBytes)
}

function perGB(cpuUs: number, bytes: number): number {
  return bytes <= 0 ? 0 : cpuUs / 1e6 / (bytes / 1e9)
}
