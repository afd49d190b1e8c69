import type { Limits, Row, RunResult } from './types.ts'

/** Of processors, while lines came in: 0.5 is half of one. */
export interface Cores {
  readonly agent: number
  /** One thread: it has no more than one. */
  readonly sink: number
  /** With writer and bench. */
  readonly all: number
}

export function coresOf({ cpu, others, wallMs }: Pick<RunResult, 'cpu' | 'others' | 'wallMs'>): Cores {
  const wallUs = Math.max(1, wallMs * 1e3)
  const agentUs = cpu.userUs + cpu.systemUs
  const { sinkUs, writerUs, benchUs } = others
  return { agent: agentUs / wallUs, sink: sinkUs / wallUs, all: (agentUs + sinkUs + writerUs + benchUs) / wallUs }
}

/** How each note begins that makes of a highest rate one that is at least so high. */
const lowerBoundText = 'a lower bound: '

export const lowerBounds = {
  server: `${lowerBoundText}the bench's own server is the limit, not the agent`,
  machine: `${lowerBoundText}this machine is the limit, not the agent: all of its processors are busy`,
  writer: `${lowerBoundText}the writer could not keep a higher rate: this machine is the limit, not the agent`,
  disk: `${lowerBoundText}there is no room for what a higher rate writes: the disk is the limit, not the agent`,
  probes: (probes: number) =>
    `${lowerBoundText}the search ended after ${probes} rates: what is told held, and a higher rate may too`,
} as const

/** What it is that held it back cannot be told: memory for more requests at once, as a rule. */
export const cpuLeftText = 'the CPU limit was not used up: more CPU would not carry more'

/** Whether the highest rate of a row is one that is at least so high: something other than the agent in its limits ended the search. */
export function isLowerBound({ notes }: Pick<Row, 'notes'>): boolean {
  return notes.some((note) => note.startsWith(lowerBoundText))
}

/** Above it a single thread is a queue. */
const sinkCoresMax = 0.8
const machineShareMax = 0.9
const cpuShareMin = 0.85
const throttledShareMin = 0.01

/** What, beside the agent in its limits, held back a run at the highest rate that held; empty: nothing. */
export function boundsOf(result: RunResult, { cpus }: Limits, processors: number): readonly string[] {
  const { agent, sink, all } = coresOf(result)
  const isThrottled = result.throttledMs >= result.wallMs * throttledShareMin
  return [
    ...(sink > sinkCoresMax ? [lowerBounds.server] : []),
    ...(all > processors * machineShareMax ? [lowerBounds.machine] : []),
    ...(cpus !== undefined && agent < cpus * cpuShareMin && !isThrottled ? [cpuLeftText] : []),
  ]
}
