import type { Beside, Measured, Outcome, Try } from './types.ts'

/** Of one try, before what the machine does to it counts as its own fault. */
const voidsMax = 2

class Entry implements Measured {
  readonly tried: Try
  readonly values: number[] = []
  readonly beside: Beside[] = []
  failure = ''
  readonly disturbed: string[] = []
  isDropped = false
  readonly #behindMax: number
  #behind = 0

  constructor(tried: Try, behindMax: number) {
    this.tried = tried
    this.#behindMax = behindMax
  }

  add(outcome: Outcome): void {
    if (outcome.kind === 'measured') {
      this.values.push(outcome.value)
      this.beside.push(outcome.beside)
      return
    }
    if (outcome.kind !== 'failed') this.disturbed.push(outcome.reason)
    if (outcome.kind === 'behind') this.#behind += 1
    if (outcome.kind === 'failed' || this.#behind > this.#behindMax || this.disturbed.length > voidsMax)
      this.failure = outcome.reason
  }
}

export interface Rounds {
  /** So many runs in which it does not keep up are the machine's fault; one more, and it is out. */
  readonly behindMax: number
  /** One run. @param round  from 1 */
  measure(tried: Try, round: number): Promise<Outcome>
  /** After each round: whether one more is worth its time. */
  goesOn(round: number, first: Measured, others: readonly Measured[]): boolean
  /** After each round: whether this one can leave. */
  drops(first: Measured, other: Measured): boolean
}

/**
 * All of them in turn, round after round, so that what disturbs the machine disturbs all alike. Each round begins with another
 * one, and every second one goes backwards: none is always measured after the same other. The first one is never dropped; when it
 * fails nothing can be compared, and it ends.
 */
export async function inRounds(tries: readonly Try[], roundsMax: number, how: Rounds): Promise<readonly Measured[]> {
  // What is there already has been seen to keep up: it is not out for what the machine does to it.
  const entries = tries.map((tried, at) => new Entry(tried, at === 0 ? voidsMax : how.behindMax))
  const [first, ...others] = entries
  if (first === undefined) return entries
  for (let round = 1; round <= roundsMax; round++) {
    for (const entry of orderOf(entries, round)) {
      if (entry.failure !== '' || entry.isDropped) continue
      entry.add(await how.measure(entry.tried, round))
      if (first.failure !== '') return entries
    }
    const left = others.filter((entry) => entry.failure === '' && !entry.isDropped)
    for (const entry of left) entry.isDropped = how.drops(first, entry)
    const still = left.filter((entry) => !entry.isDropped)
    if (still.length === 0 || !how.goesOn(round, first, still)) break
  }
  return entries
}

function orderOf<T>(all: readonly T[], round: number): readonly T[] {
  const from = Math.floor((round - 1) / 2) % all.length
  const turned = [...all.slice(from), ...all.slice(0, from)]
  return round % 2 === 1 ? turned : turned.toReversed()
}
