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

export interface Drained {
  readonly isAll: boolean
  readonly tookMs: number
}

/**
 * Until all is there, or will not be.
 * @param ms  `max`: no longer; `quiet`: nor when nothing new came for so long, which is longer than the agent waits by itself
 */
export async function drain(
  written: Written,
  ms: { readonly max: number; readonly quiet: number },
  { agent, target, sampler, signal }: Draining,
): Promise<Drained> {
  const destroyed = written.destroyed.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  let wanted = written.lines - destroyed
  const fromMs = nowMs()
  let [stored, changedMs] = [0, fromMs]
  for (let atMs = fromMs; atMs - fromMs < ms.max; atMs = nowMs()) {
    signal.throwIfAborted()
    const { storedLines } = await target.arrived()
    if (storedLines >= wanted) {
      // Of the lines that a rotator destroyed some may be there, in the place of others: only who looks at each line knows.
      const { lostLines } = destroyed === 0 ? { lostLines: 0 } : await target.account(written)
      if (lostLines === 0) return { isAll: true, tookMs: nowMs() - fromMs }
      wanted = storedLines + lostLines
    }
    if (storedLines !== stored) [stored, changedMs] = [storedLines, atMs]
    if (!agent.isAlive || atMs - changedMs > ms.quiet) break
    await sampler.sleep(lookEveryMs, signal)
  }
  return { isAll: false, tookMs: nowMs() - fromMs }
}
