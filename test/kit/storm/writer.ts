import { setTimeout as delay } from 'node:timers/promises'
import { assert } from '../../../src/base/errors.ts'
import { Random } from '../../model/random.ts'
import { banner, StormLines } from './lines.ts'
import { RotatedFile, type Mode } from './rotator.ts'
import type { Written } from './tally.ts'

export interface WriterOptions {
  readonly path: string
  readonly mode: Mode | 'mixed'
  readonly seed: number
  readonly lineBytes: number
  readonly bytesPerSecond: number
  /** The load changes every few seconds, from nothing to several times `bytesPerSecond`, which then is the mean. */
  readonly isRandomLoad?: boolean
  readonly rotateMs: number
  /** Rotated files that stay; the oldest is deleted. */
  readonly keep: number
}

/** What the writer says while it writes, one JSON object a line. */
export interface Progress {
  readonly lines: number
  readonly destroyed: Written['destroyed']
}

const tickMs = 10
/** Of a random load: how long one rate holds, and how often there is none. */
const rateMs = { min: 500, max: 8_000 }
const silenceShare = 0.2
const progressMs = 100
const blockBytes = 512 * 1024
const lateMsMax = 300
const truncateMsMax = 50
const bannerLine = Buffer.from(`${banner}\n`)

/** The application and its rotator in one process. */
export class StormWriter {
  readonly #o: WriterOptions
  readonly #random: Random
  readonly #lines: StormLines
  readonly #file: RotatedFile
  readonly #block = Buffer.allocUnsafe(blockBytes + (1 << 17))
  #number = 0
  #bytes = 0
  #banners = 0
  #rotations = 0
  readonly #destroyed: [number, number][] = []
  #destroyedBytes = 0
  #owedBytes = 0
  #owedAtMs = 0
  #rate: number
  #rateUntilMs = Infinity
  readonly #beganMs = performance.now()
  stopped = false

  constructor(options: WriterOptions) {
    this.#o = options
    this.#random = new Random(options.seed)
    this.#rate = options.bytesPerSecond
    this.#lines = new StormLines(options.seed, options.lineBytes)
    this.#file = new RotatedFile(options.path, options.keep)
    this.#begin()
  }

  progress(): Progress {
    return { lines: this.#number, destroyed: this.#destroyed }
  }

  written(): Written {
    return {
      lines: this.#number,
      bytes: this.#bytes,
      banners: this.#banners,
      rotations: this.#rotations,
      destroyed: this.#destroyed,
      destroyedBanners: 0,
      destroyedBytes: this.#destroyedBytes,
      durationMs: performance.now() - this.#beganMs,
    }
  }

  /** Writes until `stopped`. */
  async run(): Promise<void> {
    this.#owedAtMs = performance.now()
    if (this.#o.isRandomLoad === true) this.#rateUntilMs = this.#owedAtMs
    let rotateAtMs = this.#owedAtMs + this.#o.rotateMs
    while (!this.stopped) {
      await this.#tick()
      if (performance.now() < rotateAtMs) continue
      rotateAtMs += this.#o.rotateMs
      await this.#rotate()
    }
    this.#file.close()
  }

  async #rotate(): Promise<void> {
    const { mode } = this.#o
    const now: Mode = mode === 'mixed' ? (this.#random.chance(0.5) ? 'rename' : 'copytruncate') : mode
    if (now === 'rename') {
      this.#file.rename()
      // An application notices late, or at once.
      if (this.#random.chance(0.5)) await this.#writeFor(this.#random.between(1, lateMsMax))
      this.#file.reopen()
    } else {
      for (const _ of this.#file.copy()) this.#write()
      const [lines, bytes] = [this.#number, this.#bytes]
      if (this.#random.chance(0.7)) await this.#writeFor(this.#random.between(1, truncateMsMax))
      const destroyedBytes = this.#file.truncate()
      assert(destroyedBytes === this.#bytes - bytes, 'what is in no copy is what was written since')
      if (this.#number > lines) this.#destroyed.push([lines + 1, this.#number])
      this.#destroyedBytes += destroyedBytes
    }
    this.#rotations++
    this.#begin()
  }

  #begin(): void {
    this.#file.append(bannerLine, 0, bannerLine.length)
    this.#banners++
    // A life of nothing but a banner is the same as the next one: nobody can tell them apart.
    if (this.#o.isRandomLoad === true) this.#put(1)
  }

  async #writeFor(durationMs: number): Promise<void> {
    const untilMs = performance.now() + durationMs
    while (performance.now() < untilMs) await this.#tick()
  }

  async #tick(): Promise<void> {
    this.#write()
    await delay(tickMs)
  }

  /** What is due, as whole lines; at most one block, so that a machine that stood still is no burst. */
  #write(): void {
    const nowMs = performance.now()
    this.#owedBytes += ((nowMs - this.#owedAtMs) / 1000) * this.#rate
    this.#owedAtMs = nowMs
    if (nowMs >= this.#rateUntilMs) this.#changeRate(nowMs)
    const wantedBytes = Math.min(this.#owedBytes, blockBytes)
    // What is due beyond that is not made up for.
    if (this.#owedBytes > blockBytes * 8) this.#owedBytes = blockBytes
    this.#put(wantedBytes)
  }

  /** Whole lines, as many as it takes. */
  #put(wantedBytes: number): void {
    let end = 0
    while (end < wantedBytes) end = this.#lines.put(this.#block, end, ++this.#number)
    if (end === 0) return
    this.#file.append(this.#block, 0, end)
    this.#bytes += end
    this.#owedBytes -= end
  }

  /** Exponential, so that most are small and some are large. */
  #changeRate(nowMs: number): void {
    const random = this.#random
    const mean = this.#o.bytesPerSecond / (1 - silenceShare)
    this.#rate = random.chance(silenceShare) ? 0 : -Math.log(1 - random.next()) * mean
    this.#rateUntilMs = nowMs + random.between(rateMs.min, rateMs.max)
  }
}

function say(what: Progress | { readonly written: Written }): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}

if (import.meta.main) {
  const options: WriterOptions = JSON.parse(process.argv[2] ?? '')
  const writer = new StormWriter(options)
  const progress = setInterval(() => say(writer.progress()), progressMs)
  // The other end of this pipe asks for the end, or is gone.
  process.stdin.on('close', () => (writer.stopped = true)).resume()
  await writer.run()
  clearInterval(progress)
  say({ written: writer.written() })
}
