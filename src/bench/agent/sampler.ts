import { sleep, systemClock } from '../../base/clock.ts'
import type { Arrived, Target, Writer } from '../target.ts'
import type { Moment } from '../types.ts'
import type { Use } from './use.ts'
import { WrittenSoFar } from './written-so-far.ts'

/** So often the agent's memory is looked at: a peak is the largest of these looks. */
export const sampleMs = 50
/** So often what was seen becomes a moment, for which the target is asked too. */
export const momentMs = 250
const momentsMax = 20_000

/** Where the warm-up ends. */
export interface Warm {
  readonly cpuUs: number
  readonly writtenBytes: number
}

export interface Seen {
  readonly cpu: { readonly userUs: number; readonly systemUs: number }
  readonly throttledMs: number
  /** The peak of all, the mean without the warm-up. */
  readonly memory: { readonly peakBytes: number; readonly meanBytes: number }
  /** Undefined where there was no warm-up. */
  readonly warm: Warm | undefined
  /** `atMs` is CLOCK_MONOTONIC. */
  readonly moments: readonly Moment[]
}

type Watched = { use(): Use }

/** Looks at the agent while it runs. The target is asked beside, for what has come; that one is late never holds up a look. */
export class Sampler {
  readonly #agent: Watched
  readonly #writer: Pick<Writer, 'progress'>
  readonly #target: Pick<Target, 'arrived'>
  readonly #timer: NodeJS.Timeout
  #base: Use | undefined
  #last: Use
  #warm: Warm | undefined
  #peakBytes = 0
  #sumBytes = 0
  #looks = 0
  #arrived: Pick<Arrived, 'storedLines' | 'storedBytes' | 'isGuess'> = { storedLines: 0, storedBytes: 0 }
  readonly #written = new WrittenSoFar()
  #isAsking = false
  #momentAtMs = 0
  readonly #moments: Moment[] = []

  constructor(agent: Watched, writer: Pick<Writer, 'progress'>, target: Pick<Target, 'arrived'>) {
    this.#agent = agent
    this.#writer = writer
    this.#target = target
    this.#last = agent.use()
    this.#timer = setInterval(() => this.#look(), sampleMs)
  }

  /** The writer starts now. @param fromHere  what was spent so far is the start's, and not counted */
  begin(fromHere: boolean): void {
    this.#look()
    if (fromHere) this.#base = this.#last
  }

  /** The code that lines run through is compiled by now: what was spent until here is told apart. */
  warmedUp(): void {
    this.#look()
    this.#warm = { cpuUs: this.#cpuUs, writtenBytes: this.#writer.progress.bytes }
    this.#sumBytes = 0
    this.#looks = 0
  }

  /** Since `begin`. */
  get #cpuUs(): number {
    const [{ cpu }, base] = [this.#last, this.#base?.cpu]
    return cpu.userUs + cpu.systemUs - (base?.userUs ?? 0) - (base?.systemUs ?? 0)
  }

  #look(): void {
    this.#written.add(this.#writer.progress)
    this.#last = this.#agent.use()
    const { usedBytes } = this.#last
    this.#peakBytes = Math.max(this.#peakBytes, usedBytes)
    this.#sumBytes += usedBytes
    this.#looks += 1
    const atMs = nowMs()
    if (atMs - this.#momentAtMs < momentMs || this.#moments.length >= momentsMax || this.#isAsking) return
    void this.#moment(atMs)
  }

  /** Never rejects: a target that does not answer now is as it was at the look before. */
  async #moment(atMs: number): Promise<void> {
    this.#momentAtMs = atMs
    const { usedBytes } = this.#last
    const written = this.#writer.progress.bytes
    const cpuUs = this.#cpuUs
    this.#isAsking = true
    try {
      this.#arrived = await this.#target.arrived()
    } catch {
      // What is wrong with it shows when it is asked for the account.
    }
    this.#isAsking = false
    const { storedLines, isGuess } = this.#arrived
    const storedBytes = isGuess === true ? this.#written.bytesOf(storedLines) : this.#arrived.storedBytes
    this.#moments.push({ atMs, usedBytes, lagBytes: Math.max(0, written - storedBytes), storedBytes, cpuUs })
  }

  /** The last look, and its moment: how far it came in the end. */
  async finish(): Promise<Seen> {
    const seen = this.end()
    if (this.#moments.length >= momentsMax) return seen
    await this.#moment(nowMs())
    return { ...seen, moments: this.#moments.toSorted((x, y) => x.atMs - y.atMs) }
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return sleep(systemClock, ms, signal)
  }

  /** No more looks. May be called again. */
  end(): Seen {
    this.#look()
    clearInterval(this.#timer)
    const { cpu, throttledMs } = this.#last
    const base = this.#base
    return {
      cpu: {
        userUs: cpu.userUs - (base?.cpu.userUs ?? 0),
        systemUs: cpu.systemUs - (base?.cpu.systemUs ?? 0),
      },
      throttledMs: throttledMs - (base?.throttledMs ?? 0),
      memory: { peakBytes: this.#peakBytes, meanBytes: this.#looks === 0 ? 0 : this.#sumBytes / this.#looks },
      warm: this.#warm,
      moments: [...this.#moments],
    }
  }
}

/** CLOCK_MONOTONIC, as the writer and the target have it. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
