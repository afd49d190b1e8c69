import type { LineFigures } from '../figures.ts'

/** What the page tells of one file; the lines in it as in the ledger. */
export interface FileRow extends Pick<
  LineFigures,
  'readLines' | 'acknowledgedLines' | 'heldLines' | 'deadLetteredLines' | 'lostLines' | 'gapBytes' | 'droppedBytes'
> {
  /** The name under which it was first found; undefined: all files that have neither an account nor anything left of their own. */
  readonly path: string | undefined
  /** Lives of it that are not read to their end for good. */
  readonly lives: number
  /** Of all its lives. */
  readonly unreadBytes: number
  /** For how long something of it that could be read has not been, at the most. */
  readonly lagSeconds: number
  /** Of its newest life: everything before the first is in a batch, and before the second has its verdict. */
  readonly offsetBytes: number
  readonly shippedBytes: number
  readonly sizeBytes: number
  /** Why what is left of it cannot be read: a code; empty: it can. */
  readonly unreadable: string
}

/** Files that have something to tell, the worst first, as many as there is room for. */
export interface FileList {
  /** Part of the name that was asked for; empty: any. */
  readonly find: string
  /** How many there are with that name, and how many in all. */
  readonly matching: number
  readonly known: number
  readonly rows: readonly FileRow[]
}
