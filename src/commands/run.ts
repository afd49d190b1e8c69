import { randomUUID } from 'node:crypto'
import { isatty } from 'node:tty'
import { fieldsOf, makeLogger, textOf, whenWritten, type Logger, type Notice } from '../admin/logger.ts'
import { makeMetrics, type Metrics } from '../admin/metrics.ts'
import { Quieting } from '../admin/quieting.ts'
import { Recent, remember } from '../admin/recent.ts'
import { startAdmin } from '../admin/server.ts'
import { Agent, type Summary, type World } from '../agent.ts'
import { systemClock } from '../base/clock.ts'
import { LoadReader } from '../base/load.ts'
import { systemDisk } from '../base/disk.ts'
import { messageOf, RemoraError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { MemoryGauge } from '../base/memory.ts'
import { openFilesBudget } from '../base/open-files.ts'
import { OwnOutput } from '../base/own-output.ts'
import { systemVolumeDisk } from '../base/volume-disk.ts'
import { Discretion } from '../check/discretion.ts'
import { loadSettings, type Env } from '../config/load.ts'
import { explainProblems } from '../config/problem.ts'
import { readSettingFile } from '../config/read-file.ts'
import type { Settings } from '../config/types.ts'
import { watchDirectories } from '../discover/watch.ts'
import type { MemoryPlan } from '../queue/plan.ts'
import { bulkTargetOf } from '../ship/bulk-target.ts'
import { isInPlace, setUp } from '../setup/act.ts'
import { askOver } from '../setup/ask.ts'
import { sendAfterSetup } from '../setup/gate.ts'
import { saidOf } from '../setup/texts.ts'
import { wishOf } from '../setup/wanted.ts'
import { makeLookup } from '../ship/lookup.ts'
import { wireTo } from '../ship/letters/wire.ts'
import type { Connections } from '../ship/connections.ts'
import { makeSend, type Send } from '../ship/transport.ts'
import { version } from '../version.ts'
import { farewell } from './farewell.ts'
import { connectionsFor } from './connections.ts'
import { explainPlan, leastPlanFor, planFor } from './plan.ts'
import { stayInPod } from './refusal.ts'
import type { Signals } from './signals.ts'

/** `remora run`: ships until it is told to stop. @returns the exit code */
export async function runCommand(env: Env, signals: Signals): Promise<number> {
  const code = await ship(env, signals)
  if (code === 2) await stayInPod(env, systemClock, signals.first)
  return code
}

async function ship(env: Env, signals: Signals): Promise<number> {
  const { settings, problems, notices } = loadSettings(env, readSettingFile)
  if (settings === undefined) {
    process.stderr.write(explainProblems(problems))
    return 2
  }
  if (settings.elasticsearchUrls.length === 0) {
    process.stderr.write(
      'REMORA_ELASTICSEARCH_URL is not set, so there is nowhere to ship to.\n  Set it to the address of your cluster, e.g. https://elasticsearch:9200, or try `remora demo`.\n',
    )
    return 2
  }
  let plan: MemoryPlan
  try {
    plan = planFor(settings)
  } catch (error) {
    if (!(error instanceof RemoraError)) throw error
    process.stderr.write(`${error.message}.\n  ${error.wayOut}\n`)
    return 2
  }

  const quieting = new Quieting(systemClock)
  const logger = makeLogger(settings.logLevel, { ...looksOf(settings, env), quieting })
  const recent = new Recent(systemClock)
  remember(logger, recent)
  logger.info({ 'event.code': 'START' }, `Remora ${version} ships ${settings.paths.join(', ')} to ${settings.target}`)
  logger.info({ 'event.code': 'MEMORY_PLAN' }, `memory: ${explainPlan(plan)}`)
  for (const notice of notices) logger.warn({ 'event.code': 'NOTICE' }, notice)

  const letterIndex = settings.deadLetterIndex
  // One more, so that a question which hangs keeps no documents waiting; and one for dead letters.
  const sockets = plan.concurrency + (letterIndex === undefined ? 1 : 2)
  const connections = connectionsFor(settings, env, sockets, logger)
  const { target, pipeline, routing, requestTimeoutMs } = settings
  const send = makeSend(connections, bulkTargetOf(target, pipeline, routing), requestTimeoutMs)
  // At the end nobody waits for an answer about templates.
  const over = new AbortController()
  const load = new LoadReader()
  const world: World = {
    disk: systemDisk,
    volumeDisk: systemVolumeDisk,
    clock: systemClock,
    load: () => load.read(),
    random: Math.random,
    newInstanceId: randomUUID,
    watch: watchDirectories,
    memory: memoryOf(settings),
    openFilesMax: openFilesBudget(),
    ownOutput: new OwnOutput(systemDisk),
    send: settings.setup === 'once' ? setupFirst(connections, settings, logger, send, over.signal) : send,
    lookup: makeLookup(connections, target, requestTimeoutMs, routing),
    letterWire: letterIndex === undefined ? undefined : wireTo(connections, letterIndex, requestTimeoutMs),
    yield: () => new Promise((resolve) => setImmediate(resolve)),
  }
  const metrics = makeMetrics(version, () => agent.figures())
  const agent = new Agent({
    settings,
    plan,
    world,
    logger,
    request: (...args) => metrics.request(...args),
    unsaid: () => quieting.unsaid,
    timed: (...args) => metrics.timed(...args),
  })
  connections.onChanged(() => agent.reconnected())
  // Probes and signals are answered although the state directory may hang.
  const started = agent.start()
  let stuck = false
  const admin = await listen(settings, agent, metrics, recent, logger)
  try {
    const ending = await Promise.race([signals.first, agent.failed, started.then(() => new Promise(() => {}))])
    if (typeof ending === 'string') {
      logger.info(
        { 'event.code': 'STOPPING' },
        `${ending}: reading to the end of every file, ${settings.shutdownGraceMs / 1000} s at most; a second signal stops at once`,
      )
    }
    const summary = await agent.stop(settings.shutdownGraceMs, signals.second)
    sayGoodbye(summary, logger)
    stuck = summary.checkpoint === 'hanging'
    return summary.failure === undefined && !stuck ? 0 : 1
  } finally {
    over.abort()
    await admin?.close()
    if (stuck) leave(logger)
    await connections.close()
  }
}

/** Source of NO_COLOR: https://no-color.org */
function looksOf({ logFormat }: Settings, env: Env) {
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && isatty(1))
  return { pretty, coloured: pretty && isatty(1) && !env['NO_COLOR'] && env['TERM'] !== 'dumb' }
}

function memoryOf(settings: Settings): World['memory'] {
  const gauge = new MemoryGauge(settings.memoryLimitBytes)
  return {
    sample: () => gauge.sample(),
    collect(compactly = false) {
      if (compactly) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      else globalThis.gc?.()
      return globalThis.gc !== undefined
    },
    heapBytes: () => process.memoryUsage().heapUsed,
    plan: (limit) => planFor(settings, limit),
    leastPlan: (limit) => leastPlanFor(settings, limit),
  }
}

/** Templates come before the first documents. */
function setupFirst(connections: Connections, settings: Settings, logger: Logger, send: Send, over: AbortSignal): Send {
  const ask = askOver(connections, settings.requestTimeoutMs, over)
  const wish = wishOf(settings)
  // What the server says of a template is repeated, and whoever answers there was shown the credentials.
  const discretion = new Discretion(settings)
  return sendAfterSetup({
    send,
    attempt: async () => (await isInPlace(ask, wish)) ?? setUp(ask, wish, false),
    answers: async () => (await ask('GET', '/')).kind === 'answered',
    over: (outcome) => {
      const { level, notice } = saidOf(outcome, settings.target)
      logger[level](fieldsOf(notice), discretion.hide(textOf(notice)))
    },
  })
}

/**
 * Ends the process although the disk holds one of its threads: `exit` would wait for that thread, and a process 1 cannot
 * kill itself. Another program in its place ends at once.
 */
function leave(logger: Logger): void {
  whenWritten(logger, systemClock, limits.shutdownMessageMs / 2, () =>
    process.execve?.(process.execPath, [process.execPath, '--eval', 'process.exit(1)'], {}),
  )
}

/** Loaded when somebody looks. */
const status = () => import('../agent/status.ts')

async function listen(settings: Settings, agent: Agent, metrics: Metrics, recent: Recent, logger: Logger) {
  if (settings.adminPort === 0) return undefined
  const { target, podName: pod, podNamespace: namespace, nodeName: node, serviceName: service } = settings
  const place = { target, pod, namespace, node, service }
  const startedAtMs = systemClock.nowMs() - process.uptime() * 1000
  const view = { version, startedAtMs, clock: systemClock, place, agent, metrics, recent }
  const routes = {
    ready: () => ({ ready: agent.isReady, detail: { ready: agent.isReady, ...agent.detail } }),
    metrics: (accept: string | undefined) => metrics.text(accept),
    page: async (find: string) => (await status()).pageNow(view, find),
    status: async (find: string) => (await status()).statusNow(view, find),
  }
  const say = (level: 'info' | 'warn') => (notice: Notice) => logger[level](fieldsOf(notice), textOf(notice))
  return startAdmin(settings.adminPort, routes, say('warn'), { info: say('info'), hasRoom: () => agent.hasRoom() })
}

function sayGoodbye(summary: Summary, logger: Logger): void {
  const { failure } = summary
  if (failure !== undefined) {
    logger.fatal(
      { 'event.code': 'BUG', err: failure instanceof Error ? failure.stack : messageOf(failure) },
      `Remora stops because of a fault in itself: ${messageOf(failure, 2_000)}. The checkpoint is the last good one; please report this`,
    )
  }
  const { level, code, fields, text } = farewell(summary)
  logger[level]({ 'event.code': code, ...fields }, text)
}
