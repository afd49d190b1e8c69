import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Clock, sleep, systemClock } from '../base/clock.ts'
import { RemoraError, messageOf } from '../base/errors.ts'
import { LineHashSum } from './application-hash.ts'
import { ApplicationLog, type LogAccount } from './application-log.ts'
import { LineSource, type LogEvent, randomFrom } from './lines.ts'

export { LineHashSum, lineHashSum } from './application-hash.ts'

export interface ApplicationOptions {
  /** Made when missing. */
  readonly directory: string
  readonly seconds: number
  /** Lines a second, both files together. */
  readonly rate: number
  readonly seed: number
  /** Default 4: the files are rotated this often, in turn. */
  readonly rotateSeconds?: number
  /** Ends the application early, at a line end. */
  readonly signal?: AbortSignal
}

/** What the application wrote, in all and to each of its logs. */
export interface ApplicationAccount {
  readonly lines: number
  readonly bytes: number
  /** `LineHashSum` of all lines of all logs, 32 hexadecimal digits. */
  readonly hash: string
  readonly files: readonly LogAccount[]
}

const tickMs = 20
/** How often the application leaves a line unfinished until its next tick. */
const splitShare = 0.1

/**
 * Writes two logs for a while: `orders.log`, rotated by renaming, and `payments.log`, rotated by copying and truncating.
 * @throws when the directory or a file in it cannot be written
 */
export async function runApplication(
  options: ApplicationOptions,
  clock: Clock = systemClock,
): Promise<ApplicationAccount> {
  const { directory, seconds, rate, seed, rotateSeconds = 4, signal } = options
  mkdirSync(directory, { recursive: true })
  // A generator each: what a log says must not depend on how the machine paced the other.
  const [pace, ofOrders, ofPayments] = [randomFrom(seed), randomFrom(seed + 0.5e9), randomFrom(seed + 1e9)]
  const orders = new Writer(join(directory, 'orders.log'), 'rename', new LineSource('orders', ofOrders))
  const payments = new Writer(join(directory, 'payments.log'), 'copytruncate', new LineSource('payments', ofPayments))
  const startMs = clock.monotonicMs()
  const endMs = startMs + seconds * 1000
  // Half a period apart, so that one log is quiet when the other is rotated.
  orders.rotateAtMs = startMs + rotateSeconds * 1000
  payments.rotateAtMs = startMs + rotateSeconds * 1500
  for (let ended = false; !ended;) {
    const nowMs = clock.monotonicMs()
    ended = nowMs >= endMs || signal?.aborted === true
    const dueLines = Math.floor(((Math.min(nowMs, endMs) - startMs) / 1000) * rate)
    for (const writer of [orders, payments]) {
      writer.writeUntil(dueLines / 2, clock.nowMs(), pace() < splitShare ? pace() : 1)
      if (nowMs < writer.rotateAtMs || ended) continue
      writer.log.rotate()
      writer.rotateAtMs = nowMs + rotateSeconds * 1000
    }
    if (!ended) await sleep(clock, Math.min(tickMs, endMs - nowMs), signal)
  }
  orders.log.close()
  payments.log.close()
  return accountOf([orders.log.account('orders.log'), payments.log.account('payments.log')], [orders, payments])
}

/** One log with the source of its lines. */
class Writer {
  readonly log: ApplicationLog
  rotateAtMs = 0
  readonly #source: LineSource

  constructor(path: string, rotation: 'rename' | 'copytruncate', source: LineSource) {
    this.log = new ApplicationLog(path, rotation)
    this.#source = source
  }

  writeUntil(lines: number, nowMs: number, splitAt: number): void {
    const events: LogEvent[] = []
    for (let written = this.log.sum.lines; written < lines; written += events.at(-1)?.lines.length ?? 1) {
      events.push(this.#source.next(nowMs))
    }
    this.log.write(events, splitAt)
  }
}

function accountOf(files: readonly LogAccount[], writers: readonly Writer[]): ApplicationAccount {
  const sum = new LineHashSum()
  for (const writer of writers) sum.merge(writer.log.sum)
  return { lines: sum.lines, bytes: files.reduce((bytes, file) => bytes + file.bytes, 0), hash: sum.value(), files }
}

function readArguments(args: readonly string[]): ApplicationOptions {
  const text = { type: 'string' } as const
  const options = { directory: text, seconds: text, rate: text, seed: text, 'rotate-seconds': text }
  const { values } = parseArgs({ args: [...args], options, strict: true })
  const number = (name: 'seconds' | 'rate' | 'seed' | 'rotate-seconds', otherwise: number, least: number) => {
    const value = Number(values[name] ?? otherwise)
    if (Number.isFinite(value) && value >= least) return value
    throw new RemoraError('BAD_ARGUMENT', `--${name} is ${values[name]}`, `give a number of at least ${least}`)
  }
  if (values.directory === undefined) {
    throw new RemoraError('BAD_ARGUMENT', '--directory is missing', 'give the directory to write logs into')
  }
  return {
    directory: values.directory,
    seconds: number('seconds', 10, 0),
    rate: number('rate', 1000, 1),
    seed: number('seed', 1, 0),
    rotateSeconds: number('rotate-seconds', 4, 0.05),
  }
}

/** Prints the account as one line of JSON. Ends by itself; SIGTERM and SIGINT end it early, with its account. */
async function main(): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
  try {
    const account = await runApplication({ ...readArguments(process.argv.slice(2)), signal: stop.signal })
    process.stdout.write(`${JSON.stringify(account)}\n`)
  } catch (error) {
    const wayOut = error instanceof RemoraError ? `; ${error.wayOut}` : ''
    process.stderr.write(`${messageOf(error)}${wayOut}\n`)
    process.exitCode = error instanceof RemoraError ? 2 : 1
  }
}

if (import.meta.main) await main()
