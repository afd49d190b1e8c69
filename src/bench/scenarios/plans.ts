import { plainShape, type RunPlan, type Shape, type Workload } from '../types.ts'
import { destinationOf, type Setting } from './scenario.ts'

/** What one processor ships each second, roughly, for the size of a first look. */
export const bytesPerCpuSecond = 120e6
/** Well inside of what a processor's share carries: what is measured is not the limit. */
const calmBytesPerCpuSecond = 20e6
const calmBytes = { min: 1e6, max: 20e6 }

type Wanted = Pick<Workload, 'rate'> &
  Partial<Pick<Workload, 'files' | 'activeFiles' | 'rotation'>> &
  ({ readonly seconds: number } | { readonly bytes: number })

/** For what is left when the writer has ended. */
export const drainMsMax = 60_000

export function planFor(setting: Setting, wanted: Wanted, warmUpMs: number, shape: Partial<Shape> = {}): RunPlan {
  const { rate, files = 1, activeFiles = 1, rotation = { kind: 'none' } } = wanted
  const end = 'seconds' in wanted ? { seconds: wanted.seconds } : { bytes: wanted.bytes }
  const { seed, mix, limits, settings } = setting
  return {
    limits,
    workload: { seed, mix, rate, files, activeFiles, rotation, end },
    destination: destinationOf(setting, { ...plainShape, ...shape }),
    settings,
    killsAtMs: [],
    warmUpMs,
    drainMsMax,
  }
}

/** A rate that these limits carry easily. */
export function calmRate({ limits }: Setting): number {
  return Math.round(within((limits.cpus ?? 1) * calmBytesPerCpuSecond, calmBytes))
}

export function fixed(bytesPerSecond: number): { readonly kind: 'fixed'; readonly bytesPerSecond: number } {
  return { kind: 'fixed', bytesPerSecond }
}

export function within(value: number, { min, max }: { readonly min: number; readonly max: number }): number {
  return Math.min(max, Math.max(min, value))
}

export function short<T>({ form }: Setting, inShort: T, inLong: T): T {
  return form === 'short' ? inShort : inLong
}

export function megabytes(bytesPerSecond: number): string {
  return String(Math.round(bytesPerSecond / 1e5) / 10)
}
