import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Random } from '../../model/random.ts'
import { startAgent, type AgentProcess } from '../agent-process.ts'
import { startNullSink } from './destinations.ts'
import { RandomLines } from './random-lines.ts'
import { RotatedFile, type Mode } from './rotator.ts'

export interface RandomRunOptions {
  /** For logs, state and what the agent says. */
  readonly directory: string
  readonly seed: number
  readonly lines: number
  readonly kills: number
  readonly rotateBytes: number
  readonly report?: (text: string) => void
}

export interface RandomRunResult {
  readonly expected: { readonly count: number; readonly digest: string }
  readonly stored: { readonly count: number; readonly digest: string }
  readonly cut: number
  readonly bytes: number
  readonly rotations: number
  /** Documents that were sent again and answered 409. */
  readonly again: number
  readonly durationMs: number
}

const lineBytesMax = 16 * 1024
const blockBytes = 256 * 1024
const keep = 6
/** The writer waits: it is the bytes that are tried here, not the speed. */
const aheadLinesMax = 200_000
const lookMs = 20
const waitMsMax = 60_000
const quietMs = 4_000

/** Random bytes through rotations and kills into the strict sink, and the sums of both ends. */
export async function runRandom(options: RandomRunOptions): Promise<RandomRunResult> {
  const { directory, seed, lines, kills, rotateBytes, report } = options
  const random = new Random(seed ^ 0x5eed)
  const generator = new RandomLines(seed, lineBytesMax)
  const sink = await startNullSink({ seed, lineBytes: 100, anyText: true })
  const logs = path.join(directory, 'logs')
  fs.mkdirSync(logs, { recursive: true })
  const output = path.join(directory, 'agent.out')
  const start = () =>
    startAgent({
      REMORA_PATHS: `${logs}/*.log`,
      REMORA_STATE_DIR: path.join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: sink.url,
      REMORA_INDEX: 'random',
      REMORA_POD_UID: `random-${seed}`,
      REMORA_MAX_LINE_BYTES: String(lineBytesMax),
      REMORA_LOG_LEVEL: 'debug',
    })
  const startedMs = performance.now()
  let agent: AgentProcess = start()
  const end = async (signal: NodeJS.Signals) => {
    const code = await agent.end(signal)
    fs.appendFileSync(output, `${agent.output()}--- ${signal}: ${code}\n`)
    if (code !== (signal === 'SIGTERM' ? 0 : null)) throw new Error(`the agent ended with ${code}, see ${output}`)
  }
  try {
    const file = new RotatedFile(path.join(logs, 'app.log'), keep)
    const block = Buffer.allocUnsafe(blockBytes + generator.longestBytes + 1)
    let rotations = 0
    let killed = 0
    let used = generator.putFirst(block, 0, 0)
    while (generator.expected.count < lines) {
      while (used < blockBytes && generator.expected.count < lines) used = generator.put(block, used)
      file.append(block, 0, used)
      used = 0
      await caughtUp(async () => generator.expected.count - (await sink.stored()) < aheadLinesMax)
      if (file.sizeBytes > rotateBytes) {
        rotate(file, random.pick(['rename', 'copytruncate']))
        used = generator.putFirst(block, 0, ++rotations)
      }
      if (generator.expected.count > ((killed + random.next()) / kills) * lines && killed < kills) {
        killed++
        await end('SIGKILL')
        agent = start()
        report?.(`${killed} kills, ${generator.expected.count} lines`)
      }
    }
    file.append(block, 0, used)
    file.close()
    await caughtUp(async () => (await sink.stored()) >= generator.expected.count)
    // What is sent too often comes late.
    await delay(quietMs)
    await end('SIGTERM')
    const { stored: count, digest, again } = await sink.totals()
    return {
      expected: { count: generator.expected.count, digest: generator.expected.digest() },
      stored: { count, digest },
      cut: generator.cut,
      bytes: generator.bytes,
      rotations,
      again,
      durationMs: performance.now() - startedMs,
    }
  } finally {
    await agent.end('SIGKILL')
    await sink.close()
  }
}

async function caughtUp(condition: () => Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + waitMsMax
  while (!(await condition()) && performance.now() < untilMs) await delay(lookMs)
}

function rotate(file: RotatedFile, mode: Mode): void {
  if (mode === 'rename') {
    file.rename()
    file.reopen()
  } else {
    Array.from(file.copy())
    file.truncate()
  }
}
