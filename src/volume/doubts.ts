import { limits } from '../base/limits.ts'

/** Why it is not known how much a volume holds. */
export type Doubt =
  /** Nothing of it could be measured, since it was last. `path`: what could not be looked at. */
  | { readonly kind: 'unmeasured'; readonly path: string; readonly code: string }
  /** A directory or file in it could not be looked at, the first one: it holds more than was measured. */
  | { readonly kind: 'partly'; readonly path: string; readonly code: string }
  /** There is more in it than is looked at. */
  | { readonly kind: 'more'; readonly entries: number }

interface Known {
  doubt: Doubt | undefined
  /** Of what was said last; empty: that all is well, or nothing yet. */
  saidKey: string
  saidAtMs: number
}

/** What to say of what cannot be measured: once for each change, and what comes and goes once a minute at most. */
export class VolumeDoubts {
  readonly #say: (volume: string, doubt: Doubt | undefined) => void
  readonly #known = new Map<string, Known>()

  /** @param say  undefined: it is measured again */
  constructor(say: (volume: string, doubt: Doubt | undefined) => void) {
    this.#say = say
  }

  /** As of now. */
  get all(): ReadonlyMap<string, Doubt> {
    const all = new Map<string, Doubt>()
    for (const [volume, { doubt }] of this.#known) if (doubt !== undefined) all.set(volume, doubt)
    return all
  }

  take(volume: string, doubt: Doubt | undefined, nowMs: number): void {
    let known = this.#known.get(volume)
    if (known === undefined) this.#known.set(volume, (known = { doubt, saidKey: '', saidAtMs: -Infinity }))
    known.doubt = doubt
    const key = doubt === undefined ? '' : keyOf(doubt)
    if (key === known.saidKey || nowMs - known.saidAtMs < limits.troubleIntervalMs) return
    known.saidKey = key
    known.saidAtMs = nowMs
    this.#say(volume, doubt)
  }

  /** Others than these are no volumes any more. */
  keep(volumes: readonly string[]): void {
    for (const volume of this.#known.keys()) if (!volumes.includes(volume)) this.#known.delete(volume)
  }
}

/** Without the path: of many directories that come and go now this one is the first and now that one. */
function keyOf(doubt: Doubt): string {
  return doubt.kind === 'more' ? doubt.kind : `${doubt.kind} ${doubt.code}`
}
