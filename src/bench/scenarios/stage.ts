import type { RunPlan, RunResult } from '../types.ts'
import type { PlannedRow } from './scenario.ts'

/** What a scenario is performed with. */
export interface Stage {
  run(plan: RunPlan): Promise<RunResult>
  /** The copy floor once: CPU seconds for each GB (10^9) of log. */
  floor(): Promise<number>
  /** Told before each row of each round. @param isAgain it was not planned: an earlier round does not count */
  step(row: PlannedRow, round: number, isAgain: boolean): void
  /** Whether there is time to run this row once more. */
  mayGoOn(row: PlannedRow): boolean
  readonly monotonicMs: () => number
  /** That the bench and all that it starts may use. */
  readonly processors: number
}
