import { Kernel } from '../src/encode/kernel.ts'
import { type Template, Templates } from '../src/encode/template.ts'
import { nameOf } from '../src/follow/names.ts'
import { logBlocks } from './log.ts'
import { type Spread, spreadOf } from '../src/bench/stats.ts'

/** Input bytes per second of CPU. `smooth`: the same lines with a letter wherever a byte would have to be escaped. */
export interface KernelFigures {
  readonly inputBytes: number
  readonly documents: number
  readonly escapesPerLine: number
  readonly mixed: Speeds
  readonly smooth: Speeds
  /** Copying the mixed text. */
  readonly copy: Spread
}

/** Without and with an `_id` on each document. */
export interface Speeds {
  readonly plain: Spread
  readonly named: Spread
}

export const kernelBudget = { plain: 2.5e9, named: 1.5e9 }

const inputBytesMax = 1 << 20
const outputBytes = 6 << 20
const lineBytesMax = 1 << 16
const documentsMax = 1 << 16
const passesPerRound = 200
/** So many that the engine has replaced its quick first code. */
const passesToWarm = 100

interface Bench {
  readonly kernel: Kernel
  readonly text: Buffer
  documents: number
}

/** The encoder alone on about one MiB of the mixed log, in alternating rounds. @throws Error when it leaves lines over */
export function measureKernel(seed: number, rounds: number): KernelFigures {
  const { value: text } = logBlocks(seed, inputBytesMax).next()
  if (!Buffer.isBuffer(text)) throw new Error('the generator gave nothing')
  const mixed = benchOf(text)
  const { smoothed, escapes } = smooth(text)
  const even = benchOf(smoothed)
  const templates = new Templates(new Map([['kubernetes.pod.uid', '6f1c2f0a-9f5e-4a5e-8d53-7c1d2b8e4f60']]))
  const origin = { path: '/var/log/app/app.log', readAtMs: Date.UTC(2026, 10, 22) }
  const plain = templates.of({ ...origin, generationId: undefined, seenMs: 0 })
  const named = templates.of({ ...origin, generationId: nameOf(['bench']), seenMs: 0 })
  const target = Buffer.allocUnsafeSlow(text.length)

  for (const bench of [mixed, even]) for (const template of [plain, named]) speedOf(bench, template, passesToWarm)
  const speeds = Array.from({ length: rounds }, () => ({
    mixedPlain: speedOf(mixed, plain, passesPerRound),
    mixedNamed: speedOf(mixed, named, passesPerRound),
    smoothPlain: speedOf(even, plain, passesPerRound),
    smoothNamed: speedOf(even, named, passesPerRound),
    copy: bytesPerCpuSecond(text.length, passesPerRound, () => text.copy(target)),
  }))
  return {
    inputBytes: text.length,
    documents: mixed.documents,
    escapesPerLine: escapes / mixed.documents,
    mixed: {
      plain: spreadOf(speeds.map(({ mixedPlain }) => mixedPlain)),
      named: spreadOf(speeds.map(({ mixedNamed }) => mixedNamed)),
    },
    smooth: {
      plain: spreadOf(speeds.map(({ smoothPlain }) => smoothPlain)),
      named: spreadOf(speeds.map(({ smoothNamed }) => smoothNamed)),
    },
    copy: spreadOf(speeds.map(({ copy }) => copy)),
  }
}

function benchOf(text: Buffer): Bench {
  const kernel = new Kernel(inputBytesMax + 2, outputBytes, lineBytesMax)
  kernel.input.set(text)
  return { kernel, text, documents: 0 }
}

function speedOf(bench: Bench, template: Template, passes: number): number {
  const { kernel, text } = bench
  kernel.use(template)
  let offset = 0
  return bytesPerCpuSecond(text.length, passes, () => {
    const encoded = kernel.encode(0, text.length, 0, offset, documentsMax, false, 'line')
    if (encoded.consumedBytes !== text.length) throw new Error(`stopped at ${encoded.consumedBytes}: ${encoded.stop}`)
    bench.documents = encoded.documents
    offset += text.length
  })
}

function bytesPerCpuSecond(bytes: number, passes: number, run: () => void): number {
  const from = process.cpuUsage()
  for (let pass = 0; pass < passes; pass++) run()
  const { user, system } = process.cpuUsage(from)
  return (bytes * passes * 1e6) / Math.max(1, user + system)
}

/** Quotes, backslashes, control characters and invalid UTF-8 as the letter x: nothing is left to change on the way. */
function smooth(text: Buffer): { smoothed: Buffer; escapes: number } {
  const smoothed = Buffer.from(text)
  let escapes = 0
  for (const [at, byte] of text.entries()) {
    const isEscaped = byte === 0x22 || byte === 0x5c || (byte < 0x20 && byte !== 0x0a)
    if (isEscaped) escapes += 1
    if (isEscaped || byte >= 0x80) smoothed[at] = 0x78
  }
  return { smoothed, escapes }
}
