import type { SpawnOptions } from 'node:child_process'
import { type CgroupProcess, spawnInCgroup } from '../src/bench/machine/cgroup.ts'
import { type AgentPlan, type AgentRun, runAgent } from './agent.ts'
import { speedOf } from './rounds.ts'
import type { SinkProcess } from './sink-client.ts'
import { type Spread, spreadOf } from '../src/bench/stats.ts'

export interface Limit {
  /** Undefined: no limit. */
  readonly memoryBytes: number | undefined
  /** Of one processor's time; undefined: no limit. */
  readonly cpus: number | undefined
}

/** One way to be limited. The first of a series is the one that the others are compared with. */
export interface Setting {
  readonly name: string
  readonly limit: Limit
}

export interface LimitedRun {
  readonly setting: string
  readonly agent: AgentRun
  readonly bytesPerSecond: number
  /** The maximum of samples every 50 ms of anonymous, kernel and socket memory of the whole cgroup. */
  readonly peakUsedBytes: number
  readonly oomKills: number
}

export interface LimitedFigures {
  readonly setting: string
  readonly runs: number
  readonly failures: readonly string[]
  readonly bytesPerSecond: Spread | undefined
  /** This speed by that of the named setting in the same round. */
  readonly speedRatios: Readonly<Record<string, Spread>>
  readonly peakUsedBytes: number
  readonly oomKills: number
}

const mib = 1 << 20
/** So much that the kernel and the agent both take it for none. */
const noLimitBytes = 2 ** 60

const oneCpuName = '1 CPU'
const fullSpeedName = '64 MiB, 1 CPU'

/** What `--limits` compares. One processor without a memory limit stands between, to tell the two effects apart. */
export const standardSettings: readonly Setting[] = [
  { name: 'unlimited', limit: { memoryBytes: undefined, cpus: undefined } },
  { name: oneCpuName, limit: { memoryBytes: undefined, cpus: 1 } },
  { name: fullSpeedName, limit: { memoryBytes: 64 * mib, cpus: 1 } },
  { name: '48 MiB, 1 CPU', limit: { memoryBytes: 48 * mib, cpus: 1 } },
]

/** The settings of `--memory` and `--cpu`: unlimited, the processors alone, then both. */
export function settingsFor(memoryBytes: number | undefined, cpus: number | undefined): Setting[] {
  const settings: Setting[] = [{ name: 'unlimited', limit: { memoryBytes: undefined, cpus: undefined } }]
  if (cpus !== undefined) settings.push({ name: `${cpus} CPU`, limit: { memoryBytes: undefined, cpus } })
  if (memoryBytes !== undefined) {
    const name = `${Math.round(memoryBytes / mib)} MiB${cpus === undefined ? '' : `, ${cpus} CPU`}`
    settings.push({ name, limit: { memoryBytes, cpus } })
  }
  return settings
}

/** Every run is in a cgroup, the unlimited too, so that its memory is counted the same way. */
export async function runLimited(
  setting: Setting,
  plan: AgentPlan,
  logBytes: number,
  sink: SinkProcess,
): Promise<LimitedRun> {
  let group: CgroupProcess | undefined
  let peakUsedBytes = 0
  const start = (command: string, args: readonly string[], options: SpawnOptions) => {
    const { memoryBytes = noLimitBytes, cpus } = setting.limit
    group = spawnInCgroup(cpus === undefined ? { memoryBytes } : { memoryBytes, cpus }, command, args, options)
    return group.child
  }
  const onSample = () => {
    peakUsedBytes = Math.max(peakUsedBytes, group?.sample().usedBytes ?? 0)
  }
  try {
    const agent = await runAgent({ ...plan, start, onSample }, sink)
    const oomKills = group?.sample().oomKills ?? 0
    const failure = oomKills > 0 ? `${oomKills} processes killed for lack of memory; ${agent.failure}` : agent.failure
    const bytesPerSecond = failure === '' ? speedOf(agent, logBytes) : 0
    return { setting: setting.name, agent: { ...agent, failure }, bytesPerSecond, peakUsedBytes, oomKills }
  } finally {
    await group?.cleanup()
  }
}

export interface Smallest {
  /** Undefined: none of those looked at. */
  readonly mebibytes: number | undefined
  /** Each that was tried, in the order of trying. */
  readonly tried: readonly { readonly mebibytes: number; readonly works: boolean }[]
}

/**
 * The smallest limit that works between two, both included, by halving: so it is taken for granted that what works with
 * less works with more.
 */
export async function smallestWorking(
  fromMebibytes: number,
  toMebibytes: number,
  works: (mebibytes: number) => Promise<boolean>,
): Promise<Smallest> {
  const tried: { mebibytes: number; works: boolean }[] = []
  const attempt = async (mebibytes: number) => {
    const good = await works(mebibytes)
    tried.push({ mebibytes, works: good })
    return good
  }
  if (!(await attempt(toMebibytes))) return { mebibytes: undefined, tried }
  let [low, high] = [fromMebibytes, toMebibytes]
  while (low < high) {
    const middle = (low + high) >> 1
    if (await attempt(middle)) high = middle
    else low = middle + 1
  }
  return { mebibytes: high, tried }
}

/** Empty, or why the figures of `standardSettings` miss their row: at 64 MiB the speed of one CPU without a limit, nearly. */
export function limitsFault(figures: readonly LimitedFigures[], speedMin: number): string {
  const ratio = figures.find(({ setting }) => setting === fullSpeedName)?.speedRatios[oneCpuName]
  if (ratio === undefined || ratio.median >= speedMin) return ''
  return `${fullSpeedName}: ${ratio.median.toFixed(2)} of the speed with ${oneCpuName}, at least ${speedMin} wanted`
}

/** `rounds[i]` holds one run of each setting, in the same order. */
export function limitedFiguresOf(rounds: readonly (readonly LimitedRun[])[]): LimitedFigures[] {
  const settings = rounds[0]?.map(({ setting }) => setting) ?? []
  return settings.map((setting, column) => {
    const runs = rounds.flatMap((round) => round[column] ?? [])
    const good = runs.filter(({ agent }) => agent.failure === '')
    const speedRatios: Record<string, Spread> = {}
    for (const [other, name] of settings.entries()) {
      if (other >= column) break
      const ratios = rounds.flatMap((round) => ratioOf(round[column], round[other]) ?? [])
      if (ratios.length > 0) speedRatios[name] = spreadOf(ratios)
    }
    return {
      setting,
      runs: runs.length,
      failures: runs.map(({ agent }) => agent.failure).filter((failure) => failure !== ''),
      bytesPerSecond: good.length === 0 ? undefined : spreadOf(good.map((run) => run.bytesPerSecond)),
      speedRatios,
      peakUsedBytes: Math.max(...runs.map((run) => run.peakUsedBytes)),
      oomKills: runs.reduce((sum, run) => sum + run.oomKills, 0),
    }
  })
}

function ratioOf(of: LimitedRun | undefined, to: LimitedRun | undefined): number | undefined {
  if (of === undefined || to === undefined || of.agent.failure !== '' || to.agent.failure !== '') return undefined
  return of.bytesPerSecond / to.bytesPerSecond
}
