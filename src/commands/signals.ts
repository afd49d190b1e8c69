/** The first signal asks to drain, the second to stop at once. */
export interface Signals {
  readonly first: Promise<string>
  readonly second: AbortSignal
}

/** A terminal sends Ctrl-C to the whole group and npm passes it on: one wish, told twice. */
const echoMs = 500

/** Takes the signals from now on. As early as can be: as process 1 of a container, one that nobody takes is ignored. */
export function listenForSignals(): Signals {
  const second = new AbortController()
  const first = Promise.withResolvers<string>()
  let toldMs: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const nowMs = performance.now()
      if (toldMs !== undefined && nowMs - toldMs > echoMs) second.abort()
      toldMs ??= nowMs
      first.resolve(signal)
    })
  }
  return { first: first.promise, second: second.signal }
}
