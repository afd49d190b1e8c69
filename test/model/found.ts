import type { Action, Conditions } from './schedule.ts'
import { runSchedule } from './world.ts'

/** What breaks a promise, or did once: what it is, what is not as usual, and what happens. */
export type Found = [what: string, conditions: Partial<Conditions>, actions: Action[]]

const usual: Conditions = {
  seed: 1,
  banner: false,
  crlf: false,
  hints: 'some',
  births: 'fine',
  scanIntervalMs: 10_000,
  travelMs: 5,
  batchBytes: 14_000,
  slots: 2,
  concurrency: 2,
  archives: false,
  holes: false,
  wide: false,
}

/** @returns  the promises that were broken */
export async function runFound(
  conditions: Partial<Conditions>,
  actions: readonly Action[],
): Promise<readonly string[]> {
  return (await runSchedule({ conditions: { ...usual, ...conditions }, actions })).broken
}
