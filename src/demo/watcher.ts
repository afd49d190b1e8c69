import { type Clock, sleep } from '../base/clock.ts'
import { memoryLimit } from '../base/memory.ts'
import { reserveBytes } from '../queue/plan.ts'
import type { AgentProcess } from './agent-process.ts'
import { type Progress, progressLine, progressText } from './progress.ts'
import { Rate } from './rate.ts'
import type { Screen } from './screen.ts'

const lookMs = 250
/** Between two lines where no line can be written over; in a short demo a third of its time. */
const textMs = 5_000

export interface WatcherOptions {
  readonly screen: Screen
  readonly agent: AgentProcess
  readonly clock: Clock
  /** Monotonic. */
  readonly startMs: number
  readonly writeMs: number
  /** Aborts: no more waiting. */
  readonly now: AbortSignal
}

/** The most that was seen of the agent, in looks a quarter of a second apart. */
export interface Extremes {
  readonly memoryBytes: number
  readonly budgetBytes: number
  readonly lagBytes: number
}

/** Waits for what takes time, and shows meanwhile what the agent does. */
export class Watcher {
  readonly #o: WatcherOptions
  readonly #rate = new Rate()
  #progress: Progress
  #memoryMaxBytes = 0
  #lagMaxBytes = 0
  #saidStage: string | undefined
  #saidAtMs: number

  constructor(options: WatcherOptions) {
    const { startMs, writeMs } = options
    this.#o = options
    this.#saidAtMs = startMs
    const [stage, figures] = [undefined, undefined]
    this.#progress = { stage, figures, elapsedMs: 0, writeMs, linesPerSecond: 0, budgetBytes: 0 }
  }

  /**
   * @param stage    what is waited for; undefined: the writing
   * @param untilMs  after the start
   * @returns        undefined when the time is over, or `now` has aborted
   * @throws         what `awaited` rejects with
   */
  async wait<T extends object>(
    stage: string | undefined,
    awaited: Promise<T>,
    untilMs: number,
  ): Promise<T | undefined> {
    const { clock, startMs, now } = this.#o
    const settled = new AbortController()
    let value: T | undefined
    const settling = awaited.then((result) => (value = result)).finally(() => settled.abort())
    // Thrown again below; it may come while this is looking at the agent.
    settling.catch(() => undefined)
    const over = AbortSignal.any([settled.signal, now])
    while (!over.aborted && clock.monotonicMs() < startMs + untilMs) {
      await this.#look(stage)
      this.#show()
      await sleep(clock, lookMs, over)
    }
    if (settled.signal.aborted) await settling
    return value
  }

  /** Leaves the line of progress where it is, and tells of the extremes. */
  finish(): Extremes {
    const { screen } = this.#o
    const { budgetBytes } = this.#progress
    if (screen.isTerminal) screen.say(coloured({ ...this.#progress, stage: undefined }, screen))
    return { memoryBytes: this.#memoryMaxBytes, budgetBytes, lagBytes: this.#lagMaxBytes }
  }

  async #look(stage: string | undefined): Promise<void> {
    const { agent, clock, startMs } = this.#o
    const before = agent.figures
    const figures = agent.child.running ? await agent.look() : before
    const nowMs = clock.monotonicMs()
    this.#progress = { ...this.#progress, stage, elapsedMs: nowMs - startMs }
    if (figures === undefined || figures === before) return
    this.#rate.add(nowMs, figures.acknowledgedLines)
    this.#memoryMaxBytes = Math.max(this.#memoryMaxBytes, figures.memoryInUseBytes)
    this.#lagMaxBytes = Math.max(this.#lagMaxBytes, figures.unreadBytes)
    const linesPerSecond = this.#rate.perSecond()
    this.#progress = { ...this.#progress, figures, linesPerSecond, budgetBytes: budgetOf(figures.arenaBytes) }
  }

  #show(): void {
    const { screen, clock, writeMs } = this.#o
    if (screen.isTerminal) {
      screen.live(coloured(this.#progress, screen))
      return
    }
    const nowMs = clock.monotonicMs()
    const isDue = nowMs - this.#saidAtMs >= Math.min(textMs, writeMs / 3)
    if (!isDue && this.#progress.stage === this.#saidStage) return
    this.#saidAtMs = nowMs
    this.#saidStage = this.#progress.stage
    screen.say(progressText(this.#progress))
  }
}

function coloured(progress: Progress, screen: Screen): string {
  const bar = (_: string, done: string, rest: string) => screen.style('green', done) + screen.style('dim', rest)
  return progressLine(progress, screen.columns).replace(/^(━*)(─*)/, bar)
}

/**
 * The container's limit where there is one: then all of its processes count, this one too. Else the agent's own plan,
 * as only its own memory counts.
 */
function budgetOf(arenaBytes: number): number {
  const limit = memoryLimit()
  return limit.origin.startsWith('cgroup') ? limit.bytes : reserveBytes + arenaBytes
}
