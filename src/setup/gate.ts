import { limits } from '../base/limits.ts'
import type { Send, Sent } from '../ship/transport.ts'
import type { Outcome } from './act.ts'

export interface GateOptions {
  readonly send: Send
  /** One attempt at putting everything in place. */
  readonly attempt: () => Promise<Outcome>
  /** Whether the server answers at all. */
  readonly answers: () => Promise<boolean>
  /** The last attempt: documents are sent from now on, whatever came of it. */
  readonly over: (outcome: Outcome) => void
}

/**
 * A `Send` whose first requests wait for the setup: the first document would otherwise make the index, with a mapping that nobody
 * chose. While the server is away, or refuses the credentials, each attempt is a failed request, which the shipper tries again as any other.
 * Otherwise nothing holds documents back for long: what the server refuses is said, and they are sent all the same.
 */
export function sendAfterSetup(options: GateOptions): Send {
  const { send, attempt, answers, over } = options
  let open = false
  let tries = 0
  let underWay: Promise<Outcome> | undefined

  async function run(): Promise<Outcome> {
    const outcome = await attempt()
    if (outcome.kind === 'later' && outcome.status !== 401) {
      // A server that is away is waited for; one that is there, and cannot do this alone, is not.
      if (outcome.status !== undefined || (await answers())) tries++
      if (tries < limits.setupTriesMax) return outcome
    }
    open = outcome.kind !== 'later' || outcome.status !== 401
    if (open) over(outcome)
    return outcome
  }

  return async (body, documents, signal, asking) => {
    if (open) return send(body, documents, signal, asking)
    underWay ??= run().finally(() => (underWay = undefined))
    const outcome = await orAborted(underWay, signal)
    if (open && !signal.aborted) return send(body, documents, signal, asking)
    if (outcome?.kind !== 'later') return notSent('stopped')
    // As the request itself would have been answered: somebody has to mend the credentials.
    if (outcome.status === 401) return { kind: 'status', status: 401, errorType: '', retryAfterMs: 0 }
    return notSent(`templates are not in place yet (REMORA_SETUP): ${outcome.message}`)
  }
}

/** Nothing has left: nothing is in doubt. */
function notSent(message: string): Sent {
  return { kind: 'failed', message, reached: false, stale: false }
}

/** Undefined when the signal aborts first. */
function orAborted(outcome: Promise<Outcome>, signal: AbortSignal): Promise<Outcome | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome | undefined>()
  const abort = () => resolve(undefined)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  outcome.then(resolve, reject)
  return promise.finally(() => signal.removeEventListener('abort', abort))
}
