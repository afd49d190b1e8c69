import type { Notice } from '../admin/logger.ts'
import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Health } from '../ship/shipper.ts'

export interface Said {
  readonly level: 'info' | 'warn'
  readonly notice: Notice
}

type Trouble = Exclude<Health['state'], 'unknown' | 'ok'>

const words: Readonly<Record<Trouble, readonly [message: string, wayOut: string]>> = {
  unreachable: ['Elasticsearch cannot be reached', '`remora check` tells more.'],
  overloaded: ['Elasticsearch asks for time', 'Its write load is more than it can take; lines wait in their files.'],
  holding: [
    'Elasticsearch refuses the target',
    'Mend the credentials, their privileges, or the index (`remora check` tells which), or its pipeline or routing (REMORA_PIPELINE, REMORA_ROUTING, index.default_pipeline), of which a 400 may come.',
  ],
}

/**
 * What of the server's health is worth a line in the log: a trouble when it begins, not at each attempt, and its end if it
 * was said. One that comes and goes is said once a minute at most. A request that is put off now and then is how the
 * server's capacity is found: only when nothing gets through for a while it is a trouble.
 */
export class Troubles {
  readonly #clock: Clock
  /** Under way: what it is, and since when; undefined: documents are taken. */
  #now: { readonly state: Trouble; readonly sinceMs: number } | undefined
  /** The last one that was said and has not been said to be over. */
  #open: { readonly state: Trouble; readonly detail: string } | undefined
  #saidAtMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  take(health: Health): Said | undefined {
    const nowMs = this.#clock.monotonicMs()
    if (health.state === 'unknown') return undefined
    if (health.state === 'ok') {
      this.#now = undefined
      if (this.#open === undefined) return undefined
      this.#open = undefined
      return { level: 'info', notice: { code: 'ELASTICSEARCH_OK', message: 'Elasticsearch takes documents again' } }
    }
    const { state, detail } = health
    if (this.#now?.state !== state) this.#now = { state, sinceMs: nowMs }
    if (this.#open?.state === state && this.#open.detail === withoutUrls(detail)) return undefined
    if (state === 'overloaded' && nowMs - this.#now.sinceMs < limits.overloadUnsaidMs) return undefined
    if (nowMs - this.#saidAtMs < limits.troubleIntervalMs) return undefined
    this.#open = { state, detail: withoutUrls(detail) }
    this.#saidAtMs = nowMs
    const [message, wayOut] = words[state]
    return {
      level: 'warn',
      notice: {
        code: `ELASTICSEARCH_${state.toUpperCase()}`,
        message: `${message}: ${detail}. Nothing is given up: it is tried again until it works`,
        wayOut,
      },
    }
  }
}

/** Of several nodes that are away now this one is named and now that one: it is one trouble. */
function withoutUrls(detail: string): string {
  return detail.replaceAll(/https?:\/\/\S+/g, '')
}
