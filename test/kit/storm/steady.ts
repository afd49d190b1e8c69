import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LivingAgent } from '../../../bench/living.ts'
import { type Sample, type Trend, trendOf } from '../../../src/bench/trend.ts'
import { Random } from '../../model/random.ts'
import { Gate } from '../gate.ts'
import type { NullSink } from './destinations.ts'
import { isBalanced, ledgerFault, ledgerFrom, type LedgerSums } from './ledger.ts'
import { drained } from './storm.ts'
import { faultOf, type Outcome, type Written } from './tally.ts'
import { WriterProcess } from './writer-process.ts'
import type { WriterOptions } from './writer.ts'

export interface SteadyOptions extends Omit<WriterOptions, 'path' | 'isRandomLoad'> {
  /** For logs, state and what the agent says. */
  readonly directory: string
  readonly seconds: number
  /** SIGKILLs of the agent, in the first tenth of the time: after them one process lives to the end. */
  readonly kills: number
  /** Mean time between two restarts of the server. */
  readonly restartMs: number
  readonly memoryBytes: number
  /** What memory may have risen in the last life beyond its noise. */
  readonly riseBytesMax: number
  readonly report?: (text: string) => void
}

export interface SteadyResult {
  readonly written: Written
  readonly outcome: Outcome
  readonly kills: number
  readonly restarts: number
  /** Of the last life. */
  readonly ledger: LedgerSums
  readonly memory: Trend
  readonly peakAnonBytes: number
  readonly peakUsedBytes: number
  readonly oomKills: number
  readonly limited: boolean
  readonly agentCpuShare: number
  readonly lagLinesMax: number
  readonly durationMs: number
  /** Empty when every line is there once, the ledger balances, memory does not rise, and nobody died by itself. */
  readonly fault: string
}

const killsShare = 0.1
/** Of the last life: caches fill, code is compiled. */
const warmUpShare = 0.2
const samplesWanted = 4_000
const sampleMsMin = 250
const scrapeMs = 10_000
const restartDownMs = { min: 100, max: 8_000 }
const settledMsMax = 10_000
const reportMs = 60_000

/**
 * One agent for hours under random load, rotation both ways, and a server that goes away again and again: every line is
 * there once, its own account balances, and its memory is at the end what it was at the beginning.
 */
export async function runSteady(options: SteadyOptions, destination: NullSink): Promise<SteadyResult> {
  const { directory, seed, seconds, kills, mode, lineBytes, bytesPerSecond, rotateMs, keep, memoryBytes } = options
  const random = new Random(seed ^ 0x57ead)
  const logs = path.join(directory, 'logs')
  fs.mkdirSync(logs, { recursive: true })
  const gate = await Gate.before(Number(new URL(destination.url).port))
  const start = () =>
    LivingAgent.start({
      memoryBytes,
      outputPath: path.join(directory, 'agent.out'),
      env: {
        REMORA_PATHS: `${logs}/*.log`,
        REMORA_STATE_DIR: path.join(directory, 'state'),
        REMORA_ELASTICSEARCH_URL: `http://127.0.0.1:${gate.port}`,
        REMORA_INDEX: 'steady',
        REMORA_POD_UID: `steady-${seed}`,
        REMORA_LOG_LEVEL: 'info',
      },
    })
  const startedMs = performance.now()
  const endMs = startedMs + seconds * 1_000
  const file = { path: path.join(logs, 'app.log'), mode, seed, lineBytes, bytesPerSecond, rotateMs, keep }
  const writer = new WriterProcess({ ...file, isRandomLoad: true })
  const faults: string[] = []
  let agent: LivingAgent | undefined
  let oomKills = 0
  const over = new AbortController()
  let server = Promise.resolve(0)
  try {
    await gate.open()
    agent = await start()
    let killed = 0
    while (killed < kills) {
      await delay(random.between(1, Math.max(1, (seconds * 1_000 * killsShare * 2) / kills)))
      mustLive(agent)
      await agent.end('SIGKILL')
      oomKills += agent.oomKills
      agent = await start()
      killed++
    }
    await agent.answers()
    options.report?.(`${killed} kills in ${seconds1(performance.now() - startedMs)} s; the last life begins`)
    server = restarts(gate, random, options.restartMs, over.signal)
    const watched = await watch(agent, options, endMs, async () => destination.lag(writer.progress))
    over.abort()
    const restarted = await server
    await gate.open()
    const written = await writer.stop()
    await drained(written, destination)
    mustLive(agent)
    const ledger = await settled(agent)
    faults.push(ledgerFault(ledger))
    const exit = await agent.end('SIGTERM')
    oomKills += agent.oomKills
    if (exit !== 'code 0') faults.push(`after SIGTERM the agent ended with ${exit}: ${agent.lastWords()}`)
    if (oomKills > 0) faults.push(`${oomKills} processes killed for lack of memory`)
    const outcome = await destination.outcome(written)
    faults.push(faultOf(outcome))
    const memory = trendOf(watched.samples)
    if (memory.rise > Math.max(memory.noise, options.riseBytesMax))
      faults.push(`memory rises: ${JSON.stringify(memory)}`)
    return {
      ...watched.peaks,
      written,
      outcome,
      kills: killed,
      restarts: restarted,
      ledger,
      memory,
      oomKills,
      limited: agent.limited,
      durationMs: performance.now() - startedMs,
      fault: faults.filter((text) => text !== '').join('; '),
    }
  } finally {
    over.abort()
    await server
    writer.kill()
    if (agent?.alive === true) await agent.end('SIGKILL')
    await gate.shut()
  }
}

/** @throws Error when it has ended: then there is neither an account nor a trend to tell of */
function mustLive(agent: LivingAgent): void {
  if (agent.held() !== undefined) return
  const { exitCode, signalCode } = agent.child
  const end = signalCode === null ? `code ${exitCode}` : `signal ${signalCode}`
  const oom = agent.oomKills > 0 ? ', killed for lack of memory' : ''
  throw new Error(`the agent ended by itself with ${end}${oom}; its last words: ${agent.lastWords()}`)
}

/** Goes away at random moments for a random time, connections reset in the middle of whatever they carry. */
async function restarts(gate: Gate, random: Random, meanMs: number, signal: AbortSignal): Promise<number> {
  let count = 0
  for (;;) {
    await quietly(delay(-Math.log(1 - random.next()) * meanMs, undefined, { signal }))
    if (signal.aborted) return count
    await gate.shut()
    await quietly(delay(random.between(restartDownMs.min, restartDownMs.max), undefined, { signal }))
    await gate.open()
    count++
  }
}

async function quietly(wait: Promise<unknown>): Promise<void> {
  try {
    await wait
  } catch {
    // Over before its time.
  }
}

interface Watched {
  readonly samples: readonly Sample[]
  readonly peaks: Pick<SteadyResult, 'peakAnonBytes' | 'peakUsedBytes' | 'lagLinesMax' | 'agentCpuShare'>
}

/** Looks at its memory until the time is over, and scrapes it as a cluster does: that costs memory too. */
async function watch(
  agent: LivingAgent,
  options: SteadyOptions,
  endMs: number,
  lag: () => Promise<number>,
): Promise<Watched> {
  const fromMs = performance.now()
  const sampleMs = Math.max(sampleMsMin, (endMs - fromMs) / samplesWanted)
  const warmMs = fromMs + (endMs - fromMs) * warmUpShare
  const samples: Sample[] = []
  let [peakAnonBytes, peakUsedBytes, lagLinesMax] = [0, 0, 0]
  let [scrapeAtMs, reportAtMs] = [fromMs, fromMs + reportMs]
  let cpuUs = 0
  for (let atMs = fromMs; atMs < endMs; atMs = performance.now()) {
    const held = agent.held()
    if (held === undefined) {
      mustLive(agent)
      break
    }
    peakAnonBytes = Math.max(peakAnonBytes, held.anonBytes)
    peakUsedBytes = Math.max(peakUsedBytes, held.usedBytes)
    if (atMs >= warmMs) samples.push({ atMs, value: held.anonBytes })
    if (atMs >= scrapeAtMs) {
      scrapeAtMs = atMs + scrapeMs
      const sums = ledgerFrom(await scrape(agent))
      if (!isBalanced(sums)) throw new Error(`the ledger does not balance: ${JSON.stringify(sums)}`)
      lagLinesMax = Math.max(lagLinesMax, await lag())
      cpuUs = agent.cpuUs()
    }
    if (atMs >= reportAtMs) {
      reportAtMs = atMs + reportMs
      options.report?.(
        `${seconds1(endMs - atMs)} s left, ${mib(held.anonBytes)} MiB anonymous, at most ${lagLinesMax} lines behind`,
      )
    }
    await delay(sampleMs)
  }
  const agentCpuShare = cpuUs / 1_000 / Math.max(1, performance.now() - fromMs)
  return { samples, peaks: { peakAnonBytes, peakUsedBytes, lagLinesMax, agentCpuShare } }
}

/** What cannot be scraped has ended, as a rule. */
async function scrape(agent: LivingAgent): Promise<ReadonlyMap<string, number>> {
  try {
    return await agent.metrics()
  } catch (error) {
    await delay(500)
    mustLive(agent)
    throw error
  }
}

/** Its account, when no answer is awaited any more; the last one when that does not come. */
async function settled(agent: LivingAgent): Promise<LedgerSums> {
  const untilMs = performance.now() + settledMsMax
  for (;;) {
    const sums = ledgerFrom(await scrape(agent))
    if (sums.held === 0 || performance.now() > untilMs) return sums
    await delay(100)
  }
}

const seconds1 = (ms: number) => (ms / 1_000).toFixed(0)
const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

/** For a person, one line. */
export function saySteady(result: SteadyResult): string {
  const { written, outcome, memory, ledger, durationMs } = result
  const perHour = [memory.perHour, memory.perHourLow, memory.perHourHigh].map((bytes) => mib(bytes))
  return (
    `${seconds1(durationMs)} s, ${result.kills} kills, ${result.restarts} restarts of the server, ${written.rotations} rotations, ` +
    `${written.lines} lines (${(written.bytes / 1e6 / (written.durationMs / 1e3)).toFixed(2)} MB/s, at most ${result.lagLinesMax} behind): ` +
    `lost ${outcome.lost}, twice ${outcome.duplicates}, ledger ${ledger.read} read, ${ledger.acknowledged} acknowledged, ${ledger.held} held; ` +
    `memory ${perHour[0]} MiB an hour (99 %: ${perHour[1]} to ${perHour[2]}), risen by ${mib(memory.rise)} MiB, noise ${mib(memory.noise)}, ` +
    `peak ${mib(result.peakAnonBytes)} anonymous${result.limited ? '' : ' (nothing limited it)'}, ${result.oomKills} out of memory, ` +
    `CPU ${(result.agentCpuShare * 100).toFixed(1)} % of a core` +
    (result.fault === '' ? '' : `\nFAULT ${result.fault}`)
  )
}
