/** Time as an argument: nothing outside `base/` asks the machine for the time or sets a timer of its own. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump; only for what a person or a document reads. */
  nowMs(): number
  /** Milliseconds from an arbitrary start that never run backwards. For every duration. */
  monotonicMs(): number
  /** Runs `run` once after `delayMs`. */
  after(delayMs: number, run: () => void): Timer
}

export interface Timer {
  cancel(): void
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs)
    return { cancel: () => clearTimeout(handle) }
  },
}

/** Resolves after `delayMs`, or at once when `signal` aborts: the caller looks at the signal, nothing throws. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const finish = () => {
      timer.cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const timer = clock.after(delayMs, finish)
    signal?.addEventListener('abort', finish)
  })
}
