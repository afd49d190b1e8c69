import type { Clock } from '../base/clock.ts'

/**
 * Makes something no more often than every `forMs`: whoever asks in between gets what was made.
 *
 * @param make  from what was asked for; of another question the answer is another one, and only the last one is kept
 */
export function keptFor<T>(
  clock: Pick<Clock, 'monotonicMs'>,
  forMs: number,
  make: (question: string) => T,
): (question?: string) => T {
  let kept: { readonly question: string; readonly value: T; readonly madeAtMs: number } | undefined
  return (question = '') => {
    const nowMs = clock.monotonicMs()
    if (kept === undefined || kept.question !== question || nowMs - kept.madeAtMs >= forMs)
      kept = { question, value: make(question), madeAtMs: nowMs }
    return kept.value
  }
}
