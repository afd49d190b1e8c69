import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cleanEnv, endOf, onExit } from '../machine/process.ts'
import { temporaryDirectory } from '../machine/temporary.ts'
import type { Writer } from '../target.ts'
import type { Mix, Workload } from '../types.ts'
import { type FloorTool, runFloor } from './floor.ts'

const script = fileURLToPath(new URL('floor-sink.ts', import.meta.url))
const startMsMax = 10_000
const stopMsMax = 5_000
/** The lowest of so many: what else runs on the machine only ever adds. */
const runsAtOnce = 4

/** The copy floor of a workload's lines, to be run beside the agent again and again. */
export interface FloorBeside {
  readonly explain: string
  /** CPU seconds for each GB (10^9) of log. */
  measure(): Promise<number>
  close(): Promise<void>
}

/** As many bytes are sent as the agent sends of these lines. */
export interface Sent {
  readonly perLogByte: number
  readonly isMeasured: boolean
}

export async function startFloor(
  tool: FloorTool,
  lines: { readonly mix: Mix; readonly seed: number; readonly bytes: number },
  sent: Sent,
  write: (workload: Workload, directory: string) => Promise<Writer>,
): Promise<FloorBeside> {
  const directory = temporaryDirectory('floor')
  const remove = onExit(() => rmSync(directory, { recursive: true, force: true }))
  const logs = join(directory, 'logs')
  mkdirSync(logs)
  const path = await logOf(lines, logs, write).catch((error: unknown) => {
    remove()
    throw error
  })
  const bytes = statSync(path).size
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: cleanEnv({}),
    detached: true,
  })
  const kill = onExit(() => child.kill('SIGKILL'))
  const close = async () => {
    child.stdin.end()
    await endOf(child, stopMsMax)
    kill()
    remove()
  }
  try {
    const [line] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(startMsMax) })
    const { port }: { port: number } = JSON.parse(String(line))
    return {
      explain: `${tool.explain}; the lowest of ${runsAtOnce} runs over ${Math.round(bytes / 1e6)} MB, sending ${sent.perLogByte.toFixed(1)} times as much, ${sent.isMeasured ? 'as the agent does' : 'about what agents do'}`,
      async measure() {
        let lowest = Infinity
        for (let n = 0; n < runsAtOnce; n++) {
          const { userUs, systemUs } = await runFloor(tool, port, path, Math.round(bytes * sent.perLogByte))
          lowest = Math.min(lowest, (userUs + systemUs) / 1e6 / (bytes / 1e9))
        }
        return lowest
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function logOf(
  { mix, seed, bytes }: { readonly mix: Mix; readonly seed: number; readonly bytes: number },
  logs: string,
  write: (workload: Workload, directory: string) => Promise<Writer>,
): Promise<string> {
  const workload: Workload = {
    seed,
    mix,
    rate: { kind: 'backlog' },
    files: 1,
    activeFiles: 1,
    rotation: { kind: 'none' },
    end: { bytes },
  }
  const writer = await write(workload, logs)
  try {
    await writer.begin()
    await writer.ended
  } finally {
    writer.kill()
  }
  const [name] = readdirSync(logs)
  if (name === undefined) throw new Error('the writer has written no file for the copy floor')
  return join(logs, name)
}
