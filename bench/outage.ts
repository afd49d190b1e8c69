import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { sleep, systemClock } from '../src/base/clock.ts'
import { mibText } from '../src/queue/plan.ts'
import { cgroupsAvailable, spawnInCgroup } from '../test/kit/cgroup.ts'
import { Gate } from '../test/kit/gate.ts'
import { logBlocks } from './log.ts'
import { cleanEnv, endOf } from './process.ts'
import { memoryOf } from './procfs.ts'
import { SinkProcess } from './sink-client.ts'
import { messagesOfFile } from './strict.ts'

/**
 * Elasticsearch gone while the application goes on writing: how much memory the agent holds meanwhile, and whether
 * every line is there afterwards. The server is the strict null sink behind a gate.
 */
export interface OutageOptions {
  readonly seconds: number
  /** What the application writes while nobody answers, into files that it rotates and keeps. */
  readonly bytes: number
  readonly memoryBytes: number
}

export interface OutageResult {
  readonly lines: number
  readonly arrived: number
  readonly duplicates: number
  readonly textsEqual: boolean
  /** Largest sampled use in the first and the last fifth of the outage, and in all; anonymous and kernel memory. */
  readonly firstBytes: number
  readonly lastBytes: number
  readonly peakBytes: number
  readonly oomKills: number
  readonly limited: boolean
  /** From the return of the server to the last line. */
  readonly caughtUpMs: number
  readonly exit: string
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const rotateBytes = 32 * 1024 * 1024
const sampleMs = 250

export async function measureOutage(options: OutageOptions): Promise<OutageResult> {
  const directory = mkdtempSync(join(tmpdir(), 'remora-outage-'))
  const logs = join(directory, 'logs')
  mkdirSync(logs)
  const sink = await SinkProcess.start(true)
  const gate = await Gate.before(sink.port)
  const env = cleanEnv({
    REMORA_PATHS: `${logs}/*.log`,
    REMORA_STATE_DIR: join(directory, 'state'),
    REMORA_ELASTICSEARCH_URL: `http://127.0.0.1:${gate.port}`,
    REMORA_POD_UID: 'outage',
    REMORA_ADMIN_PORT: '0',
    REMORA_LOG_LEVEL: 'debug',
  })
  const output = openSync(join(directory, 'agent.out'), 'w')
  const stdio = { stdio: ['ignore', output, output] as ['ignore', number, number], env }
  const limited = cgroupsAvailable().available
  const group = limited
    ? spawnInCgroup({ memoryBytes: options.memoryBytes }, process.execPath, [main, 'run'], stdio)
    : undefined
  const child = group?.child ?? spawn(process.execPath, [main, 'run'], stdio)
  let oomKills = 0
  const use = (): number => {
    if (child.exitCode !== null || child.signalCode !== null) return 0
    if (group === undefined) return memoryOf(child.pid!).anonymousBytes
    const sample = group.sample()
    oomKills = sample.oomKills
    return sample.usedBytes
  }
  try {
    await gate.open()
    const written = await write(logs, options, gate, use)
    const returnedMs = performance.now()
    await gate.open()
    let peakBytes = written.peakBytes
    const watching = new AbortController()
    const watch = (async () => {
      while (!watching.signal.aborted) {
        peakBytes = Math.max(peakBytes, use())
        await sleep(systemClock, sampleMs, watching.signal)
      }
    })()
    const totals = await sink.waitFor(written.lines, 600_000, AbortSignal.timeout(600_000))
    const caughtUpMs = performance.now() - returnedMs
    watching.abort()
    await watch
    child.kill('SIGTERM')
    const exit = await endOf(child, 30_000)
    if (exit !== 'code 0') process.stderr.write(readFileSync(join(directory, 'agent.out'), 'utf8').slice(-4000))
    return {
      lines: written.lines,
      arrived: totals.documents,
      duplicates: totals.strict!.duplicates,
      textsEqual: totals.strict!.messages === written.messages,
      firstBytes: written.firstBytes,
      lastBytes: written.lastBytes,
      peakBytes,
      oomKills,
      limited,
      caughtUpMs,
      exit,
    }
  } finally {
    child.kill('SIGKILL')
    await gate.shut()
    await sink.stop()
    await group?.cleanup()
    closeSync(output)
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Written {
  readonly lines: number
  readonly messages: string
  readonly firstBytes: number
  readonly lastBytes: number
  readonly peakBytes: number
}

/** Writes evenly over the time; the gate is open for the first tenth of it only. */
async function write(logs: string, options: OutageOptions, gate: Gate, use: () => number): Promise<Written> {
  const path = join(logs, 'app.log')
  const whole = join(logs, '..', 'whole')
  const all = openSync(whole, 'w')
  let descriptor = openSync(path, 'a')
  let inFile = 0
  let rotations = 0
  let bytes = 0
  const peaks = [0, 0, 0, 0, 0]
  const blocks = logBlocks(7, options.bytes)
  const startMs = performance.now()
  const durationMs = options.seconds * 1000
  let sampledMs = 0
  let step = blocks.next()
  while (performance.now() - startMs < durationMs || step.done !== true) {
    const share = Math.min(1, (performance.now() - startMs) / durationMs)
    if (share > 0.1) await gate.shut()
    while (step.done !== true && bytes < share * options.bytes) {
      writeSync(descriptor, step.value)
      writeSync(all, step.value)
      bytes += step.value.length
      inFile += step.value.length
      if (inFile >= rotateBytes) {
        closeSync(descriptor)
        renameSync(path, `${path}.${++rotations}`)
        descriptor = openSync(path, 'a')
        inFile = 0
      }
      step = blocks.next()
    }
    if (performance.now() - sampledMs > sampleMs) {
      sampledMs = performance.now()
      const fifth = Math.min(4, Math.max(0, Math.floor((share - 0.1) / 0.18)))
      if (share > 0.1) peaks[fifth] = Math.max(peaks[fifth]!, use())
    }
    await sleep(systemClock, 20)
  }
  closeSync(descriptor)
  closeSync(all)
  const messages = messagesOfFile(whole)
  return {
    lines: messages.count,
    messages: messages.digest(),
    firstBytes: peaks[0]!,
    lastBytes: peaks[4]!,
    peakBytes: Math.max(...peaks),
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '300' },
      megabytes: { type: 'string', default: '500' },
      memory: { type: 'string', default: '64' },
    },
  })
  const result = await measureOutage({
    seconds: Number(values.seconds),
    bytes: Number(values.megabytes) * 1e6,
    memoryBytes: Number(values.memory) * 1024 * 1024,
  })
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  process.stdout.write(
    `first fifth ${mibText(result.firstBytes)}, last fifth ${mibText(result.lastBytes)}, peak ${mibText(result.peakBytes)}, ` +
      `${result.arrived} of ${result.lines} lines, caught up in ${(result.caughtUpMs / 1000).toFixed(1)} s\n`,
  )
  process.exitCode = result.arrived === result.lines && result.duplicates === 0 && result.textsEqual ? 0 : 1
}
