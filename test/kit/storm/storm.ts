import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Random } from '../../model/random.ts'
import { startAgent, type AgentProcess } from '../agent-process.ts'
import type { Destination } from './destinations.ts'
import { faultOf, type Outcome, type Written } from './tally.ts'
import { WriterProcess } from './writer-process.ts'
import type { WriterOptions } from './writer.ts'

export interface StormOptions extends Omit<WriterOptions, 'path'> {
  /** For logs, state and what the agent says. */
  readonly directory: string
  readonly kills: number
  /** How long one process lives at most before it is killed. */
  readonly lifeMsMax?: number
  readonly settings?: Readonly<Record<string, string>>
  /** Told now and then how it goes. */
  readonly report?: (text: string) => void
}

export interface StormResult {
  readonly written: Written
  readonly outcome: Outcome
  readonly kills: number
  /** Kills that waited until the agent had caught up: before a file is deleted that nobody has read. */
  readonly breathers: number
  readonly durationMs: number
  readonly lagLinesMax: number
  /** Empty when every line is there once and the last process ended in order. */
  readonly fault: string
}

const lifeMsMin = 50
const downMsMax = 900
const lookMs = 100
const breathMsMax = 30_000
const drainMsMax = 120_000
const checkpointsKept = 400

/**
 * The real agent under a writer that rotates, killed at random moments and started again within a second. A kill waits
 * while the agent is so far behind that a file might be deleted which no process has read: that would be lost with any
 * shipper, and says nothing about this one.
 */
export async function runStorm(options: StormOptions, destination: Destination): Promise<StormResult> {
  const { directory, seed, kills, lifeMsMax = 2_500, report } = options
  const random = new Random(seed ^ 0x5eed)
  const logs = path.join(directory, 'logs')
  const state = path.join(directory, 'state')
  const kept = path.join(directory, 'checkpoints')
  for (const folder of [logs, kept]) fs.mkdirSync(folder, { recursive: true })
  const output = path.join(directory, 'agent.out')
  const settings = {
    REMORA_PATHS: `${logs}/*.log`,
    REMORA_STATE_DIR: state,
    REMORA_ELASTICSEARCH_URL: destination.url,
    REMORA_POD_UID: `storm-${seed}`,
    REMORA_LOG_LEVEL: 'debug',
    ...options.settings,
  }
  const startedMs = performance.now()
  const { mode, lineBytes, bytesPerSecond, rotateMs, keep } = options
  const writer = new WriterProcess({
    path: path.join(logs, 'app.log'),
    mode,
    seed,
    lineBytes,
    bytesPerSecond,
    rotateMs,
    keep,
  })
  const rotationLines = (bytesPerSecond / lineBytes) * (rotateMs / 1000)
  const [behindLines, caughtUpLines] = [rotationLines * (keep - 2.5), rotationLines]
  const deaths: string[] = []
  let breathers = 0
  let lagLinesMax = 0
  let agent: AgentProcess | undefined
  let killed = 0
  const lag = async () => {
    const lines = await destination.lag(writer.progress)
    lagLinesMax = Math.max(lagLinesMax, lines)
    return lines
  }
  const note = (life: number, text: string) =>
    fs.appendFileSync(output, `--- ${(performance.now() - startedMs).toFixed(0)} ms, life ${life}: ${text}\n`)
  const bury = (life: number, dead: AgentProcess, expected: boolean) => {
    fs.appendFileSync(output, dead.output())
    note(life, expected ? 'killed' : `ended by itself with ${dead.child.exitCode}`)
    if (!expected) deaths.push(`life ${life} ended by itself with ${dead.child.exitCode}`)
  }
  try {
    for (let life = 1; life <= kills; life++) {
      note(life, 'starts')
      agent = startAgent(settings)
      await delay(random.between(lifeMsMin, lifeMsMax))
      if ((await lag()) > behindLines) {
        breathers++
        const untilMs = performance.now() + breathMsMax
        while ((await lag()) > caughtUpLines && performance.now() < untilMs && agent.child.exitCode === null) {
          await delay(lookMs)
        }
        await delay(random.between(0, 1_000))
      }
      const alive = agent.child.exitCode === null
      await agent.end('SIGKILL')
      bury(life, agent, alive)
      if (!alive) break
      killed++
      if (!writer.running) throw new Error('the writer has ended by itself')
      keepCheckpoint(state, path.join(kept, `${life % checkpointsKept}.json`))
      if (life % 20 === 0) {
        report?.(`${life} kills, ${writer.progress.lines} lines, ${await lag()} behind, ${breathers} breathers`)
      }
      // Most restarts are quick, some take most of a second.
      await delay(random.next() ** 2 * downMsMax)
    }
    note(kills + 1, 'starts, the last')
    agent = startAgent(settings)
    const written = await writer.stop()
    await drained(written, destination)
    const code = await agent.end('SIGTERM')
    fs.appendFileSync(output, agent.output())
    if (code !== 0) deaths.push(`after SIGTERM the agent ended with ${code}`)
    const outcome = await destination.outcome(written)
    const fault = [faultOf(outcome), ...deaths].filter((text) => text !== '').join('; ')
    const durationMs = performance.now() - startedMs
    return { written, outcome, kills: killed, breathers, durationMs, lagLinesMax, fault }
  } finally {
    await agent?.end('SIGKILL')
    writer.kill()
  }
}

/** Waits until all that must come has come, or nothing has come for long. */
export async function drained(written: Written, destination: Destination): Promise<void> {
  const destroyed = written.destroyed.reduce((sum, [from, to]) => sum + to - from + 1, 0)
  const untilMs = performance.now() + drainMsMax
  let [seen, seenMs] = [-1, performance.now()]
  while (performance.now() < untilMs && performance.now() - seenMs < drainMsMax / 8) {
    const stored = await destination.stored()
    if (stored >= written.lines + written.banners - destroyed && destroyed === 0) return
    if (stored !== seen) [seen, seenMs] = [stored, performance.now()]
    else if (destroyed > 0 && performance.now() - seenMs > 3_000) return
    await delay(lookMs)
  }
}

function keepCheckpoint(state: string, to: string): void {
  try {
    fs.copyFileSync(path.join(state, 'checkpoint.json'), to)
  } catch {
    // Killed before the first one.
  }
}
