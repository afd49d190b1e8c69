/** The tables of the status page. In the agent and in the browser: see `pieces.ts`. */
import type { FileRow } from './file-row.ts'
import {
  alarm,
  bytesText,
  clockText,
  countText,
  facts,
  piece,
  plural,
  shortText,
  table,
  timeText,
  type Content,
} from './pieces.ts'
import { rateOf } from './rate.ts'
import type { Status } from './status.ts'

/** How many there are in all, and what of them cannot be read. */
function fileFactsOf({ figures: f }: Status): Content {
  const unreadable = f.unreadableFiles.map(({ reason, count }) => `${countText(count)} (${reason})`).join(', ')
  const unlisted = f.unreadableDirectories > 0 ? `; ${countText(f.unreadableDirectories)} not listed or not wholly` : ''
  const unwatched =
    f.unwatchableDirectories > 0 ? `; ${countText(f.unwatchableDirectories)} looked at on a timer only` : ''
  return facts([
    ['Followed', plural(f.files, 'file', 'files')],
    ['Held open', `${countText(f.openFiles)} of ${countText(f.openFilesMax)} at most`],
    ['Cannot be read', unreadable === '' ? 'none' : alarm(1, unreadable)],
    ['Directories', alarm(f.unreadableDirectories, `${countText(f.directories)}${unlisted}${unwatched}`)],
  ])
}

export function filesOf(status: Status): Content[] {
  const { files } = status
  const { find, matching, known, rows } = files
  const sums = fileFactsOf(status)
  const heads = [
    'File',
    'Unread',
    'Lag',
    'Read to byte',
    'Shipped to byte',
    'Size in bytes',
    'Lines read',
    'Acknowledged',
    'Held',
  ]
  const shown = `${rows.length < matching ? `${countText(rows.length)} of ` : ''}${plural(matching, 'file', 'files')}`
  const found = find === '' ? '' : ` whose name has “${find}”, of ${countText(known)} in all`
  if (rows.length === 0)
    return [sums, piece('p', { class: 'faint' }, find === '' ? 'No file is known yet.' : `No file${found}.`)]
  return [
    sums,
    piece('p', { class: 'faint' }, `${shown}${found}, the worst first.`),
    table('Files with what is left of them', heads, rows.map(fileRowOf)),
  ]
}

function fileRowOf(row: FileRow): Content[] {
  const { path, lives, unreadBytes, lagSeconds, offsetBytes, shippedBytes, sizeBytes } = row
  const wrong = wrongOf(row)
  const name =
    path === undefined
      ? piece('span', { class: 'faint' }, 'files without a row of their own')
      : piece('bdi', { class: 'path', dir: 'ltr' }, path)
  const more =
    lives > 1 ? piece('span', { class: 'faint' }, ` and ${plural(lives - 1, 'older life', 'older lives')}`) : ''
  const place = (bytes: number) => (path === undefined ? '–' : countText(bytes))
  return [
    piece('span', {}, name, more, wrong === '' ? undefined : piece('strong', { class: 'bad wrong' }, `✕ ${wrong}`)),
    bytesText(unreadBytes),
    lagSeconds === 0 ? '–' : timeText(lagSeconds),
    place(offsetBytes),
    place(shippedBytes),
    place(sizeBytes),
    countText(row.readLines),
    countText(row.acknowledgedLines),
    countText(row.heldLines),
  ]
}

function wrongOf({ unreadable, deadLetteredLines, lostLines, gapBytes, droppedBytes }: FileRow): string {
  return [
    unreadable === '' ? '' : `cannot be read (${unreadable})`,
    lostLines > 0 ? `${plural(lostLines, 'line', 'lines')} lost` : '',
    deadLetteredLines > 0 ? `${countText(deadLetteredLines)} dead-lettered` : '',
    gapBytes > 0 ? `${bytesText(gapBytes)} gone unread` : '',
    droppedBytes > 0 ? `${bytesText(droppedBytes)} dropped` : '',
  ]
    .filter((text) => text !== '')
    .join(', ')
}

function ledgerRow(name: string, value: number, meaning: string, isBad = false): Content[] {
  return [name, isBad ? alarm(value, countText(value)) : countText(value), meaning]
}

export function ledgerOf({ figures: f }: Status): Content[] {
  const accounts = f.acknowledgedLines + f.filteredLines + f.deadLetteredLines + f.lostLines + f.heldLines
  const rows = [
    ledgerRow('Acknowledged', f.acknowledgedLines, 'Elasticsearch has answered for them'),
    ledgerRow('Filtered', f.filteredLines, 'left out on purpose'),
    ledgerRow('Dead-lettered', f.deadLetteredLines, 'refused for good, and kept on disk', true),
    ledgerRow('Lost', f.lostLines, 'refused, and not kept', true),
    ledgerRow('Held', f.heldLines, 'in a batch, without a final verdict'),
    ledgerRow(
      'Read',
      f.readLines,
      accounts === f.readLines ? 'the sum of the above' : 'not the sum of the above: this is a fault',
    ),
  ]
  const asides = facts([
    ['There already', plural(f.duplicateLines, 'line', 'lines')],
    ['Perhaps stored twice', plural(f.possiblyDuplicatedLines, 'line', 'lines')],
    ['In the failure store', plural(f.failureStoredLines, 'line', 'lines')],
    ['Cut for their length', plural(f.cutLines, 'line', 'lines')],
    ['NUL bytes of holes, passed over', bytesText(f.skippedBytes)],
    ['Gone before they were read', alarm(f.gaps, `${plural(f.gaps, 'file', 'files')}, ${bytesText(f.gapBytes)}`)],
    [
      'Deleted unshipped for the volume',
      alarm(f.droppedFiles, `${plural(f.droppedFiles, 'file', 'files')}, ${bytesText(f.droppedBytes)}`),
    ],
  ])
  return [table('What became of the lines, since the start', ['Account', 'Lines', 'Meaning'], rows), asides]
}

function outcomeMeaning(outcome: string): string {
  const meanings: Readonly<Record<string, string>> = {
    ok: 'all documents were taken',
    partial: 'some were put off, held or refused',
    overloaded: 'the server asks for time',
    status: 'refused as a whole',
    failed: 'no answer',
  }
  return meanings[outcome] ?? ''
}

export function requestsOf(status: Status, before: Status | undefined): Content[] {
  const { outcomes, figures } = status
  const rows = outcomes.map(({ outcome, count, meanSeconds, mostSeconds }) => {
    const rate = rateOf(status, before, (of) => of.outcomes.find((each) => each.outcome === outcome)?.count ?? 0)
    return [
      outcome,
      countText(count),
      rate === undefined ? '–' : shortText(rate),
      timeText(meanSeconds),
      mostSeconds === null ? 'longer' : timeText(mostSeconds),
      outcomeMeaning(outcome),
    ]
  })
  const { requestsUnderWay, requestsMax, requestBytesMax } = figures
  return [
    rows.length === 0
      ? piece('p', { class: 'faint' }, 'Nothing was sent yet.')
      : table(
          'Bulk requests by outcome, since the start',
          ['Outcome', 'Requests', 'In a second', 'Mean time', '95 % within', 'Meaning'],
          rows,
        ),
    piece(
      'p',
      {},
      `${countText(requestsUnderWay)} under way; the server takes ${countText(requestsMax)} at once, of ${bytesText(requestBytesMax)} at most, as found out so far.`,
    ),
  ]
}

export function warningsOf({ warnings, figures: { unsaidMessages } }: Status): Content[] {
  const unsaid = `${plural(unsaidMessages, 'message was', 'messages were')} left out of the log: too many with one code in a minute.`
  const more = unsaidMessages > 0 ? [piece('p', { class: 'faint' }, unsaid)] : []
  if (warnings.length === 0) return [piece('p', { class: 'faint' }, 'None since the start.'), ...more]
  const rows = warnings.map(({ level, code, text, count, lastMs }) =>
    piece(
      'li',
      {},
      piece('time', { class: 'faint', datetime: new Date(lastMs).toISOString() }, clockText(lastMs)),
      ' ',
      piece('strong', level === 'warn' ? {} : { class: 'bad' }, level),
      ' ',
      piece('code', {}, code),
      count > 1 ? piece('span', { class: 'faint' }, `, ${countText(count)} times`) : '',
      piece('bdi', { class: 'path', dir: 'ltr' }, text),
    ),
  )
  return [
    piece('p', { class: 'faint' }, 'Warnings and errors, the newest first; times are UTC.'),
    piece('ol', { class: 'warnings', reversed: '' }, ...rows),
    ...more,
  ]
}

export const tableFunctions = [
  fileFactsOf,
  filesOf,
  fileRowOf,
  wrongOf,
  ledgerRow,
  ledgerOf,
  outcomeMeaning,
  requestsOf,
  warningsOf,
]
