import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sleep, systemClock } from '../src/base/clock.ts'
import { LatencySink } from './latency-sink.ts'
import { LivingAgent } from './living.ts'
import { cleanEnv, endOf, onExit } from '../src/bench/machine/process.ts'
import { spreadText, table } from './report.ts'
import { type Spread, spreadOf } from '../src/bench/stats.ts'

/** From the write of a line to the arrival of the bulk request with it, and what that costs. */
export interface LatencyRun {
  readonly linesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Of one core, user and system, all threads. */
  readonly cpuShare: number
  readonly linesPerRequest: number
  /** Empty when each line came once. */
  readonly failure: string
}

const rates = [10, 1_000, 20_000]
/** The row of the budget. */
const budget = { linesPerSecond: 1_000, p99Ms: 50, cpuShare: 0.05 }
const forms = { short: { rounds: 1, seconds: 10 }, long: { rounds: 5, seconds: 30 } }
/** Code is compiled while the first lines come. */
const warmUpMs = 5_000
const lastMsMax = 20_000
const writer = fileURLToPath(new URL('latency-writer.ts', import.meta.url))

/** @param entry  another entry than this checkout's */
export async function measureLatency(
  linesPerSecond: number,
  seconds: number,
  seed: number,
  entry?: string,
): Promise<LatencyRun> {
  const directory = mkdtempSync(join(tmpdir(), 'remora-latency-'))
  const remove = onExit(() => rmSync(directory, { recursive: true, force: true }))
  const logs = join(directory, 'logs')
  mkdirSync(logs)
  const sink = new LatencySink()
  await once(sink.server.listen(0, '127.0.0.1'), 'listening')
  const { port } = sink.server.address() as AddressInfo
  const agent = await LivingAgent.start({
    ...(entry !== undefined && { main: entry }),
    outputPath: join(directory, 'agent.out'),
    env: {
      REMORA_PATHS: `${logs}/*.log`,
      REMORA_STATE_DIR: join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: `http://127.0.0.1:${port}`,
      REMORA_POD_UID: 'latency',
    },
  })
  try {
    await agent.answers()
    const plan = { path: join(logs, 'app.log'), linesPerSecond, seconds: seconds + warmUpMs / 1_000, seed }
    const child = spawn(process.execPath, [writer, JSON.stringify(plan)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: cleanEnv({}),
    })
    const kill = onExit(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)))
    await sleep(systemClock, warmUpMs)
    sink.begin()
    const [fromUs, fromMs] = [agent.cpuUs(), performance.now()]
    await sleep(systemClock, seconds * 1_000)
    const cpuShare = (agent.cpuUs() - fromUs) / 1_000 / (performance.now() - fromMs)
    const { latenciesMs, requests } = sink
    const wrote = await endOf(child, lastMsMax)
    kill()
    const lines = Number(said)
    const untilMs = performance.now() + lastMsMax
    while (sink.lines < lines && performance.now() < untilMs) await sleep(systemClock, 50)
    const exit = await agent.end('SIGTERM')
    const sorted = Float64Array.from(latenciesMs).toSorted()
    const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
    const wrong = [
      wrote === 'code 0' ? '' : `the writer ended with ${wrote}`,
      sink.failure,
      sink.lines === lines && sink.again === 0 ? '' : `${sink.lines} of ${lines} lines, ${sink.again} again`,
      exit === 'code 0' ? '' : `the agent ended with ${exit}: ${agent.lastWords()}`,
    ]
    return {
      linesPerSecond,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      maxMs: quantile(1),
      cpuShare,
      linesPerRequest: latenciesMs.length / Math.max(1, requests),
      failure: wrong.filter((text) => text !== '').join('; '),
    }
  } finally {
    if (agent.alive) await agent.end('SIGKILL')
    sink.server.close()
    remove()
  }
}

const columns = ['p50Ms', 'p99Ms', 'maxMs', 'cpuShare', 'linesPerRequest'] as const
type Figures = Readonly<Record<(typeof columns)[number], Spread>>

function figuresOf(runs: readonly LatencyRun[]): Figures {
  return Object.fromEntries(columns.map((name) => [name, spreadOf(runs.map((run) => run[name]))])) as Figures
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string', multiple: true },
      agent: { type: 'string' },
    },
  })
  const form = values.short ? forms.short : forms.long
  const rounds = Number(values.rounds ?? form.rounds)
  const seconds = Number(values.seconds ?? form.seconds)
  const wanted = values.rate?.map(Number) ?? rates
  const runs: LatencyRun[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const rate of wanted) runs.push(await measureLatency(rate, seconds, round, values.agent))
  }
  const rows = wanted.map((rate) => ({ rate, ...figuresOf(runs.filter((run) => run.linesPerSecond === rate)) }))
  const failures = runs.map(({ failure }) => failure).filter((failure) => failure !== '')
  const isJudged = wanted.includes(budget.linesPerSecond)
  const kept = rows.every(
    ({ rate, p99Ms, cpuShare }) =>
      rate !== budget.linesPerSecond || (p99Ms.median <= budget.p99Ms && cpuShare.median <= budget.cpuShare),
  )
  process.stdout.write(`${JSON.stringify({ rounds, seconds, rows, runs, budget, kept, failures })}\n`)
  const head = ['lines/s', 'p50 ms', 'p99 ms', 'max ms', '% of a core', 'lines a request']
  const cells = rows.map(({ rate, p50Ms, p99Ms, maxMs, cpuShare, linesPerRequest }) => [
    String(rate),
    ...[p50Ms, p99Ms, maxMs].map((spread) => spreadText(spread)),
    spreadText(cpuShare, 0.01),
    spreadText(linesPerRequest),
  ])
  process.stdout.write(`${table([head, ...cells])}\n`)
  process.stdout.write(
    `latency    p99 at ${budget.linesPerSecond} lines/s at most ${budget.p99Ms} ms at ${budget.cpuShare * 100} % of a core: ` +
      `${isJudged ? (kept ? 'kept' : 'NOT KEPT') : 'not judged'}${failures.map((failure) => `\nFAILED     ${failure}`).join('')}\n`,
  )
  return kept && failures.length === 0 ? 0 : 1
}

if (import.meta.main) process.exitCode = await main()
