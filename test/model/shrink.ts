import type { Action, Schedule } from './schedule.ts'

/**
 * Leaves out actions, and makes what is left smaller, for as long as the schedule still fails.
 *
 * @param fails  runs a schedule
 */
export async function shrink(schedule: Schedule, fails: (schedule: Schedule) => Promise<boolean>): Promise<Schedule> {
  let actions = schedule.actions
  const attempt = async (smaller: readonly Action[]) => {
    if (!(await fails({ ...schedule, actions: smaller }))) return false
    actions = smaller
    return true
  }
  for (let size = Math.ceil(actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < actions.length;) {
      if (!(await attempt(actions.toSpliced(at, size)))) at += size
    }
  }
  for (let at = 0; at < actions.length; at++) {
    for (const smaller of smallerThan(actions[at]!)) if (await attempt(actions.with(at, smaller))) break
  }
  for (let at = 0; at < actions.length;) if (!(await attempt(actions.toSpliced(at, 1)))) at++
  return { ...schedule, actions }
}

/** Simplest first. */
function smallerThan(action: Action): Action[] {
  const { during, ...plain } = action as Action & { during?: number }
  const smaller: Action[] = during === undefined ? [] : [plain]
  if (action.do === 'append') {
    smaller.push({ ...action, lines: 1, bytes: 8 }, { ...action, lines: 1 }, { ...action, bytes: 8 })
  }
  if (action.do === 'copytruncate' && action.gap > 0) smaller.push({ ...action, gap: 0 })
  if (action.do === 'wait')
    smaller.push(...[1, 10, 100, 1_000].filter((ms) => ms < action.ms).map((ms) => ({ ...action, ms })))
  return smaller
}
