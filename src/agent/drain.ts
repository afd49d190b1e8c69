import { limits } from '../base/limits.ts'

/** Milliseconds after the signal. */
export interface StopTimes {
  /** From here on nobody waits for more: the next look, once everything seen is shipped, is the last one. */
  readonly enoughMs: number
  /** Files are followed until here at the most, shipped or not: what a last look shows then is the rest. */
  readonly followMs: number
  /** Requests under way are given up, for the checkpoint and the last message need time. */
  readonly cutMs: number
  /** Nothing is waited for any more, not even a disk that hangs. */
  readonly endMs: number
}

/**
 * @param graceMs  what the settings give
 * @param quietMs  how long the files must have been quiet; 0: nobody is expected to write any more
 */
export function stopTimes(graceMs: number, quietMs: number): StopTimes {
  const followMs = Math.max(0, graceMs - limits.drainReserveMs)
  return {
    enoughMs: quietMs > 0 ? followMs : Math.min(followMs, limits.drainFollowMs),
    followMs,
    cutMs: graceMs - Math.min(limits.shutdownReserveMs, graceMs / 2),
    endMs: graceMs - Math.min(limits.shutdownMessageMs, graceMs / 4),
  }
}

/** `none`: something came since the last look at everything; `nothing`: it found nothing; `last`: there will be no other. */
export type LastLook = 'none' | 'nothing' | 'last'

export interface DrainFacts {
  /** Nothing is readable, nothing is in a batch, no request is under way. */
  readonly idle: boolean
  readonly lastLook: LastLook
  readonly nowMs: number
  /** When a file grew last, came, or went; or the signal. */
  readonly newsAtMs: number
  readonly quietMs: number
  /** When following ends, quiet or not, shipped or not. */
  readonly untilMs: number
}

export type DrainStep =
  | { readonly do: 'look' | 'stop' }
  /** Ship and follow on: the next step is due in so long, or when something comes. */
  | { readonly do: 'wait'; readonly ms: number }

/**
 * What a drain does next. Files are followed until they were quiet for `quietMs` and a look at everything has found
 * nothing more; at `untilMs` the look is the last one, and what it shows is shipped, whatever is written after it.
 */
export function drainStep({ idle, lastLook, nowMs, newsAtMs, quietMs, untilMs }: DrainFacts): DrainStep {
  if (lastLook === 'last') return idle ? { do: 'stop' } : { do: 'wait', ms: Infinity }
  if (nowMs >= untilMs) return { do: 'look' }
  const endMs = idle ? Math.min(newsAtMs + quietMs, untilMs) : untilMs
  if (nowMs < endMs) return { do: 'wait', ms: endMs - nowMs }
  return { do: lastLook === 'nothing' ? 'stop' : 'look' }
}

/** Remembers for `drainStep` what the last look was. */
export class Drain {
  readonly #startedMs: number
  readonly #quietMs: number
  readonly #enoughMs: number
  readonly #untilMs: number
  #lastLook: LastLook = 'none'

  constructor(nowMs: number, quietMs: number, { enoughMs, followMs }: StopTimes) {
    this.#startedMs = nowMs
    this.#quietMs = quietMs
    this.#enoughMs = nowMs + enoughMs
    this.#untilMs = nowMs + followMs
  }

  /** Files are still looked at. */
  get follows(): boolean {
    return this.#lastLook !== 'last'
  }

  /** @param idle  everything that was seen is answered for @param newsAtMs  when a file grew last, came, or went */
  next(idle: boolean, nowMs: number, newsAtMs: number): DrainStep {
    const [quietMs, untilMs] = [this.#quietMs, this.#untilMs]
    const facts = { idle, nowMs, newsAtMs: Math.max(newsAtMs, this.#startedMs), quietMs, untilMs }
    const step = drainStep({ ...facts, lastLook: this.#lastLook })
    if (step.do === 'look') this.#lastLook = nowMs < this.#enoughMs ? 'nothing' : 'last'
    else if (step.do === 'wait' && this.follows) this.#lastLook = 'none'
    return step
  }
}
