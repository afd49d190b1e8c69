import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, RemoraError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { placeFor } from './agent/place.ts'
import { RunningAgent } from './agent/running.ts'
import { nowMs, Sampler, type Seen } from './agent/sampler.ts'
import { cpuSecondsPerGB } from './cpu-cost.ts'
import { drain } from './drain.ts'
import { freePort, onExit } from './machine/process.ts'
import { temporaryDirectory } from './machine/temporary.ts'
import type { Program } from './program.ts'
import { mustHaveRoom, neededBytes } from './room.ts'
import type { Target, Writer, Written } from './target.ts'
import type { Account, Destination, Enforcement, RunPlan, RunResult, Workload } from './types.ts'
import { failureOf, oomKilledText } from './verdict.ts'

/** What a run is made of beside the agent; in tests, others. */
export interface Parts {
  /** @param logs  a directory, for what is written */
  writer(workload: Workload, logs: string): Promise<Writer>
  target(destination: Destination, workload: Workload): Promise<Target>
}

export interface RunOptions {
  readonly program: Program
  readonly parts: Parts
  readonly enforcement: Enforcement
  /** Ends the run early; then it throws. */
  readonly signal: AbortSignal
}

/** The last answer is on its way when the target has counted: the agent still has to check and to settle it. */
const settleMs = 100
const stopMsMax = 60_000
/** A writer that stands still longer writes nothing that would have had to wait: the latency would leave out the worst. */
const lateMsMax = 250
const stoodStillText = `in some runs the writer stood still for more than ${lateMsMax} ms, as something else used the machine: the rate was uneven, and these runs tell no latency`
const lookEveryMs = 20
/** Of bodies, with the settings that a small limit has. */
const largestOnTheWay = 8 << 20

const noAccount: Account = {
  writtenLines: 0,
  writtenBytes: 0,
  storedLines: 0,
  lostLines: 0,
  twiceLines: 0,
  againLines: 0,
  wrongLines: 0,
}

/**
 * One run: the target, the agent under its limits, the writer; the account of every line; all of it ended and removed.
 * What goes wrong is in `failure`.
 * @throws RemoraError where nothing could be measured at all, `NO_ROOM` where the disk is too small; the signal's reason when that aborts
 */
export async function run(plan: RunPlan, options: RunOptions): Promise<RunResult> {
  const directory = temporaryDirectory('run')
  const remove = onExit(() => rmSync(directory, { recursive: true, force: true }))
  try {
    mustHaveRoom(neededBytes(plan), directory)
    return await runIn(directory, plan, options)
  } finally {
    remove()
  }
}

async function runIn(directory: string, plan: RunPlan, { program, parts, enforcement, signal }: RunOptions) {
  const { workload, destination, settings } = plan
  const logs = join(directory, 'logs')
  const own = join(directory, 'agent')
  mkdirSync(logs)
  mkdirSync(own)
  const place = placeFor(enforcement, plan.limits, { logs, own })
  const undo: (() => Promise<void>)[] = [() => place.close()]
  let agent: RunningAgent | undefined
  let writer: Writer | undefined
  let sampler: Sampler | undefined
  const benchBefore = process.cpuUsage()
  try {
    const target = await parts.target(destination, workload)
    undo.push(() => target.close())
    writer = await parts.writer(workload, logs)
    // Its end is awaited below; until then a rejection must not end the bench.
    writer.ended.catch(() => undefined)
    const isBacklog = workload.rate.kind === 'backlog'
    if (isBacklog) await writer.begin()
    const adminPort = program.name === 'remora' ? await freePort() : 0
    const given = { ...target.settings, ...settings }
    const command = await program.command({
      directory: own,
      logs,
      url: given['REMORA_ELASTICSEARCH_URL'] ?? '',
      index: given['REMORA_INDEX'] ?? '',
      settings: given,
      adminPort,
    })
    agent = new RunningAgent(command, place, own, adminPort)
    sampler = new Sampler(agent, writer, target)
    if (isBacklog) await target.begin()
    await agent.ready(signal)
    if (!isBacklog) {
      await sampler.sleep(plan.warmUpMs, signal)
      sampler.begin(plan.warmUpMs > 0)
      await target.begin()
      await writer.begin()
    }
    const beganMs = nowMs()
    const marks = [
      ...plan.killsAtMs.map((atMs) => ({ atMs, act: () => agent!.killAndRestart() })),
      ...(plan.warmUpMs > 0 ? [{ atMs: plan.warmUpMs, act: () => warmUpEnds(target, sampler!) }] : []),
    ].toSorted((a, b) => a.atMs - b.atMs)
    const written = await watchWriter({ writer, agent, sampler, marks, beganMs, signal })
    const waitMs = { max: plan.drainMsMax, quiet: quietMsOf(plan) }
    const drained = await drain(written, waitMs, { agent, target, sampler, signal })
    await sampler.sleep(settleMs, signal)
    const seen = await sampler.finish()
    const stopped = await agent.stop(stopMsMax)
    const { oomKills } = agent.use()
    const arrived = await target.arrived()
    const account = await target.account(written)
    const isSteady = (written.lateMsMax ?? 0) <= lateMsMax
    const latency = isSteady ? await target.latency() : undefined
    const { user, system } = process.cpuUsage(benchBefore)
    const fromMs = isBacklog ? arrived.firstAtMs : written.firstAtMs
    const wallMs = arrived.lastAtMs === 0 ? 0 : Math.max(1, arrived.lastAtMs - fromMs)
    // Where bytes are guessed, the account knows better.
    const storedShare = account.storedLines / Math.max(1, account.writtenLines)
    const storedBytes = arrived.isGuess === true ? written.bytes * storedShare : arrived.storedBytes
    const moments = seen.moments.map((moment) => ({ ...moment, atMs: moment.atMs - written.firstAtMs }))
    const perGB = cpuSecondsPerGB({
      moments,
      warm: seen.warm,
      warmUpMs: plan.warmUpMs,
      isSteady: isUndisturbed(plan),
      cpuUs: seen.cpu.userUs + seen.cpu.systemUs,
      written,
    })
    const failure = failureOf({
      account,
      written,
      endedByItself: agent.endedByItself,
      stopped,
      oomKills,
      targetFailure: arrived.failure,
      drained,
    })
    return {
      account,
      bytesPerSecond: wallMs === 0 ? 0 : (storedBytes * 1_000) / wallMs,
      wallMs,
      cpu: seen.cpu,
      others: { sinkUs: arrived.cpuUs, writerUs: written.cpuUs, benchUs: user + system },
      cpuSecondsPerGB: perGB,
      cpuSecondsPerMillionLines: (perGB * written.bytes) / 1e3 / Math.max(1, written.lines),
      latency,
      memory: { ...seen.memory, oomKills },
      throttledMs: seen.throttledMs,
      moments,
      requests: arrived.requests,
      bodyBytes: arrived.bodyBytes,
      notes: isSteady ? [] : [stoodStillText],
      failure,
    } satisfies RunResult
  } catch (error) {
    if (signal.aborted || error instanceof RemoraError) throw error
    return failedRun(messageOf(error, 2_000), sampler?.end(), place.use().oomKills)
  } finally {
    sampler?.end()
    writer?.kill()
    if (agent?.isAlive === true) await agent.kill()
    await all(undo)
  }
}

async function warmUpEnds(target: Target, sampler: Sampler): Promise<void> {
  await target.measureFrom()
  sampler.warmedUp()
}

/** An agent that is refused waits by itself, and one request may take long on its way to a slow server. */
function quietMsOf({ destination }: RunPlan): number {
  const bytesPerSecond = destination.kind === 'null' ? destination.shape.bytesPerSecond : undefined
  return 2 * limits.overloadCapMs + (largestOnTheWay * 1_000) / (bytesPerSecond ?? Infinity)
}

function isUndisturbed({ workload, destination, killsAtMs }: RunPlan): boolean {
  const isAway = destination.kind === 'null' && destination.shape.outages.length > 0
  return workload.rate.kind === 'fixed' && killsAtMs.length === 0 && !isAway
}

/** Each, whatever the others do; what the first of them throws is thrown then, for something of the user's may be left. */
async function all(acts: readonly (() => Promise<void>)[]): Promise<void> {
  const ended = await Promise.allSettled(acts.map((act) => act()))
  for (const each of ended) if (each.status === 'rejected') throw each.reason
}

interface Watched {
  readonly writer: Writer
  readonly agent: RunningAgent
  readonly sampler: Sampler
  /** In the order of their times, ms after the writer's first line. */
  readonly marks: readonly { readonly atMs: number; readonly act: () => Promise<void> }[]
  readonly beganMs: number
  readonly signal: AbortSignal
}

/** Until the writer has ended, or the agent has: then more need not be written. */
async function watchWriter({ writer, agent, sampler, marks, beganMs, signal }: Watched): Promise<Written> {
  const over = new AbortController()
  const ended = writer.ended.finally(() => over.abort())
  // What it throws is thrown below.
  ended.catch(() => undefined)
  const left = [...marks]
  while (!over.signal.aborted) {
    signal.throwIfAborted()
    if (!agent.isAlive) writer.stop()
    const next = left[0]
    if (next !== undefined && nowMs() - beganMs >= next.atMs) {
      left.shift()
      await next.act()
    }
    await sampler.sleep(lookEveryMs, signal)
  }
  return ended
}

function failedRun(failure: string, seen: Seen | undefined, oomKills: number): RunResult {
  return {
    account: noAccount,
    bytesPerSecond: 0,
    wallMs: 0,
    cpu: seen?.cpu ?? { userUs: 0, systemUs: 0 },
    others: { sinkUs: 0, writerUs: 0, benchUs: 0 },
    cpuSecondsPerGB: 0,
    cpuSecondsPerMillionLines: 0,
    latency: undefined,
    memory: { peakBytes: 0, meanBytes: 0, ...seen?.memory, oomKills },
    throttledMs: seen?.throttledMs ?? 0,
    moments: [],
    requests: 0,
    bodyBytes: 0,
    failure: oomKills === 0 ? failure : `${oomKilledText(oomKills)}; ${failure}`,
  }
}
