/**
 * What it costs to give each document its `_id`: `node bench/document-id.ts [--documents 1500000] [--rounds 3]
 * [--index-mode standard]`.
 *
 * The real agent ships one file of the mixed log to a real Elasticsearch of its own, with ids, without, and with ids and
 * gzip: an index anew for each run, as `remora setup` has it, rounds interleaved, after a first round that is not counted
 * (Java compiles what is hot in it). The server's CPU is its process's: indexing, the refresh after it and all merges that come of themselves;
 * the merge to one segment is apart. Elasticsearch and the agent share the machine's processors, so that speed says little.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/base/clock.ts'
import { messageOf } from '../src/base/errors.ts'
import { startElasticsearch } from '../test/kit/elasticsearch.ts'
import { type AgentRun, type Received, runAgent } from './agent.ts'
import { ensureLog, type LogFile } from './log.ts'
import { wholeOf } from '../src/bench/option-values.ts'
import { cleanEnv, endOf } from '../src/bench/machine/process.ts'
import { cpuOf } from '../src/bench/machine/procfs.ts'
import { megabytes, spreadText, table } from './report.ts'
import { commitHere, machineHere } from '../src/bench/machine/facts.ts'
import { writeResults } from './results.ts'
import { cpuUs } from './rounds.ts'
import { type Spread, spreadOf } from '../src/bench/stats.ts'
import { StoredTarget } from './stored-target.ts'

interface Variant {
  readonly name: string
  readonly env: Readonly<Record<string, string>>
}

/** The last is what the others are compared with. */
const variants: readonly Variant[] = [
  { name: 'ids', env: { REMORA_DOCUMENT_ID: 'offset' } },
  {
    name: 'ids, gzip',
    env: { REMORA_DOCUMENT_ID: 'offset', REMORA_COMPRESSION: 'gzip', REMORA_COMPRESSION_LEVEL: '1' },
  },
  { name: 'no ids', env: { REMORA_DOCUMENT_ID: 'none' } },
]

/** Each for one document of one run. */
interface Costs {
  readonly serverUs: number
  readonly mergeUs: number
  readonly agentUs: number
  readonly bytes: number
  readonly perSecond: number
}

const columns: readonly { readonly key: keyof Costs; readonly name: string; readonly digits: number }[] = [
  { key: 'serverUs', name: 'server CPU, µs', digits: 1 },
  { key: 'mergeUs', name: 'merge to one, µs', digits: 1 },
  { key: 'agentUs', name: 'agent CPU, µs', digits: 2 },
  { key: 'bytes', name: 'bytes on disk', digits: 1 },
  { key: 'perSecond', name: 'documents/s', digits: 0 },
]

const index = 'remora-bench'
const indexModes = ['standard', 'logsdb']
const setupMsMax = 60_000
const mainPath = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const roundsMax = 100
/** So many are there before `runAgent` loses patience. */
const documentsMax = 2_000_000
/** A little more than the 141 that a line of the mixed log has on average: the first try is long enough, as a rule. */
const lineBytes = 147
const say = (text: string) => process.stdout.write(`${text}\n`)

/** @throws Error when the lines cannot be reached, which is a mistake in here */
function logOf(documents: number): LogFile {
  for (let attempt = 0, bytes = documents * lineBytes; attempt < 20; attempt++, bytes *= 1.05) {
    const log = ensureLog(1, Math.ceil(bytes))
    if (log.lines >= documents) return log
  }
  throw new Error(`no log of ${documents} lines`)
}

/** One run. @throws Error when a line is missing or twice, or the agent fails */
async function costsOf(variant: Variant, log: LogFile, serverPid: number, target: StoredTarget): Promise<Costs> {
  await target.reset()
  const plan = {
    program: { args: [mainPath, 'run'], env: { REMORA_INDEX: index, ...variant.env } },
    logPath: log.path,
    documents: log.lines,
  }
  const beforeUs = cpuUs(cpuOf(serverPid))
  const run: AgentRun<Received> = await runAgent(plan, target)
  if (run.failure !== '') throw new Error(`${variant.name}: ${run.failure}`)
  const stored = await target.settle()
  if (stored !== log.lines) throw new Error(`${variant.name}: ${stored} documents for ${log.lines} lines`)
  const settledUs = cpuUs(cpuOf(serverPid))
  const bytes = await target.mergeToOne()
  const mergedUs = cpuUs(cpuOf(serverPid))
  return {
    serverUs: (settledUs - beforeUs) / stored,
    mergeUs: (mergedUs - settledUs) / stored,
    agentUs: cpuUs(run.cpu) / stored,
    bytes: bytes / stored,
    perSecond: (stored * 1000) / run.wallMs,
  }
}

interface Round {
  readonly costs: Readonly<Record<string, Costs>>
}

/** Each variant once; which is first changes with the round. */
async function roundOf(at: number, log: LogFile, serverPid: number, target: StoredTarget): Promise<Round> {
  const costs: Record<string, Costs> = {}
  for (let turn = 0; turn < variants.length; turn++) {
    const variant = variants[(at + turn) % variants.length]!
    const found = await costsOf(variant, log, serverPid, target)
    costs[variant.name] = found
    const cells = columns.map(({ key, name, digits }) => `${name} ${found[key].toFixed(digits)}`)
    say(`${at === 0 ? 'warm-up' : `round ${at}`}    ${variant.name}: ${cells.join(', ')}`)
  }
  return { costs }
}

type Figures = Readonly<Record<string, Readonly<Record<keyof Costs, Spread>>>>

function figuresOf(rounds: readonly Round[]): Figures {
  const spreads = (variant: string) =>
    Object.fromEntries(
      columns.map(({ key }) => [key, spreadOf(rounds.map(({ costs }) => costs[variant]![key]))]),
    ) as Record<keyof Costs, Spread>
  return Object.fromEntries(variants.map(({ name }) => [name, spreads(name)]))
}

/** A row a variant, then what ids add: the ratios within rounds, as medians and ranges. */
function figuresTable(rounds: readonly Round[], figures: Figures): string {
  const head = ['for one document', ...columns.map(({ name }) => name)]
  const rows = variants.map(({ name }) => [
    name,
    ...columns.map(({ key, digits }) => spreadText(figures[name]![key], 1, digits)),
  ])
  const plain = variants.at(-1)!.name
  const ratios = variants.slice(0, -1).map(({ name }) => [
    `${name} to ${plain}`,
    ...columns.map(({ key }) => {
      return spreadText(spreadOf(rounds.map(({ costs }) => costs[name]![key] / costs[plain]![key])), 1, 3)
    }),
  ])
  return table([head, ...rows, ...ratios])
}

/** Puts the index template in place. @throws Error when `remora setup` fails; it has then said why */
async function setUp(url: string, logPath: string): Promise<void> {
  const env = cleanEnv({ REMORA_PATHS: logPath, REMORA_ELASTICSEARCH_URL: url, REMORA_INDEX: index })
  const child = spawn(process.execPath, [mainPath, 'setup'], { stdio: ['ignore', 'ignore', 'inherit'], env })
  const end = await endOf(child, setupMsMax)
  if (end !== 'code 0') throw new Error(`remora setup ended with ${end}`)
}

async function measure(documents: number, rounds: number, indexMode: string): Promise<object> {
  const log = logOf(documents)
  say(`log        ${log.path}, ${megabytes(log.bytes)} MB, ${log.lines} lines`)
  const server = await startElasticsearch({ javaOptions: '', heap: '1g' })
  try {
    const { body } = await server.request('GET', '/')
    say(`server     Elasticsearch ${body.version.number}, heap 1 GiB, one shard, index mode ${indexMode}`)
    await setUp(server.url, log.path)
    const target = new StoredTarget(server, index, indexMode)
    await roundOf(0, log, server.pid, target)
    const measured: Round[] = []
    for (let round = 1; round <= rounds; round++) measured.push(await roundOf(round, log, server.pid, target))
    const figures = figuresOf(measured)
    say(`\n${figuresTable(measured, figures)}`)
    say('\nMedian (range) of the rounds; ratios are within a round. Bytes: the one segment, without the translog.')
    say('The CPU of the agent and documents/s hold its start.')
    return { log, rounds: measured, figures }
  } finally {
    await server.remove()
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      documents: { type: 'string', default: '1500000' },
      rounds: { type: 'string', default: '3' },
      'index-mode': { type: 'string', default: 'standard' },
    },
  })
  const documents = wholeOf('--documents', values.documents, 1000, documentsMax)
  const rounds = wholeOf('--rounds', values.rounds, 1, roundsMax)
  const indexMode = values['index-mode']
  if (!indexModes.includes(indexMode)) throw new Error(`--index-mode must be standard or logsdb, not ${indexMode}`)
  const startedAtMs = systemClock.nowMs()
  const machine = machineHere()
  const { processor, processors, kernel, node, loadBefore } = machine
  say(`machine    ${processors} × ${processor}, Linux ${kernel}, Node ${node}, load ${loadBefore.toFixed(2)}`)
  // An exit, not an end by signal: then the agent and what it made are removed; the server ends with this process.
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  let failure = ''
  let measured: object = {}
  try {
    measured = await measure(documents, rounds, indexMode)
  } catch (error) {
    failure = messageOf(error, 4000)
  }
  const options = { documents, rounds, indexMode, variants }
  const commit = await commitHere()
  const path = writeResults('document-id', startedAtMs, { machine, commit, options, ...measured, failure })
  say(`\nresults    ${path}`)
  if (failure !== '') say(`FAILED     ${failure}`)
  process.exitCode = failure === '' ? 0 : 1
}
