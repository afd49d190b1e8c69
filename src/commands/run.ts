import { randomUUID } from 'node:crypto'
import { fieldsOf, makeLogger, textOf } from '../admin/logger.ts'
import { makeMetrics } from '../admin/metrics.ts'
import { startAdmin } from '../admin/server.ts'
import { Agent, type Summary, type World } from '../agent.ts'
import { systemClock } from '../base/clock.ts'
import { systemDisk } from '../base/disk.ts'
import { messageOf, RemoraError } from '../base/errors.ts'
import { loadSettings, type Env } from '../config/load.ts'
import { explainProblems } from '../config/problem.ts'
import { readSettingFile } from '../config/read-file.ts'
import { watchDirectories } from '../discover/watch.ts'
import type { MemoryPlan } from '../queue/plan.ts'
import { makeClient, makeSend } from '../ship/transport.ts'
import { version } from '../version.ts'
import { explainPlan, planFor } from './plan.ts'
import type { Signals } from './signals.ts'

/** `remora run`: ships until it is told to stop. @returns the exit code */
export async function runCommand(env: Env, signals: Signals): Promise<number> {
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

  const logger = makeLogger(settings.logLevel)
  logger.info({ 'event.code': 'START' }, `Remora ${version} ships ${settings.paths.join(', ')} to ${settings.target}`)
  logger.info({ 'event.code': 'MEMORY_PLAN' }, `memory: ${explainPlan(plan)}`)
  for (const notice of notices) logger.warn({ 'event.code': 'NOTICE' }, notice)

  const client = makeClient({
    urls: settings.elasticsearchUrls,
    apiKey: settings.apiKey,
    username: settings.username,
    password: settings.password,
    caFile: settings.caFile,
    requestTimeoutMs: settings.requestTimeoutMs,
    connections: plan.concurrency,
  })
  const world: World = {
    disk: systemDisk,
    clock: systemClock,
    random: Math.random,
    newInstanceId: randomUUID,
    watch: watchDirectories,
    send: makeSend(client, settings.target, settings.requestTimeoutMs),
    yield: () => new Promise((resolve) => setImmediate(resolve)),
  }
  const metrics = makeMetrics(version, () => agent.figures())
  const agent = new Agent({ settings, plan, world, logger, request: (...args) => metrics.request(...args) })
  await agent.start()
  const admin =
    settings.adminPort === 0
      ? undefined
      : await startAdmin(
          settings.adminPort,
          {
            ready: () => ({ ready: agent.isReady, detail: { ready: agent.isReady, elasticsearch: agent.health } }),
            metrics: () => metrics.text(),
          },
          (notice) => logger.warn(fieldsOf(notice), textOf(notice)),
        )

  const ending = await Promise.race([signals.first, agent.failed])
  const signal = typeof ending === 'string' ? ending : undefined
  if (signal !== undefined) {
    logger.info(
      { 'event.code': 'STOPPING' },
      `${signal}: reading to the end of every file, ${settings.shutdownGraceMs / 1000} s at most; a second signal stops at once`,
    )
  }
  const summary = await agent.stop(signal === undefined ? 0 : settings.shutdownGraceMs, signals.second)
  const { failure } = summary
  if (failure !== undefined) {
    logger.fatal(
      { 'event.code': 'BUG', err: failure instanceof Error ? failure.stack : messageOf(failure) },
      `Remora stops because of a fault in itself: ${messageOf(failure)}. The checkpoint is the last good one; please report this`,
    )
  }
  report(summary, logger)
  await admin?.close()
  await client.close()
  return failure === undefined ? 0 : 1
}

function report(summary: Summary, logger: ReturnType<typeof makeLogger>): void {
  const { ledger } = summary
  const account = `read ${ledger.readLines} lines, acknowledged ${ledger.acknowledgedLines} (${ledger.duplicateLines} were there already), dead-lettered ${ledger.deadLetteredLines}, lost ${ledger.lostLines}, held ${ledger.heldLines}`
  const figures = { remora: { ledger, unreadBytes: summary.unreadBytes, unreadFiles: summary.unreadFiles.length } }
  if (summary.heldLines === 0 && summary.unreadBytes === 0) {
    logger.info({ 'event.code': 'STOPPED', ...figures }, `stopped, everything is shipped: ${account}`)
    return
  }
  const files = summary.unreadFiles.slice(0, 10).join(', ')
  logger.warn(
    { 'event.code': 'STOPPED_WITH_REST', ...figures },
    `stopped: ${account}; ${summary.unreadBytes} bytes of ${summary.unreadFiles.length} files were not read${files === '' ? '' : ` (${files})`}. They are shipped after a restart of the container; with the Pod they are gone`,
  )
}
