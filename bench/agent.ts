import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep, systemClock } from '../src/base/clock.ts'
import { cleanEnv, endOf, freePort, onExit } from '../src/bench/machine/process.ts'
import { type Cpu, cpuOf, type Memory, memoryOf } from '../src/bench/machine/procfs.ts'
import type { SinkTotals } from './sink.ts'

/** Which program is measured, and with what beyond the settings every run has. */
export interface AgentProgram {
  /** Arguments of Node: flags, then the entry and its own. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface AgentPlan {
  readonly program: AgentProgram
  readonly logPath: string
  /** The run is over when the sink has counted so many. */
  readonly documents: number
  /** Starts it; Node's own `spawn` unless it is to run inside something. */
  readonly start?: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess
  /** Called with every sample of memory, for what else is to be looked at meanwhile. */
  readonly onSample?: () => void
}

/** What a receiver must know of what came in; times as in `SinkTotals`. */
export type Received = Pick<SinkTotals, 'documents' | 'firstAtMs' | 'lastAtMs' | 'failures' | 'failure'>

/** Where the agent sends to: the sink, or what stands for a server and counts as the sink does. */
export interface Receiver<T extends Received> {
  readonly url: string
  reset(): Promise<void>
  totals(): Promise<T>
  waitFor(documents: number, deadlineMs: number, signal: AbortSignal): Promise<T>
}

export interface AgentRun<T extends Received = SinkTotals> {
  /** Until the last document was answered and `settleMs` later; stopping is not counted. */
  readonly cpu: Cpu
  /** From the start of the process to the arrival of its first and its last bulk request. */
  readonly firstMs: number
  readonly wallMs: number
  /** The maximum of samples every 50 ms, and the kernel's high-water mark of the resident set. */
  readonly peak: Memory
  readonly sink: T
  /** Empty when the run was good; else why it does not count. */
  readonly failure: string
}

export const sampleMs = 50
/** The last answer is on its way when the sink has counted: the agent still has to check and to settle it. */
const settleMs = 50
const runMsMax = 300_000
const stopMsMax = 30_000
const podUid = '6f1c2f0a-9f5e-4a5e-8d53-7c1d2b8e4f60'

/** Runs the agent once on one file, into a sink that was just reset. Never throws for what the agent does wrong. */
export async function runAgent<T extends Received>(plan: AgentPlan, sink: Receiver<T>): Promise<AgentRun<T>> {
  await sink.reset()
  const dir = mkdtempSync(join(tmpdir(), 'remora-bench-run-'))
  const outputPath = join(dir, 'agent.out')
  const output = openSync(outputPath, 'w')
  const remove = onExit(() => rmSync(dir, { recursive: true, force: true }))
  try {
    const env = cleanEnv({
      REMORA_PATHS: plan.logPath,
      REMORA_STATE_DIR: join(dir, 'state'),
      REMORA_ELASTICSEARCH_URL: sink.url,
      REMORA_POD_UID: podUid,
      REMORA_ADMIN_PORT: String(await freePort()),
      ...plan.program.env,
    })
    const start = plan.start ?? spawn
    const startedAtMs = systemClock.nowMs()
    const child = start(process.execPath, plan.program.args, { stdio: ['ignore', output, output], env })
    const kill = onExit(() => child.kill('SIGKILL'))
    const observed = await observe(child, plan, sink).finally(kill)
    const { firstAtMs, lastAtMs } = observed.sink
    const failure = observed.failure === '' ? '' : `${observed.failure}${lastWords(outputPath)}`
    const since = (atMs: number) => (atMs === 0 ? 0 : atMs - startedAtMs)
    return { ...observed, failure, firstMs: since(firstAtMs), wallMs: since(lastAtMs) }
  } finally {
    closeSync(output)
    remove()
  }
}

type Observed<T extends Received> = Pick<AgentRun<T>, 'cpu' | 'peak' | 'sink' | 'failure'>

async function observe<T extends Received>(
  child: ChildProcess,
  plan: AgentPlan,
  sink: Receiver<T>,
): Promise<Observed<T>> {
  const pid = child.pid ?? -1
  let peak: Memory = { anonymousBytes: 0, rssBytes: 0, peakRssBytes: 0 }
  const sample = () => {
    try {
      peak = larger(peak, memoryOf(pid))
    } catch {
      // It has ended; its end is awaited below.
    }
    plan.onSample?.()
  }
  const sampler = setInterval(sample, sampleMs)
  const gone = new AbortController()
  const ended = endOf(child, runMsMax + stopMsMax).finally(() => gone.abort())
  let cpu: Cpu = { userUs: 0, systemUs: 0 }
  try {
    await sink.waitFor(plan.documents, runMsMax, gone.signal)
    // A start-up run ends at the first document, and must not count what comes after it.
    if (plan.documents > 1) await sleep(systemClock, settleMs)
    if (!gone.signal.aborted) cpu = cpuOf(pid)
    sample()
  } finally {
    clearInterval(sampler)
    child.kill('SIGTERM')
  }
  const hasStoppedEarly = gone.signal.aborted
  const patience = systemClock.after(stopMsMax, () => child.kill('SIGKILL'))
  const end = await ended
  patience.cancel()
  const totals = await sink.totals()
  return { cpu, peak, sink: totals, failure: failureOf(end, hasStoppedEarly, totals, plan.documents) }
}

function failureOf(end: string, hasStoppedEarly: boolean, totals: Received, documents: number): string {
  if (totals.failures > 0) return `the sink could not read a request: ${totals.failure}`
  if (hasStoppedEarly)
    return `the agent ended by itself with ${end} after ${totals.documents} of ${documents} documents`
  if (totals.documents !== documents) return `${totals.documents} documents arrived for ${documents} lines`
  if (end !== 'code 0') return `after SIGTERM the agent ended with ${end}`
  return ''
}

function larger(a: Memory, b: Memory): Memory {
  return {
    anonymousBytes: Math.max(a.anonymousBytes, b.anonymousBytes),
    rssBytes: Math.max(a.rssBytes, b.rssBytes),
    peakRssBytes: Math.max(a.peakRssBytes, b.peakRssBytes),
  }
}

function lastWords(path: string): string {
  const text = readFileSync(path, 'utf8').trim().slice(-1500)
  return text === '' ? '' : `\n  its last words: ${text}`
}
