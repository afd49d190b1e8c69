import type { Spread } from './stats.ts'

/** What the words of the bench mean to all of its parts. A plan goes in, a `RunResult` comes out, a `Report` holds many. */

/** What the agent may use. Undefined: nothing limits it. */
export interface Limits {
  /** Of one processor's time: 0.2 is `200m`. */
  readonly cpus: number | undefined
  readonly memoryBytes: number | undefined
}

/**
 * How limits come to hold.
 * `cgroup`: a group of its own, made by the bench. `container`: podman or docker. `own`: the group that the bench itself runs
 * in, shared with it. `none`: nothing holds, and every figure says so.
 */
export type Enforcement =
  | { readonly kind: 'cgroup'; readonly version: 1 | 2 }
  | {
      readonly kind: 'container'
      readonly engine: 'podman' | 'docker'
      /** Of Remora, as the engine names it. */
      readonly image: string
      readonly isRootless: boolean
    }
  | { readonly kind: 'own'; readonly version: 1 | 2 }
  | { readonly kind: 'none'; readonly reason: string }

/** What the lines are like. `sample`: lines of the user's own file, over and over. */
export type Mix =
  | { readonly kind: 'short' | 'long' | 'json' | 'stack' | 'multibyte' | 'mixed' }
  | { readonly kind: 'sample'; readonly path: string }

/** How fast they are written, all files together. */
export type Rate =
  | { readonly kind: 'fixed'; readonly bytesPerSecond: number }
  /** `bytesPerSecond` is the mean: a burst at `times` of it, then silence, each `periodMs` anew. */
  | { readonly kind: 'bursts'; readonly bytesPerSecond: number; readonly times: number; readonly periodMs: number }
  /** All of it is there before the agent starts. */
  | { readonly kind: 'backlog' }

export type Rotation =
  | { readonly kind: 'none' }
  | { readonly kind: 'rename' | 'copytruncate'; readonly everyMs: number; readonly keep: number }

/** What is written; the same seed gives the same lines, but for the time that each of them begins with. */
export interface Workload {
  readonly seed: number
  readonly mix: Mix
  readonly rate: Rate
  readonly files: number
  /** Files that are written to; the others are there, with one line each. */
  readonly activeFiles: number
  readonly rotation: Rotation
  /** The writer ends after so long, or so many bytes; a backlog must have `bytes`. */
  readonly end: { readonly seconds: number } | { readonly bytes: number }
}

/** What the bulk server does to a request, each from the start of the run. */
export interface Shape {
  /** Between the end of a request and its answer, ms. */
  readonly latencyMs: number
  /** Read from all connections together; undefined: as fast as they send. */
  readonly bytesPerSecond: number | undefined
  /** Of all requests, answered 429 as a whole. 0 to 1 */
  readonly refusedShare: number
  /**
   * Of all requests, answered 200 with 429 for a third of their documents: one shard's write queue is full, and Elasticsearch
   * refuses the documents that go there. 0 to 1
   */
  readonly itemRefusedShare: number
  /** Connections are reset in these times, and new ones at once, ms after the writer's first line. */
  readonly outages: readonly { readonly fromMs: number; readonly toMs: number }[]
}

export const plainShape: Shape = {
  latencyMs: 0,
  bytesPerSecond: undefined,
  refusedShare: 0,
  itemRefusedShare: 0,
  outages: [],
}

export type Destination =
  | { readonly kind: 'null'; readonly shape: Shape }
  /** A throw-away index in the user's own server; credentials are the `REMORA_…` settings in the environment. */
  | { readonly kind: 'elasticsearch'; readonly url: string }

/** One run of one agent. */
export interface RunPlan {
  readonly limits: Limits
  readonly workload: Workload
  readonly destination: Destination
  /** `REMORA_…` settings beside those that each run has. */
  readonly settings: Readonly<Record<string, string>>
  /** The agent is killed (SIGKILL) and started again at these times, ms after the writer's first line. */
  readonly killsAtMs: readonly number[]
  /**
   * The agent runs so long before the first line is written, and as long again until figures count, so that starting and
   * compiling are not measured; 0: they are.
   */
  readonly warmUpMs: number
  /** After the writer's end, until everything must be there. */
  readonly drainMsMax: number
}

/** What has arrived, counted line by line, always. */
export interface Account {
  readonly writtenLines: number
  readonly writtenBytes: number
  readonly storedLines: number
  /** Written and never stored. What a copytruncate rotator destroyed by itself is none of them. */
  readonly lostLines: number
  /** Stored more than once. */
  readonly twiceLines: number
  /** Sent again and known by their `_id` (409): stored once. */
  readonly againLines: number
  /** Stored, and not as written. */
  readonly wrongLines: number
}

/** From the write of a line to the acknowledgement of the request that has it, ms; of the lines after the warm-up. */
export interface Latency {
  readonly lines: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Upper edges in ms and lines up to each, for a distribution; edges grow by a constant factor. */
  readonly histogram: readonly { readonly upToMs: number; readonly lines: number }[]
}

/** One look while it runs. */
export interface Moment {
  /** After the writer's first line; negative while the agent warms up. */
  readonly atMs: number
  /** Anonymous, kernel and socket memory of the agent's group; of its processes where there is no group. */
  readonly usedBytes: number
  /** Written and not yet stored. */
  readonly lagBytes: number
  readonly storedBytes: number
  readonly cpuUs: number
}

export interface RunResult {
  readonly account: Account
  /** Log bytes stored for each second between the writer's first line and the last acknowledgement. */
  readonly bytesPerSecond: number
  readonly wallMs: number
  readonly cpu: { readonly userUs: number; readonly systemUs: number }
  /** Of what is not the agent: they share the machine with it. */
  readonly others: { readonly sinkUs: number; readonly writerUs: number; readonly benchUs: number }
  /** By GB (10^9) of log and by million lines, after the warm-up where there is one. */
  readonly cpuSecondsPerGB: number
  readonly cpuSecondsPerMillionLines: number
  /** Undefined where lines have no time that can be told, as with a backlog. */
  readonly latency: Latency | undefined
  readonly memory: { readonly peakBytes: number; readonly meanBytes: number; readonly oomKills: number }
  /** Time in which the agent was ready to run and its quota was used up. */
  readonly throttledMs: number
  /** Each so many ms, see `Moment`. */
  readonly moments: readonly Moment[]
  /** Requests by outcome, as the destination saw them; for a server that is not ours, none. */
  readonly requests: number
  /** Of bulk bodies, as they came; 0 where nobody counts them. */
  readonly bodyBytes: number
  /** What must be known of its figures; the same words in each run. */
  readonly notes?: readonly string[]
  /** Empty when the run is good. A line lost, twice or wrong makes it fail, as does an agent that ends by itself. */
  readonly failure: string
}

/** One column of a report: a figure over its repeats. */
export interface Figure {
  readonly name: string
  /** `MB/s`, `lines/s`, `MB`, `MiB`, `s/GB`, `s`, `ms`, `%`, `lines`, `×` or empty. */
  readonly unit: string
  readonly spread: Spread
  /** Each repeat that counts, in the order in which they ran. */
  readonly values: readonly number[]
  /** What a comparison takes for better; `none`: it is told, not judged. */
  readonly better: 'more' | 'less' | 'none'
  /** Ratios are compared between reports; all else depends on the machine. */
  readonly isRatio: boolean
}

/** One row: one setting of one scenario. */
export interface Row {
  /** `200m CPU, 64 MiB` */
  readonly name: string
  readonly limits: Limits
  readonly figures: readonly Figure[]
  /** One of the repeats, the one in the middle by CPU: for the plots. */
  readonly moments: readonly Moment[]
  readonly latency: Latency | undefined
  readonly outages: Shape['outages']
  readonly runs: number
  /** Empty when all were good; else why not, each once. */
  readonly failures: readonly string[]
  /** What must be known of the figures, each once: that the machine was the limit, that rounds did not count. */
  readonly notes: readonly string[]
}

export interface ScenarioResult {
  readonly name: string
  /** One sentence: what was done, and what the figures tell. */
  readonly about: string
  readonly rows: readonly Row[]
  readonly seconds: number
}
