import type { Account, Latency } from './types.ts'

/** What a writer says of itself when it has ended. */
export interface Written {
  readonly lines: number
  readonly bytes: number
  /** Lines of each file, by its number. */
  readonly linesOfFiles: readonly number[]
  /** What a copytruncate rotator destroyed between copy and truncation: file, first and last line. */
  readonly destroyed: readonly { readonly file: number; readonly from: number; readonly to: number }[]
  /** Monotonic time of the machine (CLOCK_MONOTONIC, the same in each process) of the first and the last line, ms. */
  readonly firstAtMs: number
  readonly lastAtMs: number
  readonly cpuUs: number
  /** Of the bytes that its rate asked for by then, what it has written; undefined: a backlog. Below 0.98 nothing was measured. */
  readonly rateShare?: number
  /** The longest that bytes were due and not written, ms; undefined: a backlog. */
  readonly lateMsMax?: number
}

/** The application: a process of its own that writes a workload into a directory. */
export interface Writer {
  /** Writes from now on; a backlog has been written when this resolves. */
  begin(): Promise<void>
  /** As of a moment ago. */
  readonly progress: { readonly lines: number; readonly bytes: number }
  /** Ends early, at a line end. */
  stop(): void
  /** @throws Error when it has ended otherwise than by itself or `stop` */
  readonly ended: Promise<Written>
  kill(): void
}

/** What has come to a target so far. */
export interface Arrived {
  readonly storedLines: number
  readonly storedBytes: number
  /** Only documents are counted: the bytes are those of as many lines of mean length. */
  readonly isGuess?: boolean
  readonly requests: number
  /** Of the bodies of bulk requests, as they came; 0 where nobody counts them. */
  readonly bodyBytes: number
  /** Monotonic, ms, of the first and the last acknowledgement; 0 before. */
  readonly firstAtMs: number
  readonly lastAtMs: number
  /** The target's own CPU time where it is ours; else 0. */
  readonly cpuUs: number
  /** Why a request could not be understood, the first time. */
  readonly failure: string
}

/** Where the agent ships to: a bulk server in a process of its own, or the user's Elasticsearch. */
export interface Target {
  /** Settings that lead the agent there: URL, index, credentials. */
  readonly settings: Readonly<Record<string, string>>
  /** Times of outages count from here: the writer's first line. */
  begin(): Promise<void>
  /** Lines before this are not part of the latency: what is compiled and what is cached has become so. */
  measureFrom(): Promise<void>
  arrived(): Promise<Arrived>
  /** Line by line. */
  account(written: Written): Promise<Account>
  /** Undefined where there is none to tell. */
  latency(): Promise<Latency | undefined>
  /** Ends it; what was made on a server of the user's is deleted. */
  close(): Promise<void>
}
