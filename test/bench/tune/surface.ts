import { randomFrom } from '../../../src/demo/lines.ts'
import type { Dimension, Rules, Space, Stage } from '../../../src/bench/tune/search.ts'
import type { Beside, Effect, Outcome, Try, Values } from '../../../src/bench/tune/types.ts'

/** What a server and an agent would do with settings: the true figure, and how runs differ from it. */
export interface Surface {
  readonly truth: (values: Values) => number
  /** Standard deviation of the logarithm of a run. */
  readonly noise: number
  /** What else uses the machine: the whole machine becomes slower by this part over 100 runs. */
  readonly drift?: number
  /** One run of twenty is slower by this part, by whatever it was. */
  readonly spikes?: number
  readonly fails?: (values: Values, run: number) => string
  readonly isVoid?: (run: number, about: string) => boolean
  /** It does not keep up with the rate. */
  readonly isBehind?: (about: string) => boolean
}

export const rules: Rules = {
  better: 'more',
  leastEffect: 0.03,
  roundsMax: 8,
  confirmRounds: { least: 6, most: 9 },
  passes: 2,
}

const nothing: Beside = {
  bytesPerSecond: undefined,
  cpuSecondsPerGB: undefined,
  p99Ms: undefined,
  peakBytes: undefined,
  sentPerLogByte: undefined,
}

export function tryOf(values: Values, name = Object.values(values).join(', ')): Try {
  // Two ways to say the same are one try: here no two are.
  const effect: Effect = { batchBytes: 1, concurrency: 1, slots: 1, lingerMs: 1, compression: JSON.stringify(values) }
  return { name, values, effect }
}

/** A setting with some values, the nearest first. */
export function dimension(name: string, ...values: readonly string[]): Dimension {
  return {
    settings: [name],
    near: (best) => ({
      tries: values
        .filter((value) => value !== best.values[name])
        .map((value) => tryOf({ ...best.values, [name]: value }, value)),
      untried: [],
    }),
  }
}

export const dimensions: readonly Dimension[] = [
  dimension('A', '2', '4', '8'),
  dimension('B', 'x', 'y', 'z'),
  dimension('C', 'on'),
]

export function spaceOf(given: readonly Dimension[] = dimensions, start: Values = {}): Space {
  return { start: tryOf(start), dimensions: given, tryOf: (values) => tryOf(values) }
}

/** Normal, by Box and Muller. */
function normalFrom(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

export class SyntheticStage implements Stage {
  readonly #surface: Surface
  readonly #random: () => number
  readonly #normal: () => number
  readonly #runsMax: number
  readonly #beside: (value: number) => Beside
  readonly ran: Try[] = []
  readonly abouts: string[] = []

  constructor(surface: Surface, seed: number, runsMax = Infinity, beside = (_value: number): Beside => nothing) {
    this.#beside = beside
    this.#surface = surface
    this.#random = randomFrom(seed)
    this.#normal = normalFrom(this.#random)
    this.#runsMax = runsMax
  }

  measure(tried: Try, about: string): Promise<Outcome> {
    const { truth, noise, drift = 0, spikes = 0, fails, isVoid, isBehind } = this.#surface
    const run = this.ran.push(tried)
    this.abouts.push(about)
    const reason = fails?.(tried.values, run) ?? ''
    if (reason !== '') return Promise.resolve({ kind: 'failed', reason })
    if (isBehind?.(about) === true) return Promise.resolve({ kind: 'behind', reason: 'it does not keep up' })
    if (isVoid?.(run, about) === true) return Promise.resolve({ kind: 'void', reason: 'the machine' })
    const slow = this.#random() < 0.05 ? 1 - spikes : 1
    const value = truth(tried.values) * Math.exp(noise * this.#normal()) * (1 - drift) ** (run / 100) * slow
    return Promise.resolve({ kind: 'measured', value, beside: this.#beside(value) })
  }

  hasTime(runs: number): boolean {
    return this.ran.length + runs <= this.#runsMax
  }

  bestIs(): void {}
}
