import type { FloorKind } from '../floor/floor.ts'
import type { Commit, Machine } from '../machine/facts.ts'
import type { Enforcement, Limits, ScenarioResult } from '../types.ts'

export const reportSchema = 'remora-bench-report'
/** Goes up with each change of what a field means, and with each field. A reader refuses what is newer than itself. */
export const reportVersion = 1

/** What one bench has measured, and all that is needed to judge it. `report.json` is this. */
export interface Report {
  readonly schema: typeof reportSchema
  readonly version: typeof reportVersion
  /** Of the program that was measured. */
  readonly remora: string
  /** Undefined where there is no git or no repository. */
  readonly commit: Commit | undefined
  readonly machine: Machine
  readonly limits: Limits
  /** Where they are from: `--cpu and --memory`, a manifest's name, the bench's own cgroup. */
  readonly limitsFrom: string
  readonly enforcement: Enforcement
  readonly seed: number
  /** As given, by name; never a credential. */
  readonly options: Readonly<Record<string, string>>
  readonly measuring: MeasuringCost
  /** Ratios to a floor in C and to one in Node are not the same ratios. Undefined: no floor was measured. */
  readonly floor: { readonly kind: FloorKind; readonly explain: string } | undefined
  readonly scenarios: readonly ScenarioResult[]
  /** What could not be run here, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly endedAt: string
  /** What went wrong beside the runs, each once; those of runs are in their rows. */
  readonly failures: readonly string[]
}

/** CPU time of all runs together: the agent's, and of what shared the machine with it. */
export interface MeasuringCost {
  readonly agentUs: number
  readonly sinkUs: number
  readonly writerUs: number
  readonly benchUs: number
  readonly wallMs: number
}

/** All failures, with where: of the bench, then of the rows. Empty: everything is as it must be. */
export function failuresOf(report: Report): string[] {
  const rows = report.scenarios.flatMap(({ name, rows: all }) =>
    all.flatMap((row) => row.failures.map((failure) => `${name}, ${row.name}: ${failure}`)),
  )
  return [...report.failures, ...rows]
}
