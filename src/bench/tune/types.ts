import type { RatioInterval } from '../compare/rank-interval.ts'
import type { Provenance } from '../report/provenance.ts'
import type { MeasuringCost } from '../report/report.ts'

/**
 * What the words of tuning mean to all of its parts. A try is some settings; a contest measures tries and the present best in
 * turn; a search is contests, one setting after the other; what it has chosen is confirmed by runs of its own.
 */

/** `REMORA_…` settings beside those that were given. */
export type Values = Readonly<Record<string, string>>

/** What is to become better: log bytes a second out of a backlog, CPU for each GB, p99 of the latency. */
export type GoalName = 'rate' | 'cpu' | 'latency'

/** What the agent makes of its settings: see `planMemory`. */
export interface Effect {
  readonly batchBytes: number
  readonly concurrency: number
  readonly slots: number
  readonly lingerMs: number
  /** `none`, or `gzip` and its level: `gzip 1`. */
  readonly compression: string
}

export interface Try {
  /** For a person: `8`, `gzip, level 3`; what it is for the one setting that is looked at. */
  readonly name: string
  readonly values: Values
  readonly effect: Effect
}

/** What one run tells beside the goal's own figure. Undefined: it was not measured or not counted. */
export interface Beside {
  readonly bytesPerSecond: number | undefined
  readonly cpuSecondsPerGB: number | undefined
  readonly p99Ms: number | undefined
  readonly peakBytes: number | undefined
  /** Bytes of bodies as they came, for each byte of log. */
  readonly sentPerLogByte: number | undefined
}

/**
 * `measured`: the goal's figure, above 0. `failed`: a line lost, twice or wrong, no memory, an agent that ended: such settings
 * are out. `behind`: the agent did not keep up with the rate. `void`: the machine, not the settings, was in the way.
 */
export type Outcome =
  | { readonly kind: 'measured'; readonly value: number; readonly beside: Beside }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'behind'; readonly reason: string }
  | { readonly kind: 'void'; readonly reason: string }

/** All runs of one try in one contest. */
export interface Measured {
  readonly tried: Try
  /** In the order in which they ran. */
  readonly values: readonly number[]
  readonly beside: readonly Beside[]
  /** Why runs of it do not count: the machine was in the way. */
  readonly disturbed: readonly string[]
  /** Why it is out; empty: it is not. */
  readonly failure: string
}

/**
 * `better`: the interval is above 1 and the gain is worth it. `small`: certain, and less than the least effect. `noise`: the
 * interval has 1 in it, or nothing is certain yet. `worse`: below 1, or so far behind that it was dropped. `failed`: out.
 */
export type Decision = 'better' | 'small' | 'noise' | 'worse' | 'failed'

export interface Judged extends Measured {
  readonly decision: Decision
  /** Above 1: better than the one that it is compared with, whichever way the goal's figure goes. */
  readonly gain: RatioInterval | undefined
}

/** One setting. */
export interface Contest {
  /** `REMORA_CONCURRENCY` */
  readonly setting: string
  readonly best: Measured
  readonly judged: readonly Judged[]
  /** Of those that are better, the one that goes on; undefined: all is left as it was. */
  readonly winner: Try | undefined
}

/** What was not tried, and why. */
export interface Untried {
  /** `REMORA_BATCH_BYTES=8Mi`, or the setting alone. */
  readonly name: string
  readonly reason: string
}

/** One change of the chosen ones, taken back while the others stay. */
export interface Part {
  /** The settings that make the change: compression has its level with it. */
  readonly values: Values
  /** Without it; undefined: see `reason`. */
  readonly without: Measured | undefined
  /** Why it was not measured alone; else empty. */
  readonly reason: string
  /** What all changes bring over all but this one. */
  readonly gain: RatioInterval | undefined
  readonly decision: Decision
}

export interface Confirmation {
  readonly before: Measured
  /** As it was chosen, all changes together. */
  readonly chosen: Judged
  /** Empty for one change alone: it is the whole. */
  readonly parts: readonly Part[]
  /** Over what it was before, of fresh runs. Undefined: nothing is confirmed. */
  readonly final: Judged | undefined
}

export interface Search {
  readonly start: Try
  readonly contests: readonly Contest[]
  readonly untried: readonly Untried[]
  /** Undefined: no setting brought anything, so there is nothing to confirm. */
  readonly confirmation: Confirmation | undefined
  /** To set; empty: nothing. */
  readonly block: Values
  /** Settings that are there and must go. */
  readonly remove: readonly string[]
}

export const tuneSchema = 'remora-bench-tune'
/** Goes up with each change of what a field means, and with each field. */
export const tuneVersion = 1

/** `tune.json` is this. */
export interface TuneReport extends Search, Provenance {
  readonly schema: typeof tuneSchema
  readonly version: typeof tuneVersion
  readonly goal: GoalName
  /** A gain below this is none: 0.03 is 3 %. */
  readonly leastEffect: number
  readonly server:
    | { readonly kind: 'null'; readonly latencyMs: number; readonly bytesPerSecond: number | undefined }
    | { readonly kind: 'elasticsearch'; readonly url: string }
  /** What was written: a backlog of so many bytes at first, or a steady rate. */
  readonly load: { readonly backlogBytes: number } | { readonly bytesPerSecond: number }
  /** With those that only made ready. */
  readonly runs: number
  readonly measuring: MeasuringCost
}
