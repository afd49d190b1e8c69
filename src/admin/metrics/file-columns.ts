import type { FileFigures } from '../figures.ts'
import type { Columns } from './file-series.ts'

type Read = (file: FileFigures) => number

/** What a line of a file is counted as; those held are a gauge, for they leave again. */
export const fileAccounts: readonly (readonly [account: string, read: Read])[] = [
  ['read', (file) => file.readLines],
  ['acknowledged', (file) => file.acknowledgedLines],
  ['filtered', (file) => file.filteredLines],
  // With those that had to go later: what is counted never falls.
  ['dead_lettered', (file) => file.deadLetteredLines + file.expiredLines],
  ['lost', (file) => file.lostLines],
]

/** About one file: name, help, how it is read. */
export const fileCounts: readonly (readonly [name: string, help: string, read: Read])[] = [
  ['remora_file_read_bytes_total', 'Bytes read from a file.', (file) => file.readBytes],
  ['remora_file_dropped_bytes_total', 'Bytes of a file deleted unshipped for the volume.', (file) => file.droppedBytes],
  ['remora_file_gap_bytes_total', 'Bytes of a file that vanished before they were read.', (file) => file.gapBytes],
]

export const fileGauges: readonly (readonly [name: string, help: string, read: Read, of: 'sum' | 'most'])[] = [
  ['remora_file_held_lines', 'Lines of a file in a batch, without a final verdict.', (file) => file.heldLines, 'sum'],
  ['remora_file_unread_bytes', 'Bytes of a file that were not read yet.', (file) => file.unreadBytes, 'sum'],
  [
    'remora_file_lag_seconds',
    'Time for which something readable of a file has not been read, at the most; of `other` the longest.',
    (file) => file.lagSeconds,
    'most',
  ],
]

export const fileColumns: Columns = {
  counts: [...fileAccounts.map(([, read]) => read), ...fileCounts.map(([, , read]) => read)],
  gauges: fileGauges.map(([, , read, of]) => [read, of] as const),
}
