import { causes, states } from '../backpressure-words.ts'
import type { Figures, LineFigures } from '../figures.ts'
import { fileAccounts, fileCounts, fileGauges } from './file-columns.ts'
import type { FileRow } from './file-series.ts'

/** What one scrape has to show. */
export interface Scrape extends Figures {
  readonly version: string
  readonly sentBytes: number
  readonly fileRows: readonly FileRow[]
}

export type Labels = Readonly<Record<string, string>>
type Labelled = readonly [value: number, labels: Labels]

/** One metric without labels, or with: then all its series at one moment. */
export interface Row {
  readonly name: string
  readonly help: string
  readonly read: (now: Scrape) => number | undefined | readonly Labelled[]
  /** Names of its labels, and what each may be, for a person. */
  readonly labels?: Readonly<Record<string, string>>
}

export interface Group {
  readonly title: string
  readonly rows: readonly Row[]
}

/** A name in `_total` is a counter. Source: Prometheus documentation, "Metric and label naming". */
export function kindOf(name: string): 'counter' | 'gauge' {
  return name.endsWith('_total') ? 'counter' : 'gauge'
}

export const plain = (name: string, help: string, read: (now: Scrape) => number | undefined): Row => ({
  name,
  help,
  read,
})

/** 1 for the value that holds, 0 for all others. */
export const oneOf = (
  name: string,
  help: string,
  label: string,
  values: readonly string[],
  read: (now: Scrape) => string,
): Row => ({
  name,
  help,
  labels: { [label]: values.join(', ') },
  read: (now) => values.map((value) => [Number(value === read(now)), { [label]: value }]),
})

/** With those that had to go later: what is counted never falls. */
const deadLettered = ({ deadLetteredLines, expiredLines }: LineFigures) => deadLetteredLines + expiredLines

const lines: Group = {
  title: 'Lines and bytes',
  rows: [
    plain('remora_read_lines_total', 'Lines read from files.', (f) => f.readLines),
    plain('remora_read_bytes_total', 'Bytes read from files.', (f) => f.readBytes),
    plain('remora_acknowledged_lines_total', 'Lines that Elasticsearch answered for.', (f) => f.acknowledgedLines),
    plain(
      'remora_acknowledged_bytes_total',
      'Bytes of files whose lines Elasticsearch answered for.',
      (f) => f.acknowledgedBytes,
    ),
    plain(
      'remora_duplicate_lines_total',
      'Of the acknowledged, lines that were there already.',
      (f) => f.duplicateLines,
    ),
    plain(
      'remora_possibly_duplicated_lines_total',
      'Of the acknowledged, lines that were sent again although nobody could tell whether they were there.',
      (f) => f.possiblyDuplicatedLines,
    ),
    plain(
      'remora_failure_stored_lines_total',
      'Of the acknowledged, lines that went to the failure store of the data stream.',
      (f) => f.failureStoredLines,
    ),
    plain('remora_filtered_lines_total', 'Lines that were left out on purpose.', (f) => f.filteredLines),
    plain('remora_refused_lines_total', 'Lines that Elasticsearch refused for good.', (f) => f.refusedLines),
    plain(
      'remora_refused_bytes_total',
      'Bytes of files whose lines Elasticsearch refused for good.',
      (f) => f.refusedBytes,
    ),
    plain('remora_dead_lettered_lines_total', 'Of the refused, lines that were kept on disk.', deadLettered),
    plain(
      'remora_dead_lettered_bytes_total',
      'Bytes of files whose lines were refused and kept on disk.',
      (f) => f.deadLetteredBytes,
    ),
    plain(
      'remora_lost_lines_total',
      'Lines that were refused and could not be kept, or not for long enough.',
      (f) => f.lostLines,
    ),
    plain(
      'remora_lost_bytes_total',
      'Bytes of files whose lines were refused and not kept, or not for long enough.',
      (f) => f.lostBytes,
    ),
    plain('remora_held_lines', 'Lines in a batch, without a final verdict.', (f) => f.heldLines),
    plain('remora_cut_lines_total', 'Lines longer than REMORA_MAX_LINE_BYTES, which were cut.', (f) => f.cutLines),
    plain('remora_skipped_bytes_total', 'NUL bytes of holes in files: no line had them.', (f) => f.skippedBytes),
    plain('remora_gap_bytes_total', 'Bytes of files that vanished before they were read.', (f) => f.gapBytes),
    plain('remora_gaps_total', 'Files that vanished before they were read.', (f) => f.gaps),
  ],
}

const lag: Group = {
  title: 'Lag and backpressure',
  rows: [
    plain('remora_unread_bytes', 'Bytes in files that were not read yet.', (f) => f.unreadBytes),
    plain(
      'remora_lag_seconds',
      'Time since all that was known had been read: no readable byte is known for longer.',
      (f) => f.backpressure.lagSeconds,
    ),
    plain(
      'remora_held_seconds',
      'Age of the oldest batch without a final verdict, since it left.',
      (f) => f.backpressure.heldSeconds,
    ),
    plain(
      'remora_read_blocked_seconds_total',
      'Time during which something was readable and no batch slot was free.',
      (f) => f.backpressure.blockedSeconds,
    ),
    oneOf(
      'remora_backpressure_state',
      '1 for the state that what is written and what is shipped are in.',
      'state',
      states,
      (f) => f.backpressure.state,
    ),
    oneOf(
      'remora_backpressure_cause',
      '1 for what is in the way, `none` while it flows.',
      'cause',
      causes,
      (f) => f.backpressure.cause,
    ),
  ],
}

/** Ways in which a file comes to its next content, by the events that show them. */
const rotations: Readonly<Record<string, string>> = {
  rotated: 'renamed',
  replaced: 'truncated',
  deleted: 'deleted',
  missed: 'missed',
}

const files: Group = {
  title: 'Files',
  rows: [
    plain('remora_files', 'Generations of files that are known.', (f) => f.files),
    plain('remora_open_files', 'Files held open.', (f) => f.openFiles),
    plain('remora_open_files_max', 'Files that may be held open.', (f) => f.openFilesMax),
    {
      name: 'remora_unreadable_files',
      help: 'Files with unread bytes that cannot be read now.',
      labels: { reason: 'the code of the system (`EACCES`, …), `READ_FAILED`, `NOT_REOPENED`' },
      read: (f) => f.unreadableFiles.map(({ reason, count }) => [count, { reason }]),
    },
    plain('remora_directories', 'Directories looked at.', (f) => f.directories),
    plain(
      'remora_unreadable_directories',
      'Of these, the ones that could not be listed, or not wholly.',
      (f) => f.unreadableDirectories,
    ),
    plain(
      'remora_unwatched_directories',
      'Of these, the ones that cannot be watched: they are looked at on a timer.',
      (f) => f.unwatchableDirectories,
    ),
    {
      name: 'remora_rotations_total',
      help: 'Rotations: a file was renamed, truncated (copytruncate too), deleted, or created and renamed between two looks.',
      labels: { kind: Object.values(rotations).join(', ') },
      read: (f) =>
        Object.entries(rotations).map(([event, kind]) => [
          f.events.filter((one) => one.kind === event).reduce((sum, { count }) => sum + count, 0),
          { kind },
        ]),
    },
    {
      name: 'remora_file_events_total',
      help: 'What was decided about files, and the fact that told.',
      labels: { kind: 'what was decided', why: 'one of a bounded number of texts' },
      read: (f) => f.events.map(({ kind, why, count }) => [count, { kind, why }]),
    },
  ],
}

const pathLabel = 'the name under which it was first found; `other`: all files without series of their own'

const byFile: Group = {
  title: 'By file',
  rows: [
    {
      name: 'remora_file_lines_total',
      help: 'Lines of a file by what became of them.',
      labels: { path: pathLabel, account: fileAccounts.map(([account]) => account).join(', ') },
      read: (f) =>
        f.fileRows.flatMap(({ path, counts }) =>
          fileAccounts.map(([account], at): Labelled => [counts[at]!, { path, account }]),
        ),
    },
    ...fileCounts.map(([name, help], at): Row => ({
      name,
      help,
      labels: { path: pathLabel },
      read: (f) => f.fileRows.map(({ path, counts }) => [counts[fileAccounts.length + at]!, { path }]),
    })),
    ...fileGauges.map(([name, help], at): Row => ({
      name,
      help,
      labels: { path: pathLabel },
      read: (f) => f.fileRows.map(({ path, gauges }) => [gauges[at]!, { path }]),
    })),
  ],
}

/** What Remora does, and with which files; what it needs for that is in `means.ts`. */
export const work: readonly Group[] = [lines, lag, files, byFile]
