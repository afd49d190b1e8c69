import { formatDurationMs } from '../../base/units.ts'
import type { Custom } from '../custom.ts'
import type { Workload } from '../types.ts'
import { bytesPerCpuSecond, calmRate, drainMsMax, fixed, megabytes, planFor, within } from './plans.ts'
import type { FixedRow, Setting } from './scenario.ts'

const customKeep = 8
/** What is sent of a log byte, at most: how long a slow server takes for it. */
const sentPerLogByteMax = 4
const customDrainMsMax = 600_000

/** The row that the options of `custom` make. */
export function customRow(setting: Setting): FixedRow {
  const { limits, custom } = setting
  const { files, rotation, burst, seconds, shape } = custom
  const carried = Math.min((limits.cpus ?? 2) * bytesPerCpuSecond, shape.bytesPerSecond ?? Infinity)
  const bytesPerSecond = custom.bytesPerSecond === 'max' ? carried : (custom.bytesPerSecond ?? calmRate(setting))
  const rate: Workload['rate'] =
    custom.bytesPerSecond === 'max'
      ? { kind: 'backlog' }
      : burst === undefined
        ? fixed(bytesPerSecond)
        : { kind: 'bursts', bytesPerSecond, ...burst }
  const wanted = {
    rate,
    files,
    activeFiles: files,
    rotation: rotation.kind === 'none' ? rotation : { ...rotation, keep: customKeep },
    ...(rate.kind === 'backlog'
      ? { bytes: Math.round(within(bytesPerSecond * seconds, customBacklogBytes)) }
      : { seconds }),
  }
  const plan = planFor(setting, wanted, rate.kind === 'backlog' ? 0 : Math.min(1_000, seconds * 250), shape)
  const slowMs = (bytesPerSecond * seconds * sentPerLogByteMax * 1_000) / (shape.bytesPerSecond ?? Infinity)
  return {
    kind: 'fixed',
    name: customName(custom, bytesPerSecond),
    plan: { ...plan, drainMsMax: Math.min(customDrainMsMax, drainMsMax + slowMs) },
  }
}

const customBacklogBytes = { min: 1e6, max: 2e9 }

/** `4 MB/s in bursts of 5×, each 2s, 4 files, rename each 500ms, answers after 20ms, away 3s-8s` */
function customName(custom: Custom, bytesPerSecond: number): string {
  const { files, rotation, burst, shape } = custom
  const bursts = burst === undefined ? '' : ` in bursts of ${burst.times}×, each ${formatDurationMs(burst.periodMs)}`
  return [
    custom.bytesPerSecond === 'max' ? 'a backlog' : `${megabytes(bytesPerSecond)} MB/s${bursts}`,
    files === 1 ? '' : `${files.toLocaleString('en')} files`,
    rotation.kind === 'none' ? '' : `${rotation.kind} each ${formatDurationMs(rotation.everyMs)}`,
    shape.latencyMs === 0 ? '' : `answers after ${formatDurationMs(shape.latencyMs)}`,
    shape.bytesPerSecond === undefined ? '' : `reads ${megabytes(shape.bytesPerSecond)} MB/s`,
    shape.refusedShare === 0 ? '' : `${percentOf(shape.refusedShare)} % of requests refused`,
    shape.itemRefusedShare === 0 ? '' : `${percentOf(shape.itemRefusedShare)} % of requests refused in part`,
    ...shape.outages.map(({ fromMs, toMs }) => `away ${formatDurationMs(fromMs)}-${formatDurationMs(toMs)}`),
  ]
    .filter((part) => part !== '')
    .join(', ')
}

function percentOf(share: number): number {
  return Math.round(share * 1e5) / 1e3
}
