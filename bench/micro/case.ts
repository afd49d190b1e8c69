/** One thing that is measured alone. */
interface Measured {
  /** What it belongs to: `kernel`, `frontier`. */
  readonly group: string
  readonly name: string
  /** What is counted: `line`, `span`. */
  readonly item: string
  /** In one call. */
  readonly items: number
  /** Of one call, where speed in bytes is what counts; else 0. */
  readonly bytes: number
}

/** `run` takes some tenths of a millisecond or more, for a clock that counts microseconds. */
export interface CalledCase extends Measured {
  /** What it returns is looked at, so that none of the work is left out. */
  readonly run: () => unknown
}

/** It measures itself. */
export interface TimedCase extends Measured {
  readonly time: () => Promise<Timed>
}

/** Of one call. */
export interface Timed {
  /** CPU time of this thread. */
  readonly cpuNs: number
  /** On the heap of JavaScript. */
  readonly allocatedBytes: number
}

export type Case = CalledCase | TimedCase

/** What is measured together; what it holds is let go by `close`. */
export interface Cases {
  readonly cases: readonly Case[]
  readonly close?: () => void
}
