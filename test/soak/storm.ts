import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startElasticsearch, type RealElasticsearch, type StartOptions } from '../kit/elasticsearch.ts'
import { startNullSink, intoElasticsearch, type Destination } from '../kit/storm/destinations.ts'
import { StormLines } from '../kit/storm/lines.ts'
import { runStorm, type StormResult } from '../kit/storm/storm.ts'
import type { WriterOptions } from '../kit/storm/writer.ts'
import { calibrate } from './calibrate.ts'

export interface StormRun {
  readonly mode: WriterOptions['mode']
  readonly kills: number
  readonly sink: 'elasticsearch' | 'null'
  readonly seed: number
  /** Undefined: 20 MB/s into the null sink, half of what it takes into Elasticsearch. */
  readonly bytesPerSecond: number | undefined
  readonly report: (text: string) => void
}

export const rotateMs = 2_000
export const keep = 5
const nullLineBytes = 400
const elasticsearchLineBytes = 200
const nullBytesPerSecond = 20e6
/** For throughput, not for a quick start. */
export const stormServer: StartOptions = { heap: '1g', javaOptions: '-XX:+UseSerialGC' }

/** One storm with a destination of its own. What it leaves behind is removed only when every line is there once. */
export async function runStormOn(run: StormRun, server?: RealElasticsearch): Promise<StormResult> {
  const { mode, kills, sink, seed, report } = run
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-storm-'))
  const lineBytes = sink === 'null' ? nullLineBytes : elasticsearchLineBytes
  const index = `storm-${path.basename(directory).toLowerCase()}`
  let destination: Destination
  let bytesPerSecond = run.bytesPerSecond ?? nullBytesPerSecond
  if (server === undefined) {
    destination = await startNullSink({ seed, lineBytes, anyText: false })
  } else {
    destination = intoElasticsearch(server, index, new StormLines(seed, lineBytes))
    if (run.bytesPerSecond === undefined) {
      const linesPerSecond = await calibrate(server, lineBytes)
      bytesPerSecond = (linesPerSecond / 2) * lineBytes
      report(`calibration: ${Math.round(linesPerSecond)} lines/s; the writer takes half of it`)
    }
  }
  try {
    const settings = { REMORA_INDEX: index }
    const options = { directory, mode, kills, seed, lineBytes, bytesPerSecond, rotateMs, keep, settings, report }
    const result = await runStorm(options, destination)
    if (result.fault === '') fs.rmSync(directory, { recursive: true, force: true })
    else report(`seed ${seed}: what the agent said and its checkpoints are in ${directory}`)
    return result
  } finally {
    await destination.close()
  }
}

export function sayOf(result: StormResult): string {
  const { written, outcome, kills, breathers, durationMs } = result
  const rate = written.bytes / 1e6 / (written.durationMs / 1000)
  return (
    `${kills} kills in ${(durationMs / 1000).toFixed(0)} s (${breathers} waited, at most ${result.lagLinesMax} lines behind), ${written.rotations} rotations, ` +
    `${written.lines} lines and ${written.banners} banners, ${rate.toFixed(1)} MB/s: lost ${outcome.lost}, ` +
    `duplicates ${outcome.duplicates}, foreign ${outcome.foreign}, banners lost ${outcome.bannersLost}, too many ` +
    `${outcome.bannersTooMany}; destroyed ${written.destroyedBytes} bytes, ${outcome.destroyedArrived} of their lines arrived` +
    (result.fault === '' ? '' : `\nFAULT ${result.fault}`)
  )
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      mode: { type: 'string', default: 'rename' },
      kills: { type: 'string', default: '200' },
      sink: { type: 'string', default: 'null' },
      rate: { type: 'string' },
      seed: { type: 'string' },
    },
  })
  const sink = values.sink === 'elasticsearch' ? 'elasticsearch' : 'null'
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6))
  const server = sink === 'elasticsearch' ? await startElasticsearch(stormServer) : undefined
  try {
    const run: StormRun = {
      mode: values.mode as StormRun['mode'],
      kills: Number(values.kills),
      sink,
      seed,
      bytesPerSecond: values.rate === undefined ? undefined : Number(values.rate) * 1e6,
      report: print,
    }
    print(`storm: ${values.mode} into ${sink}, seed ${seed}`)
    const result = await runStormOn(run, server)
    print(sayOf(result))
    process.exitCode = result.fault === '' ? 0 : 1
  } finally {
    await server?.remove()
  }
}
