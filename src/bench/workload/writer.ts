import { join } from 'node:path'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { randomFrom } from '../../demo/lines.ts'
import type { Written } from '../target.ts'
import type { Workload } from '../types.ts'
import { monotonicUs } from './clock.ts'
import { Descriptors } from './descriptors.ts'
import { filesMax, logName } from './head.ts'
import { LineRing, textsOf } from './lines.ts'
import { type DestroyedLines, LogFile } from './log-file.ts'
import { dueAtMs, dueBytes } from './rate.ts'

export interface WriterPlan {
  readonly workload: Workload
  /** It is there, and empty. */
  readonly directory: string
  /** See `clock.ts`. */
  readonly wallFromMonotonicUs: number
}

/** Between two looks at what is due: an even beat would fall in with that of whoever polls. */
const tickMs = { min: 1, spread: 1.5, max: 100 }
/** One turn writes no more before commands are heard. */
const turnBytesMax = 2 * 1024 * 1024
/** Many files share what is due; but each write has so much of a second's bytes at least. */
const writesPerSecondMax = 20_000
const backlogPieceBytes = 512 * 1024
const lateShare = 0.5

/** The application and its rotator. */
export class WorkloadWriter {
  readonly #plan: WriterPlan
  readonly #ring: LineRing
  readonly #random: () => number
  readonly #descriptors = new Descriptors()
  readonly #files: LogFile[]
  readonly #destroyed: { file: number; from: number; to: number }[] = []
  readonly #rotating = new Map<number, Generator<void, DestroyedLines | undefined>>()
  readonly #next = { file: 0, rotation: 1 }
  #cpuFrom = process.cpuUsage()
  #beganUs = 0
  #lastUs = 0
  /** Of the active files, by the rate. */
  #rateBytes = 0
  #idleBytes = 0
  #lateMsMax = 0
  #idleLines = 0
  #activeLines = 0
  stopped = false

  /** @throws RemoraError when the sample cannot be taken */
  constructor(plan: WriterPlan) {
    const { workload, directory } = plan
    const { seed, mix, files, activeFiles, rotation } = workload
    if (files > filesMax || activeFiles > files || activeFiles < 1) {
      throw new RangeError(`files are 1 to ${filesMax}, and of these at least one is active`)
    }
    if (rotation.kind !== 'none' && !(rotation.keep >= 1 && rotation.everyMs > 0)) {
      throw new RangeError('a rotation keeps at least one file, and takes place after some time')
    }
    this.#plan = plan
    this.#random = randomFrom(seed)
    this.#ring = new LineRing(textsOf(mix, seed), seed)
    const keep = rotation.kind === 'none' ? 1 : rotation.keep
    this.#files = Array.from(
      { length: files },
      (_, file) => new LogFile(join(directory, logName(file)), file, this.#ring, this.#descriptors, keep),
    )
  }

  progress(): { lines: number; bytes: number } {
    return { lines: this.#activeLines + this.#idleLines, bytes: this.#rateBytes + this.#idleBytes }
  }

  /** Writes until it is `stopped` or done. @param begun  is called after the first line */
  async run(begun: () => void): Promise<Written> {
    const { rate, end, files, activeFiles } = this.#plan.workload
    this.#cpuFrom = process.cpuUsage()
    // The files that are only there are there before it begins.
    for (let file = activeFiles; file < files; file++) this.#writeIdle(file)
    this.#beganUs = this.#lastUs = monotonicUs()
    const mostBytes = 'bytes' in end ? end.bytes : Infinity
    const mostMs = 'seconds' in end ? end.seconds * 1e3 : Infinity
    for (let first = true; !this.stopped; first = false) {
      const elapsedMs = (monotonicUs() - this.#beganUs) / 1e3
      const dueNow = Math.min(dueBytes(rate, Math.min(elapsedMs, mostMs)), mostBytes)
      // A line is there when it begins, whatever the rate: the run counts from it.
      const owed = Math.max(dueNow - this.#rateBytes, first ? 1 : 0)
      const isBehind = owed > turnBytesMax
      if (owed > 0 && !first) {
        const lateMs = Math.min(elapsedMs, mostMs) - dueAtMs(rate, this.#rateBytes)
        this.#lateMsMax = Math.max(this.#lateMsMax, lateMs)
      }
      if (owed > 0) this.#spread(Math.min(owed, turnBytesMax))
      if (first) begun()
      this.#rotate(elapsedMs)
      if (elapsedMs >= mostMs || this.#rateBytes >= mostBytes) break
      if (isBehind) await turn()
      else await delay(this.#pauseMs(dueNow))
    }
    for (const log of this.#files) log.ended = true
    while (this.#rotating.size > 0) this.#stepRotations()
    this.#descriptors.closeAll()
    return this.#written()
  }

  #writeIdle(file: number): void {
    const log = this.#files[file]!
    this.#idleBytes += log.append(1, this.#nowUs())
    this.#idleLines++
    this.#descriptors.close(log.path)
  }

  /** Over the active files in turn, in pieces of whole lines. */
  #spread(owedBytes: number): void {
    const { rate, activeFiles } = this.#plan.workload
    const least = rate.kind === 'backlog' ? backlogPieceBytes : rate.bytesPerSecond / writesPerSecondMax
    const piece = Math.max(owedBytes / activeFiles, least, 1)
    for (let left = owedBytes; left > 0;) {
      const log = this.#files[this.#next.file]!
      this.#next.file = (this.#next.file + 1) % activeFiles
      const before = log.lines
      const nowUs = this.#nowUs()
      const bytes = log.append(Math.min(piece, left), nowUs)
      this.#activeLines += log.lines - before
      this.#rateBytes += bytes
      left -= bytes
      this.#lastUs = nowUs - this.#plan.wallFromMonotonicUs
    }
  }

  #nowUs(): number {
    return monotonicUs() + this.#plan.wallFromMonotonicUs
  }

  /** Until the next line is due. */
  #pauseMs(dueNow: number): number {
    const { rate } = this.#plan.workload
    const perSecond = rate.kind === 'backlog' ? Infinity : rate.bytesPerSecond
    const untilMs = perSecond === 0 ? Infinity : ((this.#rateBytes - dueNow) / perSecond) * 1e3
    const jitterMs = tickMs.min + this.#random() * tickMs.spread
    return Math.min(Math.max(untilMs, 0) + jitterMs, tickMs.max)
  }

  /** Each active file once in the period, one after the other. */
  #rotate(elapsedMs: number): void {
    const { rotation, activeFiles } = this.#plan.workload
    this.#stepRotations()
    if (rotation.kind === 'none') return
    const betweenMs = rotation.everyMs / activeFiles
    for (; elapsedMs >= this.#next.rotation * betweenMs; this.#next.rotation++) {
      const file = this.#next.rotation % activeFiles
      const log = this.#files[file]!
      // One that is still being copied, or has nothing in it, is left for this time.
      if (this.#rotating.has(file) || log.lines === 0) continue
      const late = this.#random() < lateShare
      this.#rotating.set(file, rotation.kind === 'rename' ? log.rename(late) : log.copytruncate())
    }
  }

  #stepRotations(): void {
    for (const [file, rotation] of this.#rotating) {
      const { done, value } = rotation.next()
      if (done !== true) continue
      this.#rotating.delete(file)
      if (value !== undefined) this.#destroyed.push({ file, ...value })
    }
  }

  #written(): Written {
    const { rate, end } = this.#plan.workload
    const { user, system } = process.cpuUsage(this.#cpuFrom)
    const asked =
      rate.kind === 'backlog'
        ? undefined
        : Math.min(
            dueBytes(rate, (this.#lastUs - this.#beganUs) / 1e3),
            'bytes' in end ? end.bytes : dueBytes(rate, end.seconds * 1e3),
          )
    return {
      ...this.progress(),
      linesOfFiles: this.#files.map(({ lines }) => lines),
      destroyed: this.#destroyed,
      firstAtMs: this.#beganUs / 1e3,
      lastAtMs: this.#lastUs / 1e3,
      cpuUs: user + system,
      ...(asked !== undefined && {
        rateShare: asked > 0 ? Math.min(1, this.#rateBytes / asked) : 1,
        lateMsMax: this.#lateMsMax,
      }),
    }
  }
}
