/** What a search for the highest rate has come to. */
export interface Found {
  /** The highest that held; undefined: not even the lowest did. */
  readonly held: number | undefined
  /** The lowest that did not; undefined: none that was tried. */
  readonly failed: number | undefined
  readonly probes: number
}

export interface SearchOptions {
  /** Where it begins. */
  readonly guess: number
  /** The first step up or down from there, as a factor; each further one in the same direction is its square. */
  readonly step: number
  /** It ends when the rate that failed is at most so many times the one that held. */
  readonly ratioMax: number
  readonly min: number
  readonly max: number
  readonly probesMax: number
}

/** What held, and 10 % more did not: the truth is within ±5 % of the middle. */
export const bracketRatio = 1.1
const almost = 1 + 1e-9

/**
 * The highest rate that holds: away from the guess in growing steps until it is between one that held and one that did not,
 * then always the middle of the two, by factor.
 */
export async function highestHeld(probe: (rate: number) => Promise<boolean>, options: SearchOptions): Promise<Found> {
  const { min, max, ratioMax, probesMax } = options
  let [held, failed]: [number | undefined, number | undefined] = [undefined, undefined]
  let { step } = options
  let rate = Math.min(max, Math.max(min, options.guess))
  let probes = 0
  while (probes < probesMax) {
    probes += 1
    if (await probe(rate)) held = rate
    else failed = rate
    if (held !== undefined && failed !== undefined) {
      if (failed / held <= ratioMax * almost) break
      rate = Math.sqrt(held * failed)
      continue
    }
    if (held === max || failed === min) break
    rate = failed === undefined ? Math.min(max, rate * step) : Math.max(min, rate / step)
    step *= step
  }
  return { held, failed, probes }
}
