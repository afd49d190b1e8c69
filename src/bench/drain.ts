import type { RunningAgent } from './agent/running.ts'
import { nowMs, type Sampler } from './agent/sampler.ts'
import type { Target, Written } from './target.ts'

interface Draining {
  readonly agent: Pick<RunningAgent, 'isAlive'>
  readonly target: Pick<Target, 'arrived' | 'account'>
  readonly sampler: Pick<Sampler, 'sleep'>
  readonly signal: AbortSignal
}

const lookEveryMs = 20
/** Nothing new for so long, with the agent idle: more will not come. */
const quietMsMax = 20_000

/** Until all is there. @returns ms that it took; `drainMsMax` when it is not there, and will not be */
export async function drain(
  written: Written,
  drainMsMax: number,
  { agent, target, sampler, signal }: Draining,
): Promise<number> {
  const destroyed = written.destroyed.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  let wanted = written.lines - destroyed
  const fromMs = nowMs()
  let [stored, changedMs] = [0, fromMs]
  for (let atMs = fromMs; atMs - fromMs < drainMsMax; atMs = nowMs()) {
    signal.throwIfAborted()
    const { storedLines } = await target.arrived()
    if (storedLines >= wanted) {
      // Of the lines that a rotator destroyed some may be there, in the place of others: only who looks at each line knows.
      const { lostLines } = destroyed === 0 ? { lostLines: 0 } : await target.account(written)
      if (lostLines === 0) return nowMs() - fromMs
      wanted = storedLines + lostLines
    }
    if (storedLines !== stored) [stored, changedMs] = [storedLines, atMs]
    if (!agent.isAlive || atMs - changedMs > quietMsMax) break
    await sampler.sleep(lookEveryMs, signal)
  }
  return drainMsMax
}
