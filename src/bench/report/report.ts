import type { FloorKind } from '../floor/floor.ts'
import type { ScenarioResult } from '../types.ts'
import type { Provenance } from './provenance.ts'

export const reportSchema = 'remora-bench-report'
/** Goes up with each change of what a field means, and with each field. A reader refuses what is newer than itself. */
export const reportVersion = 1

/** What one bench has measured, and all that is needed to judge it. `report.json` is this. */
export interface Report extends Provenance {
  readonly schema: typeof reportSchema
  readonly version: typeof reportVersion
  readonly measuring: MeasuringCost
  /** Ratios to a floor in C and to one in Node are not the same ratios. Undefined: no floor was measured. */
  readonly floor: { readonly kind: FloorKind; readonly explain: string } | undefined
  readonly scenarios: readonly ScenarioResult[]
  /** What could not be run here, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  /** What went wrong beside the runs, each once; those of runs are in their rows. */
  readonly failures: readonly string[]
}

/** Why a scenario that was asked for is not in the report. */
export const cutShort = { noTime: 'there was no time left for it', ended: 'the bench ended before it' } as const

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

/** Whether the limits held while it was measured. */
export function areLimitsHeld({ enforcement }: Report): boolean {
  return enforcement.kind !== 'none'
}

/** One sentence on whether all of it was well. */
export function verdictOf(report: Report): { readonly isGood: boolean; readonly text: string } {
  const failures = failuresOf(report).length
  if (failures > 0) return { isGood: false, text: `${failures} ${failures === 1 ? 'failure' : 'failures'}:` }
  const runs = report.scenarios.flatMap(({ rows }) => rows).reduce((sum, row) => sum + row.runs, 0)
  if (runs === 0) return { isGood: false, text: 'Nothing was measured.' }
  return { isGood: true, text: 'Every line arrived, once, in every run that counts.' }
}
