import { limits } from '../../base/limits.ts'
import type { Figures, OutcomeFigures } from '../figures.ts'
import type { Remembered } from '../recent.ts'
import type { FileList, FileRow } from './file-row.ts'
import { wordsOf, type Words } from './words.ts'

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
  readonly figures: Omit<Figures, 'byFile' | 'events' | 'denied' | 'memoryLimitBytes'> & {
    readonly memoryLimitBytes: number | null
  }
  readonly sentBytes: number
  readonly outcomes: readonly OutcomeFigures[]
  /** Newest first. */
  readonly warnings: readonly Remembered[]
  readonly files: Omit<FileList, 'rows'> & { readonly rows: readonly FileRow[] }
}

export function statusOf(sources: StatusSources): Status {
  const { version, startedAtMs, nowMs, place, figures, files, outcomes, sentBytes, warnings } = sources
  const { byFile: _, events: __, denied, memoryLimitBytes, ...rest } = figures
  const healthDetail = shortened(figures.healthDetail, limits.recentCharactersMax)
  const shortly = denied.map((each) => ({ ...each, path: shortened(each.path, limits.statusPathMax) }))
  return {
    version,
    startedAtMs,
    nowMs,
    place,
    words: wordsOf({ ...figures, healthDetail, denied: shortly }),
    figures: {
      ...rest,
      healthDetail,
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

/** Beginning and end: a name ends with what tells it from others. Never a half of a character. */
function shortened(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text
  const half = Math.floor((charactersMax - 1) / 2)
  return `${text.slice(0, half).toWellFormed()}…${text.slice(-half).toWellFormed()}`
}
