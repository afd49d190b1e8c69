import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startNullSink } from '../kit/storm/destinations.ts'
import { runSteady, saySteady, type SteadyResult } from '../kit/storm/steady.ts'

export interface SteadyRun {
  readonly seconds: number
  readonly seed: number
  readonly bytesPerSecond: number
  /** 64 MiB unless told. */
  readonly memoryBytes?: number
  readonly report?: (text: string) => void
}

const mebibyte = 1024 * 1024
const lineBytes = 200
const keep = 20
/** What a short time cannot tell from warming up: the slots are 10 MiB, filled bit by bit, and what is compiled some more. */
const riseBytesMax = { short: 14 * mebibyte, long: mebibyte / 2 }
const longSeconds = 1_800

/** The soak with a destination of its own. What it leaves behind is removed only when nothing is wrong. */
export async function soakSteady(run: SteadyRun): Promise<SteadyResult> {
  const { seconds, seed, bytesPerSecond, memoryBytes = 64 * mebibyte, report } = run
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-steady-'))
  const documents = (bytesPerSecond / lineBytes) * seconds
  const sink = await startNullSink({ seed, lineBytes, anyText: false, documents })
  try {
    const isLong = seconds >= longSeconds
    const result = await runSteady(
      {
        directory,
        seed,
        seconds,
        bytesPerSecond,
        lineBytes,
        mode: 'mixed',
        rotateMs: isLong ? 20_000 : 2_000,
        keep,
        kills: isLong ? 12 : 2,
        restartMs: isLong ? 60_000 : 6_000,
        memoryBytes,
        riseBytesMax: isLong ? riseBytesMax.long : riseBytesMax.short,
        ...(report !== undefined && { report }),
      },
      sink,
    )
    if (result.fault === '') fs.rmSync(directory, { recursive: true, force: true })
    else report?.(`seed ${seed}: what the agent said is in ${directory}`)
    return result
  } finally {
    await sink.close()
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '120' },
      rate: { type: 'string', default: '1' },
      memory: { type: 'string', default: '64' },
      seed: { type: 'string' },
      short: { type: 'boolean', default: false },
    },
  })
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6))
  const seconds = values.short ? 75 : Number(values.minutes) * 60
  const memoryBytes = Number(values.memory) * mebibyte
  print(`soak: ${(seconds / 60).toFixed(1)} minutes, ${values.rate} MB/s, ${values.memory} MiB, seed ${seed}`)
  const result = await soakSteady({
    seconds,
    seed,
    bytesPerSecond: Number(values.rate) * 1e6,
    memoryBytes,
    report: print,
  })
  print(JSON.stringify(result))
  print(saySteady(result))
  process.exitCode = result.fault === '' ? 0 : 1
}
