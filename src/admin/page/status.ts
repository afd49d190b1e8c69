import { limits } from '../../base/limits.ts'
import { causeTexts, stateTexts } from '../backpressure-words.ts'
import type { Figures } from '../figures.ts'
import type { OutcomeFigures } from '../outcomes.ts'
import type { Remembered } from '../recent.ts'
import type { FileList, FileRow } from './file-row.ts'

/** Where this is: several tabs of a browser may each show another Pod. */
export interface Place {
  readonly target: string
  readonly pod: string | undefined
  readonly namespace: string | undefined
  readonly node: string | undefined
  readonly service: string | undefined
}

export interface StatusSources {
  readonly version: string
  readonly startedAtMs: number
  readonly nowMs: number
  readonly place: Place
  readonly figures: Figures
  readonly files: FileList
  readonly outcomes: readonly OutcomeFigures[]
  readonly sentBytes: number
  readonly warnings: readonly Remembered[]
}

/** All that the page shows, and all that it is told: as `/status.json` gives it. Bounded, whatever files there are. */
export interface Status {
  readonly version: string
  /** Wall clock, epoch milliseconds; another start is another process, and its figures begin at zero. */
  readonly startedAtMs: number
  readonly nowMs: number
  readonly place: Place
  readonly words: Words
  /** `memoryLimitBytes` is null where there is no limit: JSON has no infinity. */
  readonly figures: Omit<Figures, 'byFile' | 'events' | 'memoryLimitBytes'> & {
    readonly memoryLimitBytes: number | null
  }
  readonly sentBytes: number
  readonly outcomes: readonly OutcomeFigures[]
  /** Newest first. */
  readonly warnings: readonly Remembered[]
  readonly files: Omit<FileList, 'rows'> & { readonly rows: readonly FileRow[] }
}

/** `well`: nothing to do; `busy`: it will pass; `bad`: somebody should look. */
export type Tone = 'well' | 'busy' | 'bad'

export interface Words {
  readonly tone: Tone
  readonly phase: string
  readonly health: string
  readonly isHealthBad: boolean
  readonly state: string
  /** Why it does not flow, and the way out; empty while it flows. */
  readonly cause: string
  readonly wayOut: string
}

const healthWords: Readonly<Record<string, string>> = {
  unknown: 'nothing was sent yet',
  ok: 'takes documents',
  unreachable: 'does not answer',
  overloaded: 'asks for time',
  holding: 'refuses the target: someone has to mend it',
}

const phaseWords: Readonly<Record<Figures['phase'], string>> = {
  starting: 'starting: looking at the files for the first time',
  shipping: 'following and shipping',
  draining: 'stopping: shipping the rest',
}

export function statusOf(sources: StatusSources): Status {
  const { version, startedAtMs, nowMs, place, figures, files, outcomes, sentBytes, warnings } = sources
  const { byFile: _, events: __, memoryLimitBytes, healthDetail, ...rest } = figures
  return {
    version,
    startedAtMs,
    nowMs,
    place,
    words: wordsOf(figures),
    figures: {
      ...rest,
      healthDetail: shortened(healthDetail, limits.recentCharactersMax),
      memoryLimitBytes: Number.isFinite(memoryLimitBytes) ? memoryLimitBytes : null,
    },
    sentBytes,
    outcomes,
    warnings,
    files: {
      ...files,
      rows: files.rows.map((row) => ({ ...row, path: row.path && shortened(row.path, limits.statusPathMax) })),
    },
  }
}

export function wordsOf({ phase, health, backpressure: { state, cause } }: Figures): Words {
  const [why, wayOut] = cause === 'none' ? ['', ''] : causeTexts[cause]
  // That a request is put off now and then is how the server's capacity is found.
  const isHealthBad =
    health === 'unreachable' || health === 'holding' || (health === 'overloaded' && state !== 'flowing')
  const isFlowing = state === 'flowing' && !isHealthBad
  return {
    tone: isFlowing ? 'well' : cause === 'one_core' && !isHealthBad ? 'busy' : 'bad',
    phase: phaseWords[phase],
    health: healthWords[health] ?? health,
    isHealthBad,
    state: stateTexts[state],
    cause: why,
    wayOut,
  }
}

/** Beginning and end: a name ends with what tells it from others. Never a half of a character. */
export function shortened(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text
  const half = Math.floor((charactersMax - 1) / 2)
  return `${text.slice(0, half).toWellFormed()}…${text.slice(-half).toWellFormed()}`
}
