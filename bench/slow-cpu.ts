import { spawn, type SpawnOptions } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sleep, systemClock } from '../src/base/clock.ts'
import { cgroupsAvailable, type CgroupProcess, spawnInCgroup } from '../src/bench/machine/cgroup.ts'
import { type AgentRun, runAgent } from './agent.ts'
import { keptDir } from '../src/bench/machine/kept.ts'
import { ensureLog, type LogFile } from './log.ts'
import { wholeOf } from '../src/bench/option-values.ts'
import { cleanEnv, endOf, freePort, onExit } from '../src/bench/machine/process.ts'
import { cpuOf } from '../src/bench/machine/procfs.ts'
import type { ProbeFigures, ProbePlan } from './prober.ts'
import { SinkProcess } from './sink-client.ts'
import { spreadOf } from '../src/bench/stats.ts'

/**
 * A tenth of a core: does it work, are probes answered within a second, and what of the CPU is not spent on shipping.
 *
 * Each round runs the same logs through an agent without a CPU limit that nobody asks (what shipping costs), and through
 * one in a cgroup with the quota, while a prober in another process asks its endpoints. What the second takes more, from
 * its first document on, is not shipping: probes, looking, checkpoints, colder caches, the compilers' and collector's share.
 */
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const mib = 1 << 20
const noLimitBytes = 2 ** 60
const fileBytes = 256 * mib
const line = '2026-11-22 17:30:00,000 INFO  [main] c.e.shop.Main : Started\n'
const idleMs = 60_000
/** An agent that never ends its start is a finding, too. */
const idleStartMsMax = 60_000

const often: ProbePlan['paths'] = [
  { path: '/livez', everyMs: 200 },
  { path: '/readyz', everyMs: 200 },
  { path: '/metrics', everyMs: 1_000 },
]
const calmly: ProbePlan['paths'] = [
  { path: '/livez', everyMs: 10_000 },
  { path: '/readyz', everyMs: 5_000 },
  { path: '/metrics', everyMs: 15_000 },
]

type Probes = Readonly<Record<string, ProbeFigures>>

interface Round {
  readonly free: AgentRun
  readonly startup: AgentRun
  /** Asked often, for the latencies; and as the kubelet and Prometheus ask, for the CPU. */
  readonly slow: AgentRun
  readonly calm: AgentRun
  readonly probes: Probes
}

const say = (text: string) => process.stdout.write(`${text}\n`)
const cpuMs = ({ cpu }: AgentRun) => (cpu.userUs + cpu.systemUs) / 1000

/** Asks from a process of its own. @returns what ends it and tells what it saw */
function startProber(plan: ProbePlan): () => Promise<Probes> {
  const script = fileURLToPath(new URL('prober.ts', import.meta.url))
  const args = [script, '--plan', JSON.stringify(plan)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env: cleanEnv({}) })
  const kill = onExit(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  return async () => {
    child.stdin.end()
    const end = await endOf(child, 30_000).finally(kill)
    if (text === '') throw new Error(`the prober said nothing and ended with ${end}`)
    const probes: Probes = JSON.parse(text)
    return probes
  }
}

async function limited(
  cpus: number | undefined,
  memoryBytes: number,
  env: Readonly<Record<string, string>>,
  path: string,
  documents: number,
  sink: SinkProcess,
): Promise<AgentRun> {
  let group: CgroupProcess | undefined
  const start = (command: string, args: readonly string[], options: SpawnOptions) => {
    group = spawnInCgroup(cpus === undefined ? { memoryBytes } : { memoryBytes, cpus }, command, args, options)
    return group.child
  }
  try {
    const run = await runAgent({ program: { args: [main, 'run'], env }, logPath: path, documents, start }, sink)
    if (run.failure !== '') throw new Error(run.failure)
    return run
  } finally {
    await group?.cleanup()
  }
}

/** CPU of an agent that has nothing to do, in milliseconds a second, with nobody and with the kubelet asking. */
async function idleCpu(cpus: number, memoryBytes: number, sinkUrl: string): Promise<number> {
  const directory = mkdtempSync(join(keptDir(), 'idle-'))
  const remove = onExit(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, 'logs'))
  writeFileSync(join(directory, 'logs', 'app.log'), line)
  const env = cleanEnv({
    REMORA_PATHS: `${directory}/logs/*.log`,
    REMORA_STATE_DIR: join(directory, 'state'),
    REMORA_ELASTICSEARCH_URL: sinkUrl,
    REMORA_ADMIN_PORT: '0',
  })
  const group = spawnInCgroup({ memoryBytes, cpus }, process.execPath, [main, 'run'], { stdio: 'ignore', env })
  try {
    await sleep(systemClock, Math.min(idleStartMsMax, 2_000 / cpus))
    const before = cpuOf(group.child.pid!)
    await sleep(systemClock, idleMs)
    const after = cpuOf(group.child.pid!)
    return (after.userUs + after.systemUs - before.userUs - before.systemUs) / idleMs
  } finally {
    await group.cleanup()
    remove()
  }
}

async function round(
  logs: readonly LogFile[],
  idleFiles: number,
  cpus: number,
  memoryBytes: number,
  sink: SinkProcess,
): Promise<Round> {
  const directory = mkdtempSync(join(keptDir(), 'slow-cpu-'))
  const remove = onExit(() => rmSync(directory, { recursive: true, force: true }))
  try {
    for (const [at, { path }] of logs.entries()) linkSync(path, join(directory, `app-${at}.log`))
    const all = `${directory}/*.log`
    for (let at = 0; at < idleFiles; at++) writeFileSync(join(directory, `idle-${at}.log`), `${at} ${line}`)
    const documents = logs.reduce((sum, { lines }) => sum + lines, idleFiles)
    const nobody = { REMORA_ADMIN_PORT: '0' }
    const oneLine = join(keptDir(), 'one-line.log')
    writeFileSync(oneLine, line)
    const startup = await limited(undefined, noLimitBytes, nobody, oneLine, 1, sink)
    const free = await limited(undefined, noLimitBytes, nobody, all, documents, sink)
    const asked = async (paths: ProbePlan['paths']) => {
      const port = await freePort()
      const probed = startProber({ port, paths })
      const run = await limited(cpus, memoryBytes, { REMORA_ADMIN_PORT: String(port) }, all, documents, sink)
      return { run, probes: await probed() }
    }
    const calm = await asked(calmly)
    const slow = await asked(often)
    return { startup, free, calm: calm.run, slow: slow.run, probes: slow.probes }
  } finally {
    remove()
  }
}

function report(rounds: readonly Round[], bytes: number): void {
  const figure = (of: (round: Round) => number, digits = 2) => {
    const { median, min, max } = spreadOf(rounds.map(of))
    return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`
  }
  const mb = bytes / 1e6
  const shipping = ({ free, startup }: Round) => cpuMs(free) - cpuMs(startup)
  const here = (run: AgentRun, { startup }: Round) => cpuMs(run) - cpuMs(startup)
  say(
    `speed                ${figure(({ calm }) => (bytes / (calm.wallMs - calm.firstMs)) * 1e-3, 1)} MB/s, asked often ${figure(({ slow }) => (bytes / (slow.wallMs - slow.firstMs)) * 1e-3, 1)}`,
  )
  say(
    `to the first document ${figure(({ slow }) => slow.firstMs / 1000)} s, without a limit ${figure(({ free }) => free.firstMs / 1000)} s`,
  )
  say(
    `CPU of shipping      ${figure((one) => shipping(one) / mb)} ms/MB without a limit, ${figure((one) => here(one.calm, one) / mb)} here, asked often ${figure((one) => here(one.slow, one) / mb)}`,
  )
  const elsewhere = (run: AgentRun, one: Round) => (1 - shipping(one) / here(run, one)) * 100
  say(
    `not spent shipping   ${figure((one) => elsewhere(one.calm, one), 1)} %, asked often ${figure((one) => elsewhere(one.slow, one), 1)} %`,
  )
  say(`largest memory       ${figure(({ slow }) => slow.peak.anonymousBytes / mib, 1)} MiB anonymous`)
  for (const path of Object.keys(rounds[0]!.probes)) {
    const of = (read: (figures: ProbeFigures) => number, digits = 0) =>
      figure(({ probes }) => read(probes[path]!), digits)
    say(
      `${path.padEnd(10)} p50 ${of((p) => p.p50Ms)}, p99 ${of((p) => p.p99Ms)}, max ${of((p) => p.maxMs)} ms; ` +
        `${of((p) => p.answered)} answered, ${of((p) => p.failed)} not; first after ${of((p) => (p.firstMs ?? NaN) / 1000, 1)} s`,
    )
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      files: { type: 'string' },
      'idle-files': { type: 'string', default: '0' },
      cpu: { type: 'string', default: '0.1' },
      memory: { type: 'string', default: '64' },
      'no-idle': { type: 'boolean', default: false },
    },
  })
  const available = cgroupsAvailable()
  if (!available.available) throw new Error(`this needs cgroups: ${available.reason}`)
  const count = wholeOf('--rounds', values.rounds ?? (values.short ? '1' : '3'), 1, 100)
  const files = wholeOf('--files', values.files ?? (values.short ? '2' : '6'), 1, 64)
  const idleFiles = wholeOf('--idle-files', values['idle-files'], 0, 10_000)
  const [cpus, memoryBytes] = [Number(values.cpu), Number(values.memory) * mib]
  const logs = Array.from({ length: files }, (_, at) => ensureLog(1 + at, fileBytes))
  const bytes = logs.reduce((sum, log) => sum + log.bytes, 0)
  say(
    `${cpus} CPU, ${values.memory} MiB, ${(bytes / 1e6).toFixed(0)} MB in ${files} files, ${idleFiles} idle ones, null sink`,
  )
  const sink = await SinkProcess.start(false)
  try {
    if (!values['no-idle']) {
      const idle = await idleCpu(cpus, memoryBytes, sink.url)
      say(`idle                 ${idle.toFixed(2)} ms of CPU a second, ${(idle / cpus / 10).toFixed(1)} % of the quota`)
    }
    const rounds: Round[] = []
    for (let at = 0; at < count; at++) {
      rounds.push(await round(logs, idleFiles, cpus, memoryBytes, sink))
      say(`round ${at + 1}: ${JSON.stringify(rounds.at(-1)!.probes['/livez'])}`)
    }
    report(rounds, bytes)
  } finally {
    await sink.stop()
  }
}
