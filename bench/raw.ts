import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cgroupsAvailable } from '../src/bench/machine/cgroup.ts'
import { systemClock } from '../src/base/clock.ts'
import { messageOf } from '../src/base/errors.ts'
import { formatBytes } from '../src/base/units.ts'
import { type AgentPlan, type AgentRun, runAgent } from './agent.ts'
import { makeFloor, runFloor } from '../src/bench/floor/floor.ts'
import {
  limitedFiguresOf,
  type LimitedRun,
  limitsFault,
  runLimited,
  settingsFor,
  smallestWorking,
  standardSettings,
} from './limits.ts'
import { keptDir } from '../src/bench/machine/kept.ts'
import { ensureLog, type LogFile } from './log.ts'
import { evidenceBytesMin, help, type Options, parseOptions } from './options.ts'
import {
  figuresText,
  limitedRoundText,
  limitedSpeedBudget,
  limitedTable,
  megabytes,
  roundTable,
  spreadText,
  worksAtMebibytes,
} from './report.ts'
import { commitHere, machineHere } from '../src/bench/machine/facts.ts'
import { writeResults } from './results.ts'
import { alternate, figuresOf } from './rounds.ts'
import { spreadOf } from '../src/bench/stats.ts'
import { SinkProcess } from './sink-client.ts'
import { messagesOfFile } from './strict.ts'
import { runMain } from '../src/bench/machine/process.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)

function planFor(options: Options, logPath: string, documents: number): AgentPlan {
  const program = { args: options.agentArgs, env: options.agentEnv }
  return { program, logPath, documents }
}

/** One run into a strict sink, not timed: every line once and unchanged. Its failure says what is not so. */
async function checkRun(options: Options, log: LogFile): Promise<AgentRun> {
  const sink = await SinkProcess.start(true)
  try {
    const run = await runAgent(planFor(options, log.path, log.lines), sink)
    if (run.failure !== '' || run.sink.strict === undefined) return run
    const { duplicates, withoutId, messages } = run.sink.strict
    const expected = messagesOfFile(log.path).digest()
    const wrong: string[] = []
    if (duplicates > 0) wrong.push(`${duplicates} documents with an _id that was there already`)
    if (withoutId > 0) wrong.push(`${withoutId} documents without an _id`)
    if (messages !== expected) wrong.push(`messages differ from the lines (hash ${messages}, expected ${expected})`)
    return { ...run, failure: wrong.join('; ') }
  } finally {
    await sink.stop()
  }
}

/** The bytes of a first run, checked or not, that the first floor sends. */
async function bodyBytesOf(options: Options, log: LogFile, sink: SinkProcess): Promise<number> {
  const run = options.hasCheck
    ? await checkRun(options, log)
    : await runAgent(planFor(options, log.path, log.lines), sink)
  if (run.failure !== '') throw new Error(run.failure)
  const { documents, requests, bodyBytes } = run.sink
  const checked = options.hasCheck ? 'every _id once, every message as its line' : 'counted only'
  say(
    `sent       ${documents} documents for ${log.lines} lines in ${requests} requests, ${megabytes(bodyBytes)} MB: ${checked}`,
  )
  return bodyBytes
}

async function measureRaw(options: Options, log: LogFile, sink: SinkProcess): Promise<[object, string]> {
  const floor = await makeFloor(options.floor)
  say(`floor      ${floor.explain}`)
  let bodyBytes = await bodyBytesOf(options, log, sink)
  const oneLinePath = join(keptDir(), 'one-line.log')
  writeFileSync(oneLinePath, '2026-11-22 17:30:00,000 INFO  [main] c.e.shop.Main : Started\n')
  const contest = {
    floor: () => runFloor(floor, sink.port, log.path, bodyBytes),
    startup: () => runAgent(planFor(options, oneLinePath, 1), sink),
    agent: async () => {
      const run = await runAgent(planFor(options, log.path, log.lines), sink)
      if (run.failure === '') bodyBytes = run.sink.bodyBytes
      return run
    },
  }
  const { rounds, failure } = await alternate(contest, options.rounds, (round) => {
    const note = round.counts ? '' : ' does not count: its floors differ by more than 25 %'
    say(`round      ${round.agent.sink.documents} documents in ${(round.agent.wallMs / 1000).toFixed(2)} s${note}`)
  })
  const figures = rounds.some(({ counts }) => counts) ? figuresOf(rounds, log.bytes) : undefined
  say(`\n${roundTable(rounds, figures, log.bytes)}`)
  if (figures !== undefined) say(`\n${figuresText(figures)}`)
  const shippedBytes = rounds.filter(({ counts }) => counts).length * log.bytes
  const isEvidence = options.rounds >= 7 && shippedBytes >= evidenceBytesMin
  if (!isEvidence)
    say(`\nA look, not evidence: that takes seven rounds over at least ${formatBytes(evidenceBytesMin)} in all.`)
  return [{ floor, isEvidence, rounds, figures }, failure]
}

async function measureLimits(options: Options, log: LogFile, sink: SinkProcess): Promise<[object, string]> {
  mustLimit()
  const { memoryBytes, cpus } = options
  const isStandard = memoryBytes === undefined && cpus === undefined
  const settings = isStandard ? standardSettings : settingsFor(memoryBytes, cpus)
  const rounds: LimitedRun[][] = []
  for (let round = 1; round <= options.rounds; round++) {
    const runs: LimitedRun[] = []
    for (const setting of settings) {
      runs.push(await runLimited(setting, planFor(options, log.path, log.lines), log.bytes, sink))
    }
    rounds.push(runs)
    say(limitedRoundText(runs, round))
  }
  const figures = limitedFiguresOf(rounds)
  say(`\n${limitedTable(figures)}`)
  say(
    'Speed is between the first and the last bulk request. Peak: anonymous, kernel and socket memory of the cgroup, maximum',
  )
  say(
    'of samples every 50 ms; the log’s page cache belongs to whoever wrote it, as in a Pod. Ratios are within a round.',
  )
  const failures = figures.flatMap((figure) => figure.failures.map((failure) => `${figure.setting}: ${failure}`))
  failures.push(limitsFault(figures, limitedSpeedBudget))
  return [{ settings, rounds, figures }, failures.filter((failure) => failure !== '').join('\n')]
}

/** Between these; every limit is tried so often, for what fails now and then does not work. */
const smallest = { fromMebibytes: 24, toMebibytes: 64 }

async function measureSmallest(options: Options, log: LogFile, sink: SinkProcess): Promise<[object, string]> {
  mustLimit()
  const runs: LimitedRun[] = []
  const run = async (mebibytes: number | undefined) => {
    const name = mebibytes === undefined ? '1 CPU' : `${mebibytes} MiB, 1 CPU`
    const memoryBytes = mebibytes === undefined ? undefined : mebibytes * 2 ** 20
    const setting = { name, limit: { memoryBytes, cpus: 1 } }
    const limited = await runLimited(setting, planFor(options, log.path, log.lines), log.bytes, sink)
    runs.push(limited)
    const { failure } = limited.agent
    say(`${name.padEnd(16)}${failure === '' ? `${megabytes(limited.bytesPerSecond)} MB/s` : failure.split('\n', 1)[0]}`)
    return limited
  }
  const works = async (mebibytes: number) => {
    for (let round = 1; round <= options.rounds; round++) {
      if ((await run(mebibytes)).agent.failure !== '') return false
    }
    return true
  }
  const found = await smallestWorking(smallest.fromMebibytes, smallest.toMebibytes, works)
  if (found.mebibytes === undefined) return [{ found, runs }, `${smallest.toMebibytes} MiB are too little`]
  const unlimited = (await run(undefined)).bytesPerSecond
  const at = runs.filter(({ setting, agent }) => setting === `${found.mebibytes} MiB, 1 CPU` && agent.failure === '')
  const ratio = spreadOf(at.map((each) => each.bytesPerSecond / unlimited))
  say(`\nsmallest   ${found.mebibytes} MiB, at ${spreadText(ratio, 1, 2)} of the speed without a limit`)
  const isMissed = found.mebibytes > worksAtMebibytes
  return [{ found, runs, ratio }, isMissed ? `it does not work at ${worksAtMebibytes} MiB` : '']
}

function mustLimit(): void {
  const can = cgroupsAvailable()
  if (!can.available) throw new Error(`nothing could be limited, so nothing was measured: ${can.reason}`)
}

const measureOf = { raw: measureRaw, limits: measureLimits, smallest: measureSmallest }

async function measureAgent(options: Options, measure: typeof measureRaw): Promise<[object, string]> {
  const log = ensureLog(options.seed, options.sizeBytes)
  const average = (log.bytes / log.lines).toFixed(0)
  const origin = log.fresh ? 'made now' : 'kept from an earlier run'
  say(
    `log        ${log.path}, ${megabytes(log.bytes)} MB, ${log.lines} lines of ${average} bytes on average, ${origin}`,
  )
  const sink = await SinkProcess.start(false)
  try {
    const [measured, failure] = await measure(options, log, sink)
    return [{ log, ...measured }, failure]
  } finally {
    await sink.stop()
  }
}

async function main(): Promise<number> {
  const mainPath = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const options = parseOptions(process.argv.slice(2), mainPath)
  if (options === undefined) {
    say(help)
    return 0
  }
  const startedAtMs = systemClock.nowMs()
  const machine = machineHere()
  const { processor, processors, kernel, node, loadBefore } = machine
  say(`machine    ${processors} × ${processor}, Linux ${kernel}, Node ${node}, load ${loadBefore.toFixed(2)}`)
  let failure: string
  let measured: object = {}
  try {
    ;[measured, failure] = await measureAgent(options, measureOf[options.mode])
  } catch (error) {
    failure = messageOf(error, 4000)
  }
  const commit = await commitHere()
  const path = writeResults(options.mode, startedAtMs, { machine, commit, options, ...measured, failure })
  say(`\nresults    ${path}`)
  if (failure !== '') say(`FAILED     ${failure}`)
  return failure === '' ? 0 : 1
}

// An exit, not an end by signal: then what was started is stopped and what was made is removed.
await runMain('bench', help, main, 2)
