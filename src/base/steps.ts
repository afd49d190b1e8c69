import type { Clock } from './clock.ts'
import { limits } from './limits.ts'

/** Long work in small steps: whoever drives it decides when others have their turn in between. */
export type Steps<T> = Generator<void, T>

/** To its end, nobody else's turn in between. */
export function inOneGo<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

export interface Turns {
  readonly clock: Clock
  /** Lets input and output take place, then goes on. */
  readonly yield: () => Promise<void>
  /** Nobody waits for it any more: it ends between two turns, with what it has done. */
  readonly isOver: () => boolean
  /** Steps of one turn, for a test; otherwise as many as `limits.fillMsMax` has time for. */
  readonly stepsMax?: number | undefined
}

/**
 * In turns of `limits.fillMsMax`: probes, answers and signals have theirs in between.
 *
 * @returns  undefined: it was over before its end
 */
export async function inTurns<T>(steps: Steps<T>, turns: Turns): Promise<T | undefined> {
  const { clock, stepsMax } = turns
  let taken = 0
  let untilMs = Infinity
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    taken++
    // The clock is asked now and then: a step takes 5 to 80 µs.
    if (stepsMax === undefined && taken % limits.stepsUntimed !== 0) continue
    if (stepsMax === undefined && untilMs === Infinity) untilMs = clock.monotonicMs() + limits.fillMsMax
    if (stepsMax === undefined ? clock.monotonicMs() < untilMs : taken % stepsMax !== 0) continue
    await turns.yield()
    if (turns.isOver()) {
      steps.return(undefined as never)
      return undefined
    }
    untilMs = Infinity
  }
}
