import type { Commit, Machine } from '../../src/bench/machine/facts.ts'
import { spreadOf } from '../../src/bench/stats.ts'
import type { Figure } from '../../src/bench/types.ts'
import { spreadText, table } from '../report.ts'
import type { Cost, Effort } from './measure.ts'

/** Raised whenever a field of a report changes its meaning or goes away. */
export const microSchemaVersion = 1

export interface MicroReport {
  readonly schema: 'remora-micro'
  readonly schemaVersion: number
  readonly at: string
  readonly seconds: number
  readonly machine: Machine
  readonly commit: Commit | undefined
  readonly effort: Effort
  readonly cases: readonly MicroResult[]
}

export interface MicroResult {
  readonly group: string
  readonly name: string
  /** What is counted: `line`, `span`. */
  readonly item: string
  readonly itemsOfCall: number
  readonly bytesOfCall: number
  /** ns for each item; bytes a second and times the copying of as many bytes, where bytes count; bytes allocated for each item. */
  readonly figures: readonly Figure[]
}

/** Bytes of log for each second of CPU, on the mixed log. Source: DESIGN, "Budgets". */
const kernelBudgets = [
  { name: 'mixed', bytesPerSecond: 2.5e9 },
  { name: 'mixed, _id', bytesPerSecond: 1.5e9 },
]

/** What the bytes of others are compared with, for processors differ. */
const copyName = 'copying the mixed lines'

export function reportOf(facts: {
  readonly machine: Machine
  readonly commit: Commit | undefined
  readonly startedAtMs: number
  readonly seconds: number
  readonly effort: Effort
  readonly costs: readonly Cost[]
}): MicroReport {
  const { machine, commit, startedAtMs, seconds, effort, costs } = facts
  return {
    schema: 'remora-micro',
    schemaVersion: microSchemaVersion,
    at: new Date(startedAtMs).toISOString(),
    seconds,
    machine,
    commit,
    effort,
    cases: costs.map((cost) => resultOf(cost, costs)),
  }
}

function resultOf(cost: Cost, all: readonly Cost[]): MicroResult {
  const { group, name, item, items, bytes, nsPerItem, allocatedPerItem } = cost
  const figures = [figureOf('CPU time', `ns/${item}`, nsPerItem, 'less')]
  if (bytes > 0) figures.push(figureOf('speed', 'B/s', speedsOf(cost), 'more'))
  const ratios = copiesOf(cost, all)
  if (ratios !== undefined) figures.push({ ...figureOf('to copying', '×', ratios, 'less'), isRatio: true })
  figures.push(figureOf('allocated', `B/${item}`, allocatedPerItem, 'less'))
  return { group, name, item, itemsOfCall: items, bytesOfCall: bytes, figures }
}

function figureOf(name: string, unit: string, values: readonly number[], better: Figure['better']): Figure {
  return { name, unit, spread: spreadOf(values), values, better, isRatio: false }
}

/** Bytes for each second of CPU, by repeat. */
function speedsOf({ bytes, items, nsPerItem }: Cost): number[] {
  return nsPerItem.map((ns) => (bytes * 1e9) / (ns * items))
}

/** CPU of a byte to that of a byte copied in the same repeat; undefined where bytes do not count, or nothing was copied. */
function copiesOf(cost: Cost, all: readonly Cost[]): number[] | undefined {
  const copy = all.find(({ name }) => name === copyName)
  if (copy === undefined || cost === copy || cost.bytes === 0) return undefined
  const speeds = speedsOf(cost)
  return speedsOf(copy).map((copied, repeat) => copied / speeds[repeat]!)
}

export function costTable(costs: readonly Cost[]): string {
  const head = ['', 'ns', 'for each', 'GB/s', 'to copying', 'bytes allocated']
  const rows = costs.map((cost) => {
    const ratios = copiesOf(cost, costs)
    return [
      `${cost.group}: ${cost.name}`,
      spreadText(spreadOf(cost.nsPerItem)),
      cost.item,
      cost.bytes === 0 ? '' : spreadText(spreadOf(speedsOf(cost)), 1e9, 2),
      ratios === undefined ? '' : spreadOf(ratios).median.toFixed(1),
      allocatedText(spreadOf(cost.allocatedPerItem).median),
    ]
  })
  return table([head, ...rows])
}

/** Less than can be told from the taking of memory in advance is none. */
function allocatedText(bytes: number): string {
  return bytes < 0.5 ? '-' : bytes < 10 ? bytes.toFixed(1) : bytes.toFixed(0)
}

/** What the encoder must keep, where it was measured. */
export function budgetsText(costs: readonly Cost[]): { readonly text: string; readonly missed: boolean } {
  let missed = false
  const lines = kernelBudgets.flatMap(({ name, bytesPerSecond }) => {
    const cost = costs.find(({ group, name: given }) => group === 'kernel' && given === name)
    if (cost === undefined) return []
    const { median } = spreadOf(speedsOf(cost))
    missed ||= median < bytesPerSecond
    const kept = median < bytesPerSecond ? 'NOT KEPT' : 'kept'
    return `budget     ${name}: ${(median / 1e9).toFixed(2)} GB/s, at least ${bytesPerSecond / 1e9}: ${kept}`
  })
  return { text: lines.join('\n'), missed }
}
