/** What scenarios are performed with in tests: runs that are made up. */
import { parseCustom } from '../../../src/bench/custom.ts'
import type { FixedRow, Scenario, Setting } from '../../../src/bench/scenarios/scenario.ts'
import type { Stage } from '../../../src/bench/scenarios/stage.ts'
import { scenarios } from '../../../src/bench/scenarios/table.ts'
import { plainShape, type Moment, type RunPlan, type RunResult } from '../../../src/bench/types.ts'

export const setting: Setting = {
  form: 'long',
  limits: { cpus: 0.2, memoryBytes: 64 * 2 ** 20 },
  enforcement: { kind: 'cgroup', version: 2 },
  own: { cpus: undefined, memoryBytes: undefined },
  seed: 1,
  mix: { kind: 'short' },
  lineBytes: 100,
  destination: 'null',
  settings: {},
  custom: parseCustom({}, false),
}
export const planOf = (bytesPerSecond: number): RunPlan => ({
  limits: setting.limits,
  workload: {
    seed: 1,
    mix: { kind: 'short' },
    rate: { kind: 'fixed', bytesPerSecond },
    files: 1,
    activeFiles: 1,
    rotation: { kind: 'none' },
    end: { seconds: 8 },
  },
  destination: { kind: 'null', shape: plainShape },
  settings: {},
  killsAtMs: [],
  warmUpMs: 0,
  drainMsMax: 1_000,
})
export const fixedRow = (name: string): FixedRow => ({ kind: 'fixed', name, plan: planOf(1e6) })
export const scenario = (over: Partial<Scenario> = {}): Scenario => ({
  ...scenarios[0]!,
  figures: ['rate', 'floor', 'lost'],
  ...over,
})

/** A run whose lag grows when the rate is above `capacity`. */
export function resultOf({ workload }: RunPlan, capacity = Infinity, failure = ''): RunResult {
  const rate = workload.rate.kind === 'backlog' ? capacity : workload.rate.bytesPerSecond
  const moments: Moment[] = Array.from({ length: 33 }, (_, n) => {
    const lagBytes = (Math.max(0, rate - capacity) * n) / 4
    return { atMs: n * 250, usedBytes: 1, lagBytes, storedBytes: 0, cpuUs: 0 }
  })
  const lines = {
    writtenLines: 1,
    writtenBytes: 100,
    storedLines: 1,
    lostLines: 0,
    twiceLines: 0,
    againLines: 0,
    wrongLines: 0,
  }
  return {
    account: lines,
    bytesPerSecond: Math.min(rate, capacity),
    wallMs: 8_000,
    cpu: { userUs: 1, systemUs: 1 },
    others: { sinkUs: 0, writerUs: 0, benchUs: 0 },
    cpuSecondsPerGB: 10,
    cpuSecondsPerMillionLines: 1,
    latency: undefined,
    memory: { peakBytes: 1, meanBytes: 1, oomKills: 0 },
    throttledMs: 0,
    moments,
    requests: 1,
    bodyBytes: 1,
    failure,
  }
}

export function stageOf(over: Partial<Stage> & Pick<Stage, 'run'>): Stage & { readonly told: string[] } {
  const told: string[] = []
  return {
    told,
    floor: () => (told.push('floor'), Promise.resolve(2)),
    step: (row, round, isAgain) => void told.push(`${row.name} ${round}${isAgain ? ' again' : ''}`),
    mayGoOn: () => true,
    monotonicMs: () => 0,
    processors: 2,
    ...over,
  }
}
