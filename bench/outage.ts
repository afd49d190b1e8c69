import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sleep, systemClock } from '../src/base/clock.ts'
import { mibText } from '../src/queue/plan.ts'
import { Gate, type Slowness } from '../test/kit/gate.ts'
import { type NullSink, startNullSink } from '../test/kit/storm/destinations.ts'
import { ledgerFault, ledgerFrom } from '../test/kit/storm/ledger.ts'
import { faultOf } from '../test/kit/storm/tally.ts'
import { WriterProcess } from '../test/kit/storm/writer-process.ts'
import { LivingAgent } from './living.ts'
import { onExit } from '../src/bench/machine/process.ts'
import type { Sample } from '../src/bench/trend.ts'

/**
 * Elasticsearch gone, or ten times too slow, while the application goes on writing: how much memory the agent holds
 * meanwhile, and whether every line is there once afterwards. The server is the strict null sink behind a gate: it knows
 * every `_id` (8 bytes each) and every line (one byte), so that any number of lines is checked, not a sample.
 */
export interface OutageOptions {
  readonly kind: 'gone' | `slow-${Slowness['kind']}`
  /** Of the outage. The server is there before and after it. */
  readonly seconds: number
  /** What the application writes, into files that it rotates and keeps. */
  readonly bytesPerSecond: number
  readonly memoryBytes: number
}

export interface OutageResult extends OutageOptions {
  readonly lines: number
  readonly writtenBytes: number
  /** What the writer kept up, by what it was to write. */
  readonly writerShare: number
  readonly lost: number
  readonly twice: number
  /** Documents that were sent again and answered 409. */
  readonly again: number
  /** Largest sampled anonymous memory: while all was well, in the first and the last window of the outage, afterwards. */
  readonly anonBytes: { readonly before: number; readonly first: number; readonly last: number; readonly after: number }
  readonly windowSeconds: number
  /** With kernel and socket memory, in all. */
  readonly peakUsedBytes: number
  readonly oomKills: number
  readonly limited: boolean
  /** Written and not stored when the outage ended, and how long and how fast it was made good. */
  readonly behindLines: number
  readonly caughtUpMs: number
  readonly caughtUpBytesPerSecond: number
  /** Empty when the row is kept. */
  readonly failure: string
}

const lineBytes = 200
const rotateMs = 5_000
const keepAll = 1_000_000
const seed = 7
const sampleMs = 250
/** Of the outage, the windows that are compared: a minute of ten. */
const windowShare = 0.1
/** The server is there for so long first: code is compiled, and how large a document is gets known. */
const flowSecondsMin = 10
const riseBytesMax = 2 * 1024 * 1024
const writerShareMin = 0.95
const slowShare = 0.1
/** Slower than any agent catches up: then it hangs. */
const catchUpBytesPerSecondMin = 4e6
const quietMs = 2_000

export async function measureOutage(options: OutageOptions): Promise<OutageResult> {
  const { kind, seconds, bytesPerSecond, memoryBytes } = options
  const directory = mkdtempSync(join(tmpdir(), 'remora-outage-'))
  const remove = onExit(() => rmSync(directory, { recursive: true, force: true }))
  const logs = join(directory, 'logs')
  mkdirSync(logs)
  const flowSeconds = Math.max(flowSecondsMin, seconds / 20)
  const documents = (bytesPerSecond / lineBytes) * (seconds + flowSeconds)
  const sink = await startNullSink({ seed, lineBytes, anyText: false, documents })
  const gate = await Gate.before(Number(new URL(sink.url).port))
  await gate.open()
  const agent = await LivingAgent.start({
    memoryBytes,
    outputPath: join(directory, 'agent.out'),
    env: {
      REMORA_PATHS: `${logs}/*.log`,
      REMORA_STATE_DIR: join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: `http://127.0.0.1:${gate.port}`,
      REMORA_INDEX: 'outage',
      REMORA_POD_UID: 'outage',
    },
  })
  const file = { path: join(logs, 'app.log'), mode: 'rename', seed, lineBytes, bytesPerSecond, rotateMs } as const
  const writer = new WriterProcess({ ...file, keep: keepAll })
  const watching = new AbortController()
  try {
    await agent.answers()
    const watch = watchMemory(agent, watching.signal)
    await sleep(systemClock, flowSeconds * 1_000)
    const fromMs = performance.now()
    if (kind === 'gone') await gate.shut()
    else gate.slowness = await slownessOf(kind === 'slow-reads' ? 'reads' : 'answers', gate, sink, bytesPerSecond)
    await sleep(systemClock, seconds * 1_000)
    const toMs = performance.now()
    const written = await writer.stop()
    const { stored } = await sink.totals()
    gate.slowness = undefined
    await gate.open()
    const expected = written.lines + written.banners
    const patienceMs = 30_000 + (written.bytes / catchUpBytesPerSecondMin) * 1_000
    const arrived = await arrival(sink, agent, expected, patienceMs)
    const caughtUpMs = performance.now() - toMs
    await sleep(systemClock, quietMs)
    watching.abort()
    const { samples, peakUsedBytes } = await watch
    const ledger = agent.alive ? ledgerFault(ledgerFrom(await agent.metrics())) : ''
    const exit = await agent.end('SIGTERM')
    const outcome = await sink.outcome(written)
    const { again } = await sink.totals()
    const windowMs = seconds * 1_000 * windowShare
    const anonBytes = {
      before: peakOf(samples, 0, fromMs),
      first: peakOf(samples, fromMs, fromMs + windowMs),
      last: peakOf(samples, toMs - windowMs, toMs),
      after: peakOf(samples, toMs, Infinity),
    }
    const writerShare = written.bytes / ((written.durationMs / 1_000) * bytesPerSecond)
    const wrong = [
      faultOf(outcome),
      ledger,
      arrived ? '' : `nothing more came, or it took longer than ${(patienceMs / 1_000).toFixed(0)} s`,
      agent.limited ? '' : 'nothing limited it',
      agent.oomKills > 0 ? `${agent.oomKills} processes killed for lack of memory` : '',
      exit === 'code 0' ? '' : `the agent ended with ${exit}: ${agent.lastWords()}`,
      anonBytes.last <= anonBytes.first + riseBytesMax ? '' : 'anonymous memory is not flat',
      writerShare >= writerShareMin ? '' : `the writer kept up ${(writerShare * 100).toFixed(0)} % of its speed only`,
    ]
    return {
      ...options,
      lines: written.lines,
      writtenBytes: written.bytes,
      writerShare,
      lost: outcome.lost + outcome.bannersLost,
      twice: outcome.duplicates + outcome.bannersTooMany,
      again,
      anonBytes,
      windowSeconds: windowMs / 1_000,
      peakUsedBytes,
      oomKills: agent.oomKills,
      limited: agent.limited,
      behindLines: expected - stored,
      caughtUpMs,
      caughtUpBytesPerSecond: ((written.bytes / expected) * (expected - stored) * 1_000) / caughtUpMs,
      failure: wrong.filter((text) => text !== '').join('; '),
    }
  } finally {
    watching.abort()
    writer.kill()
    if (agent.alive) await agent.end('SIGKILL')
    await gate.shut()
    await sink.close()
    remove()
  }
}

/** A server with a tenth of the speed that the lines come with: in bytes of request, as they were until now. */
async function slownessOf(
  kind: Slowness['kind'],
  gate: Gate,
  sink: NullSink,
  bytesPerSecond: number,
): Promise<Slowness> {
  const { stored } = await sink.totals()
  const bytesPerLine = gate.bytes / Math.max(1, stored)
  return { kind, bytesPerSecond: (bytesPerSecond / lineBytes) * bytesPerLine * slowShare }
}

/** Until the signal, or until it has ended. */
async function watchMemory(
  agent: LivingAgent,
  signal: AbortSignal,
): Promise<{ readonly samples: Sample[]; readonly peakUsedBytes: number }> {
  const samples: Sample[] = []
  let peakUsedBytes = 0
  while (!signal.aborted) {
    const held = agent.held()
    if (held === undefined) break
    samples.push({ atMs: performance.now(), value: held.anonBytes })
    peakUsedBytes = Math.max(peakUsedBytes, held.usedBytes)
    await sleep(systemClock, sampleMs, signal)
  }
  return { samples, peakUsedBytes }
}

function peakOf(samples: readonly Sample[], fromMs: number, toMs: number): number {
  return samples.reduce((peak, { atMs, value }) => (atMs >= fromMs && atMs < toMs ? Math.max(peak, value) : peak), 0)
}

/** False: time is up, or the agent has ended. */
async function arrival(sink: NullSink, agent: LivingAgent, documents: number, mostMs: number): Promise<boolean> {
  const untilMs = performance.now() + mostMs
  while (performance.now() < untilMs && agent.alive) {
    if ((await sink.stored()) >= documents) return true
    await sleep(systemClock, 100)
  }
  return false
}

export function outageText(result: OutageResult): string {
  const { before, first, last, after } = result.anonBytes
  return (
    `outage     ${result.kind}, ${result.seconds} s, ${(result.bytesPerSecond / 1e6).toFixed(0)} MB/s, ` +
    `${result.limited ? mibText(result.memoryBytes) : 'NOTHING LIMITED IT'}: anonymous ${mibText(before)} before, ${mibText(first)} in the first ` +
    `${result.windowSeconds} s, ${mibText(last)} in the last, ${mibText(after)} afterwards (peak with kernel ${mibText(result.peakUsedBytes)}), ` +
    `${result.oomKills} out of memory; ${result.lost} of ${result.lines} lines lost, ${result.twice} twice; ${result.behindLines} behind, ` +
    `caught up in ${(result.caughtUpMs / 1_000).toFixed(1)} s at ${(result.caughtUpBytesPerSecond / 1e6).toFixed(0)} MB/s: ` +
    (result.failure === '' ? 'kept' : `NOT KEPT\nFAILED     ${result.failure}`)
  )
}

const forms = { short: { seconds: 60, megabytes: 2 }, long: { seconds: 600, megabytes: 20 } }
const kinds = ['gone', 'slow-reads', 'slow-answers'] as const

function kindOf(text: string): OutageOptions['kind'] {
  const kind = kinds.find((each) => each === text)
  if (kind === undefined) throw new Error(`--kind is one of ${kinds.join(', ')}, not ${text}`)
  return kind
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kind: { type: 'string', default: 'gone' },
      short: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      memory: { type: 'string', default: '64' },
    },
  })
  const form = values.short ? forms.short : forms.long
  const result = await measureOutage({
    kind: kindOf(values.kind),
    seconds: Number(values.seconds ?? form.seconds),
    bytesPerSecond: Number(values.rate ?? form.megabytes) * 1e6,
    memoryBytes: Number(values.memory) * 1024 * 1024,
  })
  process.stdout.write(`${JSON.stringify(result)}\n${outageText(result)}\n`)
  process.exitCode = result.failure === '' ? 0 : 1
}
