import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sleep, systemClock } from '../src/base/clock.ts'
import { cgroupsAvailable, cgroupVersion } from '../src/bench/machine/cgroup.ts'
import { LivingAgent } from './living.ts'
import { ensureLog, type LogFile } from './log.ts'
import { onExit } from '../src/bench/machine/process.ts'
import { limitedSpeedBudget, spreadText } from './report.ts'
import { SinkProcess } from './sink-client.ts'
import { type Spread, spreadOf } from '../src/bench/stats.ts'

/**
 * The memory limit of a running agent lowered under full load, as Kubernetes does when a Pod is resized in place: whether
 * it survives, and how fast it is afterwards, by one that was started with the lower limit.
 */
export interface ShrinkRun {
  /** Of the log, over the last part of it: after the lowering. */
  readonly bytesPerSecond: number
  /** From the first try to the limit being what it should be; undefined: it was started so. */
  readonly loweredMs: number | undefined
  /** Tries that the kernel refused, for it could not take so much back (v1). */
  readonly refusals: number
  readonly peakUsedBytes: number
  readonly oomKills: number
  /** Empty when every line arrived. */
  readonly failure: string
}

const mebibyte = 1024 * 1024
const limit = { from: 128 * mebibyte, to: 64 * mebibyte }
const forms = { short: { rounds: 2, files: 4 }, long: { rounds: 5, files: 10 } }
const logBytes = 256 * mebibyte
const seed = 1
/** Shares of the lines: when the limit is lowered, and from where on speed is measured. */
const shares = { lower: 0.2, measure: 0.4 }
/** Of the lines, what must be left when the limit is lowered. */
const partMin = 0.3
const lowerMsMax = 30_000
const runMsMax = 600_000
/** Above what is held, for the limit that comes before the one that the kernel refuses. */
const nearBytes = 2 * mebibyte

/**
 * Lowers the limit, and meanwhile as near to it as the kernel lets it go: so the agent sees it fall, and may follow. cgroup v1
 * refuses what is less than is held; v2 takes any limit, and kills where nothing can be taken back: there it is one step.
 */
export async function lowerLimit(
  agent: Pick<LivingAgent, 'alive' | 'held' | 'limitMemory'>,
  fromBytes: number,
  toBytes: number,
  pause: () => Promise<void>,
): Promise<{ readonly refusals: number; readonly done: boolean }> {
  let [nowBytes, refusals] = [fromBytes, 0]
  const untilMs = performance.now() + lowerMsMax
  while (agent.alive && performance.now() < untilMs) {
    if (agent.limitMemory(toBytes)) return { refusals, done: true }
    refusals++
    const near = Math.max(toBytes, (agent.held()?.usedBytes ?? nowBytes) + nearBytes)
    if (near < nowBytes && agent.limitMemory(near)) nowBytes = near
    await pause()
  }
  return { refusals, done: false }
}

async function shipAll(
  directory: string,
  files: number,
  log: LogFile,
  sink: SinkProcess,
  isSecure: boolean,
  fromBytes: number,
): Promise<ShrinkRun> {
  await sink.reset()
  const run = mkdtempSync(join(directory, 'run-'))
  const agent = await LivingAgent.start({
    memoryBytes: fromBytes,
    outputPath: join(run, 'agent.out'),
    env: {
      REMORA_PATHS: join(directory, 'logs', '*.log'),
      REMORA_STATE_DIR: join(run, 'state'),
      REMORA_ELASTICSEARCH_URL: sink.url,
      REMORA_POD_UID: 'shrink',
      ...(isSecure && sink.secureEnv),
    },
  })
  const gone = new AbortController()
  let peakUsedBytes = 0
  const sampler = setInterval(() => {
    const held = agent.held()
    if (held === undefined) gone.abort()
    else peakUsedBytes = Math.max(peakUsedBytes, held.usedBytes)
  }, 50)
  const lines = log.lines * files
  const wait = (documents: number) => sink.waitFor(documents, runMsMax, gone.signal)
  let [loweredMs, refusals, isLowered]: [number | undefined, number, boolean] = [undefined, 0, true]
  try {
    if (fromBytes !== limit.to) {
      await wait(Math.floor(lines * shares.lower))
      const startMs = performance.now()
      const lowered = await lowerLimit(agent, fromBytes, limit.to, () => sleep(systemClock, 100))
      loweredMs = performance.now() - startMs
      ;({ refusals, done: isLowered } = lowered)
    }
    const half = await wait(Math.floor(lines * shares.measure))
    const all = await wait(lines)
    clearInterval(sampler)
    const exit = await agent.end('SIGTERM')
    const seconds = (all.lastAtMs - half.lastAtMs) / 1_000
    const part = (all.documents - half.documents) / lines
    const isWhole = all.documents === lines
    const wrong = [
      isLowered ? '' : `the limit could not be lowered in ${lowerMsMax / 1_000} s: too much is held`,
      part > partMin || !isWhole ? '' : 'it was lowered too late: too little of the log was left',
      isWhole ? '' : `${all.documents} of ${lines} lines`,
      all.failure,
      agent.oomKills > 0 ? `${agent.oomKills} processes killed for lack of memory` : '',
      exit === 'code 0' ? '' : `the agent ended with ${exit}: ${agent.lastWords()}`,
    ]
    return {
      bytesPerSecond: isWhole ? (log.bytes * files * part) / seconds : 0,
      loweredMs,
      refusals,
      peakUsedBytes,
      oomKills: agent.oomKills,
      failure: wrong.filter((text) => text !== '').join('; '),
    }
  } finally {
    clearInterval(sampler)
    if (agent.alive) await agent.end('SIGKILL')
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      tls: { type: 'boolean', default: false },
    },
  })
  const can = cgroupsAvailable()
  if (!can.available) throw new Error(`nothing could be limited, so nothing was measured: ${can.reason}`)
  const form = values.short ? forms.short : forms.long
  const wanted = Number(values.rounds ?? form.rounds)
  const log = ensureLog(seed, logBytes)
  const directory = mkdtempSync(join(tmpdir(), 'remora-shrink-'))
  const remove = onExit(() => rmSync(directory, { recursive: true, force: true }))
  const sink = await SinkProcess.start(false)
  const rounds: { readonly lowered: ShrinkRun; readonly small: ShrinkRun }[] = []
  try {
    mkdirSync(join(directory, 'logs'))
    for (let n = 0; n < form.files; n++) copyFileSync(log.path, join(directory, 'logs', `${n}.log`))
    for (let round = 0; round < wanted; round++) {
      const lowered = await shipAll(directory, form.files, log, sink, values.tls, limit.from)
      const small = await shipAll(directory, form.files, log, sink, values.tls, limit.to)
      rounds.push({ lowered, small })
    }
  } finally {
    await sink.stop()
    remove()
  }
  const good = rounds.filter(({ lowered, small }) => lowered.failure === '' && small.failure === '')
  const ratio: Spread | undefined =
    good.length === 0
      ? undefined
      : spreadOf(good.map(({ lowered, small }) => lowered.bytesPerSecond / small.bytesPerSecond))
  const failures = rounds
    .flatMap(({ lowered, small }) => [lowered.failure, small.failure])
    .filter((text) => text !== '')
  const kept = failures.length === 0 && ratio !== undefined && ratio.median >= limitedSpeedBudget
  process.stdout.write(`${JSON.stringify({ rounds, ratio, kept })}\n`)
  const all = rounds.map(({ lowered }) => lowered)
  process.stdout.write(
    `shrink     from 128 to 64 MiB under full load${values.tls ? ' over https' : ''}, ${rounds.length} rounds: ${ratio === undefined ? 'no' : spreadText(ratio, 1, 2)} of the speed of one started at 64, ` +
      `lowered (cgroup v${cgroupVersion()}) in ${all.map(({ loweredMs }) => ((loweredMs ?? 0) / 1_000).toFixed(1)).join(', ')} s, refused ${all.map(({ refusals }) => refusals).join(', ')} times, ` +
      `${all.reduce((sum, { oomKills }) => sum + oomKills, 0)} out of memory: ${kept ? 'kept' : 'NOT KEPT'}` +
      `${failures.map((text) => `\nFAILED     ${text}`).join('')}\n`,
  )
  return kept ? 0 : 1
}

if (import.meta.main) process.exitCode = await main()
