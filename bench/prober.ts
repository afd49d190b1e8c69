import { request } from 'node:http'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/base/clock.ts'

/** What asking one path again and again has shown. Latencies from the connection attempt to the end of the answer. */
export interface ProbeFigures {
  readonly answered: number
  /** Not answered within `timeoutMs`, or refused after the first answer. */
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** From the start of the prober to the first answer with status 200; undefined: none. */
  readonly firstMs: number | undefined
}

export interface ProbePlan {
  readonly port: number
  /** Path and the time between two questions: asked whether the one before was answered or not. */
  readonly paths: readonly { readonly path: string; readonly everyMs: number }[]
}

const timeoutMs = 15_000

interface Asked {
  readonly latenciesMs: number[]
  failed: number
  /** Since the last answer: at the end it is the agent that has gone. */
  failedLately: number
  firstMs: number | undefined
}

/** One connection for each question, as the kubelet does it. */
function ask(port: number, path: string, asked: Asked, startMs: number): void {
  const beganMs = systemClock.monotonicMs()
  const fail = () => {
    // Before it listens for the first time nobody has promised an answer.
    if (asked.firstMs !== undefined) asked.failedLately += 1
  }
  const question = request({ host: '127.0.0.1', port, path, agent: false, timeout: timeoutMs }, (answer) => {
    answer.on('error', fail)
    answer.resume().on('end', () => {
      const nowMs = systemClock.monotonicMs()
      if (answer.statusCode === 200) asked.firstMs ??= nowMs - startMs
      if (asked.firstMs !== undefined) asked.latenciesMs.push(nowMs - beganMs)
      asked.failed += asked.failedLately
      asked.failedLately = 0
    })
  })
  question.on('timeout', () => question.destroy(new Error('late')))
  question.on('error', fail)
  question.end()
}

export function probeFiguresOf({ latenciesMs, failed, firstMs }: Asked): ProbeFigures {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { answered: sorted.length, failed, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0, firstMs }
}

/** A process of its own: what is measured must not wait for who measures. It writes its figures when its stdin closes. */
if (import.meta.main) {
  const { values } = parseArgs({ options: { plan: { type: 'string' } } })
  const plan: ProbePlan = JSON.parse(values.plan ?? '{}')
  const startMs = systemClock.monotonicMs()
  const all = plan.paths.map(({ path, everyMs }) => {
    const asked: Asked = { latenciesMs: [], failed: 0, failedLately: 0, firstMs: undefined }
    const again = () => {
      systemClock.after(everyMs, again)
      ask(plan.port, path, asked, startMs)
    }
    again()
    return { path, asked }
  })
  process.stdin
    .on('close', () => {
      const figures = Object.fromEntries(all.map(({ path, asked }) => [path, probeFiguresOf(asked)]))
      process.stdout.write(JSON.stringify(figures), () => process.exit(0))
    })
    .resume()
}
