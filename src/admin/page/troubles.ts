import { isDenied } from '../../base/rights.ts'
import type { Figures } from '../figures.ts'
import { bytesText, countText, plural } from './pieces.ts'

/** Something that a person should know of, and can do something about. */
export interface Trouble {
  readonly tone: 'busy' | 'bad'
  /** The same while it lasts: it is read out when it comes. */
  readonly title: string
  /** How much of it there is now. */
  readonly detail: string
  readonly wayOut: string
  /** The alert that tells of it, with a section in docs/operations.md; empty: there is none. */
  readonly alert: string
}

type Test = (figures: Figures) => Omit<Trouble, 'tone' | 'alert'> | undefined

const nearLimit = (used: number, limit: number, share: number) => limit > 0 && used / limit > share

const percentOf = (used: number, limit: number) => `${Math.round((100 * used) / limit)} %`

/** What is wrong now, with the thresholds of the alerts; each is bad, or can wait. */
const table: readonly (readonly [alert: string, tone: Trouble['tone'], test: Test])[] = [
  [
    'RemoraFilesUnreadable',
    'bad',
    ({ unreadableFiles, denied, phase }) => {
      // Those that may not be read are told with their owners.
      const others = unreadableFiles.filter(({ reason }) => denied.length === 0 || !isDenied(reason))
      // At first each file that the process before has left is yet to be opened.
      if (others.length === 0 || phase === 'starting') return undefined
      return {
        title: 'Log files cannot be read',
        detail: others.map(({ reason, count }) => `${plural(count, 'file', 'files')} (${reason})`).join(', '),
        wayOut: 'They are tried again. The warnings below name one of each kind.',
      }
    },
  ],
  [
    'RemoraDirectoriesUnreadable',
    'bad',
    ({ unreadableDirectories: count }) =>
      count > 0
        ? {
            title: 'Log directories cannot be listed, or not wholly',
            detail: plural(count, 'directory', 'directories'),
            wayOut: 'What is in them is not shipped. The warnings below name them.',
          }
        : undefined,
  ],
  [
    'RemoraVolumeNearlyFull',
    'bad',
    ({ volumeUsedBytes: used, volumeLimitBytes: limit }) =>
      nearLimit(used, limit, 0.9)
        ? {
            title: 'The log volume is nearly full, and the Pod about to be evicted',
            detail: percentOf(used, limit),
            wayOut: 'Have less logged, or raise sizeLimit of the volume and REMORA_VOLUME_LIMIT with it.',
          }
        : undefined,
  ],
  [
    'RemoraMemoryNearLimit',
    'bad',
    ({ memoryInUseBytes: used, memoryLimitBytes: limit }) =>
      Number.isFinite(limit) && nearLimit(used, limit, 0.95)
        ? {
            title: 'The container is about to be killed for want of memory',
            detail: `${percentOf(used, limit)} of ${bytesText(limit)}`,
            wayOut: 'Raise the memory limit of the container.',
          }
        : undefined,
  ],
  [
    'RemoraDeadLettersNearlyFull',
    'bad',
    ({ letterBytes, letterBytesMax }) =>
      nearLimit(letterBytes, letterBytesMax, 0.8)
        ? {
            title: 'Dead letters are about to be lost',
            detail: `${percentOf(letterBytes, letterBytesMax)} of REMORA_DEAD_LETTER_BYTES`,
            wayOut: '`remora inspect dead-letters` says why they were refused; `remora replay` sends them again.',
          }
        : undefined,
  ],
  [
    '',
    'bad',
    (f) =>
      f.acknowledgedLines + f.filteredLines + f.deadLetteredLines + f.lostLines + f.heldLines === f.readLines
        ? undefined
        : {
            title: 'The ledger does not balance',
            detail: '',
            wayOut: 'This is a fault in Remora itself: please report it, with /status.json.',
          },
  ],
  [
    'RemoraCheckpointFailing',
    'busy',
    ({ checkpointFailing }) =>
      checkpointFailing
        ? {
            title: 'The checkpoint cannot be written',
            detail: '',
            wayOut: 'After a crash now, lines would be sent again. Is REMORA_STATE_DIR full, read-only, or shared?',
          }
        : undefined,
  ],
  [
    'RemoraMemoryPressure',
    'busy',
    ({ slots, slotsPlanned, backpressure: { cause } }) =>
      slots < slotsPlanned && cause !== 'memory_pressure'
        ? {
            title: 'Batch slots were given back for want of memory',
            detail: `${countText(slots)} of ${countText(slotsPlanned)} are left`,
            wayOut: 'It goes on with those. Raise the memory limit of the container.',
          }
        : undefined,
  ],
  [
    'RemoraVolumeUnmeasured',
    'busy',
    ({ volumesInDoubt }) =>
      volumesInDoubt > 0
        ? {
            title: 'It cannot be measured how full the log volume is',
            detail: '',
            wayOut: 'It holds more than is shown. The warnings below say why.',
          }
        : undefined,
  ],
  [
    'RemoraNoFiles',
    'busy',
    ({ files, phase, unreadableFiles }) =>
      files === 0 && phase === 'shipping' && unreadableFiles.length === 0
        ? {
            title: 'No file matches REMORA_PATHS',
            detail: '',
            wayOut: 'Nothing is there to ship. Does the application write elsewhere?',
          }
        : undefined,
  ],
  [
    'RemoraDeadLettersWaiting',
    'busy',
    ({ letters, letterBytes }) =>
      letters > 0
        ? {
            title: 'Dead letters wait to be sent again',
            detail: `${countText(letters)}, ${bytesText(letterBytes)}`,
            wayOut: '`remora inspect dead-letters` says why, `remora replay` sends them. With the Pod they are gone.',
          }
        : undefined,
  ],
  [
    'RemoraLinesLost',
    'busy',
    ({ lostLines }) =>
      lostLines > 0
        ? {
            title: 'Lines were lost since the start',
            detail: plural(lostLines, 'line', 'lines'),
            wayOut: 'Elasticsearch refused them, and they could not be kept, or not for long enough.',
          }
        : undefined,
  ],
  [
    'RemoraGap',
    'busy',
    ({ gaps, gapBytes }) =>
      gaps > 0
        ? {
            title: 'Files vanished before they were read, since the start',
            detail: `${plural(gaps, 'file', 'files')}, ${bytesText(gapBytes)}`,
            wayOut: 'Keep rotated files for longer than Elasticsearch may be away.',
          }
        : undefined,
  ],
  [
    'RemoraFilesDropped',
    'busy',
    ({ droppedFiles, droppedBytes }) =>
      droppedFiles > 0
        ? {
            title: 'Unshipped files were deleted for the volume, since the start',
            detail: `${plural(droppedFiles, 'file', 'files')}, ${bytesText(droppedBytes)}`,
            wayOut: 'REMORA_VOLUME_POLICY has it so, to keep the Pod from eviction: have more room, or less logged.',
          }
        : undefined,
  ],
  [
    'RemoraOutOfMemory',
    'busy',
    ({ memoryOoms }) =>
      memoryOoms > 0
        ? {
            title: 'The kernel found no memory for the container, since the start',
            detail: plural(memoryOoms, 'time', 'times'),
            wayOut: 'Raise the memory limit of the container.',
          }
        : undefined,
  ],
]

/** What has nothing to do with how lines flow; see `words.ts` for that. The most urgent first, of its tone. */
export function troublesOf(figures: Figures): Trouble[] {
  const denied = figures.denied.map(({ files, path, why, wayOut }): Trouble => ({
    tone: 'bad',
    title: 'Remora may not read what the application writes',
    detail: `${path}: ${why}${files > 1 ? `, and ${countText(files - 1)} more with the same owner and mode` : ''}`,
    wayOut,
    alert: 'RemoraFilesUnreadable',
  }))
  const others = table.flatMap(([alert, tone, test]) => {
    const found = test(figures)
    return found === undefined ? [] : [{ ...found, tone, alert }]
  })
  return [...denied, ...others]
}
