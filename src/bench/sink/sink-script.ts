/** The process of the sink: a plan as its argument, questions on stdin, answers on stdout, JSON both ways. */
import { createInterface } from 'node:readline'
import { messageOf } from '../../base/errors.ts'
import type { Arrived, Written } from '../target.ts'
import type { Account, Latency, Shape, Workload } from '../types.ts'
import { textsOf } from '../workload/lines.ts'
import { ExpectedLines } from './expected.ts'
import { BulkSink } from './server.ts'

export interface SinkPlan {
  readonly workload: Workload
  readonly shape: Shape
  /** See `workload/clock.ts`. */
  readonly wallFromMonotonicUs: number
  readonly index: string
}

export type SinkAsks =
  | { readonly ask: 'begin' | 'measureFrom' | 'arrived' | 'latency' }
  | { readonly ask: 'account'; readonly written: Written }

/** In the order of the questions; the port comes first, unasked. */
export type SinkSays =
  | { readonly port: number }
  | { readonly answer: Arrived | Account | Latency | null }
  | { readonly failed: string }

const say = (what: SinkSays) => process.stdout.write(`${JSON.stringify(what)}\n`)

const { workload, shape, wallFromMonotonicUs, index }: SinkPlan = JSON.parse(process.argv[2] ?? '')
const { seed, mix, files, rate, rotation } = workload
const expected = new ExpectedLines(textsOf(mix, seed), seed, files, rotation.kind !== 'none')
const sink = new BulkSink(expected, shape, seed, wallFromMonotonicUs, index)

function answerTo(asked: SinkAsks): Arrived | Account | Latency | null {
  if (asked.ask === 'account') return sink.arrivals.tally.account(asked.written)
  if (asked.ask === 'arrived') return sink.arrived()
  if (asked.ask === 'latency') return rate.kind === 'backlog' ? null : (sink.arrivals.latency() ?? null)
  if (asked.ask === 'begin') sink.begin()
  else sink.measureFrom()
  return null
}

createInterface({ input: process.stdin }).on('line', (line) => {
  try {
    say({ answer: answerTo(JSON.parse(line)) })
  } catch (error) {
    say({ failed: messageOf(error) })
  }
})
// The other end of this pipe is gone: so is the sink.
process.stdin.on('end', () => process.exit(0))
say({ port: await sink.listen() })
