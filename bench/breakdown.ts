import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { nodeEnvironment, nodeFlags } from '../src/base/runtime.ts'
import { parseBytes } from '../src/base/units.ts'
import { type AgentRun, runAgent } from './agent.ts'
import { type FloorRun, makeFloor, runFloor } from '../src/bench/floor/floor.ts'
import { keptDir } from '../src/bench/machine/kept.ts'
import { ensureLog } from './log.ts'
import { wholeOf } from '../src/bench/option-values.ts'
import { endOf, onExit, runMain } from '../src/bench/machine/process.ts'
import { type Part, parts, partTexts, samplesFrom, type Shares, sharesOf } from './profile.ts'
import { megabytes, spreadText, table } from './report.ts'
import { machineHere } from '../src/bench/machine/facts.ts'
import { cpuUs } from './rounds.ts'
import { SinkProcess } from './sink-client.ts'
import { spreadOf } from '../src/bench/stats.ts'

const help = `node bench/breakdown.ts [options]

Where the CPU of the raw lane goes, in parts that sum to the whole. Each round runs, one after the other: the copy floor; the
agent until its first document (start-up); the agent on a whole log, undisturbed; and the same under \`perf\`, from the sources
and with names for compiled code. What the undisturbed run took after its start-up is divided as the samples of the last one are.

  --rounds N       so many rounds (5)
  --size 256Mi     bytes of the generated log; with more of it compiling weighs less
  --limit BYTES    flags, plan and batches as in a container of this memory; nothing is really limited (none)
  --agent FILE     another entry than src/main.ts, for a comparison; it is run from its sources, too
  --help

Needs Linux and \`perf\` (package linux-perf), with kernel.perf_event_paranoid at 2 or less, or root.
`

/** Samples a second of each thread's CPU. No divisor of the ticks that timers fire at. */
const samplesPerSecond = 1997
const perfMsMax = 60_000

interface Options {
  readonly rounds: number
  readonly sizeBytes: number
  readonly limitBytes: number
  readonly entry: string
}

interface Round {
  readonly floor: FloorRun
  readonly startup: AgentRun
  readonly whole: AgentRun
  readonly profiled: AgentRun
  readonly shares: Shares
}

const say = (text: string) => process.stdout.write(`${text}\n`)
const seconds = (us: number) => us / 1e6

function optionsOf(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: '256Mi' },
      limit: { type: 'string' },
      agent: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    rounds: wholeOf('--rounds', values.rounds, 1, 50),
    sizeBytes: bytesOf('--size', values.size),
    limitBytes: values.limit === undefined ? Infinity : bytesOf('--limit', values.limit),
    entry: values.agent ?? fileURLToPath(new URL('../src/main.ts', import.meta.url)),
  }
}

function bytesOf(name: string, text: string): number {
  const parsed = parseBytes(text)
  if (!parsed.ok || parsed.value < 1 << 20) throw new Error(`${name} must be 1Mi or more, not ${text}`)
  return parsed.value
}

/** What `perf script` says of a file: far more than `outputOf` would keep. @throws Error when it fails */
async function scriptOf(dataPath: string): Promise<string> {
  const args = ['script', '-i', dataPath, '-F', 'comm,tid,time,ip,sym,dso']
  const child = spawn('perf', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  const end = await endOf(child, perfMsMax)
  if (end !== 'code 0') throw new Error(`perf script ended with ${end}`)
  return Buffer.concat(pieces).toString('latin1')
}

/** A run of the agent with `perf` beside it, which ends with it and then has written what it saw. */
async function profile(
  run: (start: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess) => Promise<AgentRun>,
): Promise<{ profiled: AgentRun; shares: Shares }> {
  const dir = mkdtempSync(join(keptDir(), 'perf-'))
  const dataPath = join(dir, 'perf.data')
  let mapPath = ''
  const remove = onExit(() => {
    rmSync(dir, { recursive: true, force: true })
    if (mapPath !== '') rmSync(mapPath, { force: true })
  })
  try {
    let perfEnd: Promise<string> | undefined
    let complaint = ''
    const profiled = await run((command, args, options) => {
      const child = spawn(command, args, options)
      mapPath = `/tmp/perf-${child.pid}.map`
      const perfArgs = ['record', '-q', '-F', String(samplesPerSecond), '-e', 'cpu-clock', '-g', '-o', dataPath]
      const perf = spawn('perf', [...perfArgs, '-p', String(child.pid)], { stdio: ['ignore', 'ignore', 'pipe'] })
      perf.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-500)))
      perfEnd = endOf(perf, perfMsMax)
      return child
    })
    const end = await perfEnd
    if (!existsSync(dataPath)) throw new Error(`perf ended with ${end}, and has seen nothing: ${complaint.trim()}`)
    return { profiled, shares: sharesOf(samplesFrom(await scriptOf(dataPath))) }
  } finally {
    remove()
  }
}

function good(run: AgentRun): AgentRun {
  if (run.failure !== '') throw new Error(run.failure)
  return run
}

async function measure(options: Options, log: { path: string; lines: number }, sink: SinkProcess): Promise<Round[]> {
  const { entry, limitBytes, rounds } = options
  const env = limitBytes === Infinity ? {} : { REMORA_MEMORY_LIMIT: String(limitBytes) }
  // The flags are given, so that the process is not replaced by the bundle, which does not tell what comes from where.
  const flags = [...nodeFlags(limitBytes), '--interpreted-frames-native-stack', '--perf-basic-prof-only-functions']
  const plain = { args: [entry, 'run'], env }
  const named = { args: [...flags, entry, 'run'], env: { ...nodeEnvironment(limitBytes), ...env } }
  const oneLinePath = join(keptDir(), 'one-line.log')
  writeFileSync(oneLinePath, '2026-11-22 17:30:00,000 INFO  [main] c.e.shop.Main : Started\n')
  const floor = await makeFloor('auto')
  say(`floor      ${floor.explain}`)
  const done: Round[] = []
  for (let round = 1; round <= rounds; round++) {
    const startup = good(await runAgent({ program: plain, logPath: oneLinePath, documents: 1 }, sink))
    const plan = { program: plain, logPath: log.path, documents: log.lines }
    const whole = good(await runAgent(plan, sink))
    const floorRun = await runFloor(floor, sink.port, log.path, whole.sink.bodyBytes)
    const { profiled, shares } = await profile((start) => runAgent({ ...plan, program: named, start }, sink))
    done.push({ floor: floorRun, startup, whole, profiled: good(profiled), shares })
    const took = seconds(cpuUs(whole.cpu)).toFixed(2)
    say(
      `round ${round}    ${took} s of CPU, ${seconds(cpuUs(startup.cpu)).toFixed(2)} of it start-up; ${shares.total} samples`,
    )
  }
  return done
}

/** CPU of each part in each round, microseconds: what is left when the start-up is taken off, divided as the samples are. */
function partsUs(part: Part, rounds: readonly Round[]): { all: number[]; system: number[] } {
  const scaled = rounds.map(({ whole, startup, shares: { counts, start, total } }) => {
    const scale = (cpuUs(whole.cpu) - cpuUs(startup.cpu)) / Math.max(1, total - start)
    const { user, system } = counts[part]
    return { all: (user + system) * scale, system: system * scale }
  })
  return { all: scaled.map(({ all }) => all), system: scaled.map(({ system }) => system) }
}

function report(rounds: readonly Round[]): string {
  const floorUs = spreadOf(rounds.map(({ floor }) => floor.userUs + floor.systemUs)).median
  const row = (name: string, us: readonly number[], systemUs: readonly number[] | undefined, text: string) => {
    const spread = spreadOf(us)
    const system = systemUs === undefined ? '' : seconds(spreadOf(systemUs).median).toFixed(3)
    return [name, spreadText(spread, 1e6, 3), system, (spread.median / floorUs).toFixed(2), text]
  }
  const rows = parts.map((part) => {
    const { all, system } = partsUs(part, rounds)
    return { us: spreadOf(all).median, cells: row(part, all, system, partTexts[part]) }
  })
  const steady = rounds.map(({ whole, startup }) => cpuUs(whole.cpu) - cpuUs(startup.cpu))
  // Of the run under perf from its first request on, as it was sampled, against the undisturbed one.
  const overhead = rounds.map(
    ({ shares }, at) => ((shares.total - shares.start) * 1e6) / samplesPerSecond / steady[at]!,
  )
  const floors = rounds.map(({ floor }) => floor.userUs + floor.systemUs)
  const lines = [
    ['', 'CPU, s', 'system', '× floor', ''],
    ...rows.toSorted((a, b) => b.us - a.us).map(({ cells }) => cells),
    row('after the start', steady, undefined, 'sum of these, as the undisturbed runs had it'),
    row(
      'start-up',
      rounds.map(({ startup }) => cpuUs(startup.cpu)),
      undefined,
      'to the first document',
    ),
    row('copy floor', floors, undefined, 'reading the log and sending as many bytes, in C'),
  ]
  return `${table(lines)}\n\nUnder perf the time after the start was ${spreadText(spreadOf(overhead), 1, 2)} of that without. Medians of each row, with their range.`
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2))
  if (options === undefined) {
    say(help)
    return 0
  }
  const { processor, processors, kernel, node, loadBefore } = machineHere()
  say(`machine    ${processors} × ${processor}, Linux ${kernel}, Node ${node}, load ${loadBefore.toFixed(2)}`)
  const log = ensureLog(1, options.sizeBytes)
  say(`log        ${megabytes(log.bytes)} MB, ${log.lines} lines`)
  const sink = await SinkProcess.start(false)
  try {
    say(`\n${report(await measure(options, log, sink))}`)
    return 0
  } finally {
    await sink.stop()
  }
}

await runMain('breakdown', help, main)
