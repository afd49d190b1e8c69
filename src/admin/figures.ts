import type { Cause, State } from './backpressure-words.ts'

/** What became of the lines of one file, or of all of them; see `settle/ledger.ts`. */
export interface LineFigures {
  readonly readLines: number
  readonly readBytes: number
  readonly acknowledgedLines: number
  readonly duplicateLines: number
  readonly possiblyDuplicatedLines: number
  readonly failureStoredLines: number
  readonly filteredLines: number
  /** Refused for good: dead-lettered or lost, then or later. */
  readonly refusedLines: number
  readonly deadLetteredLines: number
  /** Of those lost, the ones that were dead-lettered before. */
  readonly expiredLines: number
  readonly lostLines: number
  readonly acknowledgedBytes: number
  readonly refusedBytes: number
  /** Of the refused ones, those that were kept, for however long. */
  readonly deadLetteredBytes: number
  readonly lostBytes: number
  readonly heldLines: number
  readonly cutLines: number
  readonly skippedBytes: number
  readonly gapBytes: number
  readonly gaps: number
  /** Deleted for the volume: unshipped ones with the bytes that nobody had read, and shipped ones with the room they took up. */
  readonly droppedFiles: number
  readonly droppedBytes: number
  readonly freedFiles: number
  readonly freedBytes: number
  readonly unreadBytes: number
}

export interface FileFigures extends LineFigures {
  /** The name under which it was first found; undefined: all files that have no row of their own. */
  readonly path: string | undefined
  /** For how long something readable of it has not been read, at the most. */
  readonly lagSeconds: number
}

/** Bulk requests with one outcome. */
export interface OutcomeFigures {
  readonly outcome: string
  readonly count: number
  readonly meanSeconds: number
  /** Of a hundred, 95 took no longer than this bound; null: no bound is that large. */
  readonly mostSeconds: number | null
}

/** How many files have unread bytes that nobody can read, for one reason: a code of the system, or what Remora failed at. */
export interface UnreadableFigures {
  readonly reason: string
  readonly count: number
}

/** Files and directories that their owner and mode keep from Remora, for one reason. */
export interface DeniedFigures {
  /** As many as are remembered. */
  readonly files: number
  /** One of them. */
  readonly path: string
  /** Owner and mode, and the own uid and groups. */
  readonly why: string
  readonly wayOut: string
}

/** What metrics and the status page show. */
export interface Figures extends LineFigures {
  readonly files: number
  readonly openFiles: number
  readonly openFilesMax: number
  readonly unreadableFiles: readonly UnreadableFigures[]
  /** What the rights are that forbid it, the commonest first and a few only. */
  readonly denied: readonly DeniedFigures[]
  readonly directories: number
  /** Of these, the ones that could not be listed, or not wholly; and those that cannot be watched. */
  readonly unreadableDirectories: number
  readonly unwatchableDirectories: number
  readonly slots: number
  readonly slotsTaken: number
  readonly requestsUnderWay: number
  /** What the server can take at once, as found out so far. */
  readonly requestsMax: number
  readonly requestBytesMax: number
  readonly memoryInUseBytes: number
  readonly memoryLimitBytes: number
  readonly arenaBytes: number
  /** Batch slots of the memory plan, and how often one was given back for want of memory, and taken again. */
  readonly slotsPlanned: number
  readonly slotsGivenBack: number
  readonly slotsTakenAgain: number
  /** Garbage collected at once, for want of memory. */
  readonly memoryCollections: number
  /** The limit was another one than before. */
  readonly memoryResizes: number
  /** The kernel found no memory for the container. */
  readonly memoryOoms: number
  /** Undefined where the kernel does not say. */
  readonly memoryStalledSeconds: number | undefined
  readonly checkpointAgeSeconds: number | undefined
  readonly checkpointFailures: number
  /** The last attempt was one of these. */
  readonly checkpointFailing: boolean
  /** Dead letters in their directory, whoever has put them there. */
  readonly letters: number
  readonly letterBytes: number
  readonly letterBytesMax: number
  /** Gone because there were too many; of these, the ones of an earlier process, which are no lines of this ledger. */
  readonly expiredLetters: number
  readonly expiredEarlierLetters: number
  /** Brought to an index. */
  readonly movedLetters: number
  /** Of the fullest volume of logs; the limit is 0 where there is none. */
  readonly volumeUsedBytes: number
  readonly volumeLimitBytes: number
  /** In deleted files that are held open. */
  readonly volumeHeldBytes: number
  /** That cannot be measured, or not wholly. */
  readonly volumesInDoubt: number
  /** Own messages that were not said, for there were too many of their kind. */
  readonly unsaidMessages: number
  readonly phase: 'starting' | 'shipping' | 'draining'
  /** The state that Elasticsearch is in, and what the last request told. */
  readonly health: string
  readonly healthDetail: string
  /** Whether what is written is shipped at once, and what is in the way; for how long. */
  readonly backpressure: {
    readonly state: State
    readonly cause: Cause
    readonly forSeconds: number
    readonly blockedSeconds: number
    readonly lagSeconds: number
    readonly heldSeconds: number
    readonly throttle:
      | {
          readonly quotaCores: number
          readonly periods: number
          readonly throttledPeriods: number
          readonly throttledMs: number
        }
      | undefined
  }
  readonly events: readonly { readonly kind: string; readonly why: string; readonly count: number }[]
  /** In an order that stays as it is. */
  readonly byFile: readonly FileFigures[]
}
