/** What the status page says, region by region. In the agent and in the browser: see `pieces.ts`. */
import {
  ageText,
  alarm,
  bytesText,
  coded,
  countText,
  facts,
  meter,
  piece,
  plural,
  sentence,
  shortText,
  timeText,
  type Content,
  type Piece,
} from './pieces.ts'
import { rateOf } from './rate.ts'
import type { Status } from './status.ts'
import type { Words } from './words.ts'
import { filesOf, ledgerOf, requestsOf, warningsOf } from './tables.ts'

/** Elements that are kept up to date, by their ids. */
type RegionName = 'place' | 'state' | 'now' | 'files' | 'ledger' | 'requests' | 'memory' | 'disk' | 'warnings'
type Regions = Readonly<Record<RegionName, readonly Content[]>>

/** @param before  an earlier status, for what happens in a second; undefined: there is none */
export function regionsOf(status: Status, before?: Status): Regions {
  return {
    place: placeOf(status),
    state: stateOf(status),
    now: nowOf(status, before),
    files: filesOf(status),
    ledger: ledgerOf(status),
    requests: requestsOf(status, before),
    memory: memoryOf(status),
    disk: diskOf(status),
    warnings: warningsOf(status),
  }
}

/** Of the tab in the browser. */
export function titleOf({ words, place }: Status): string {
  return `${words.mark} ${words.headline}: ${nameOf(place)}`
}

/** @param place  undefined: it has never answered */
export function silentTitleOf(place: Status['place'] | undefined): string {
  return `✕ No answer: ${nameOf(place)}`
}

function nameOf(place: Status['place'] | undefined): string {
  return place?.pod === undefined ? 'Remora' : `Remora in ${place.pod}`
}

/** A dot whose colour tells how it goes, as the address of a picture. */
export function iconOf({ words }: Status): string {
  return iconFor(words.tone)
}

/** The shapes differ too: not everybody sees the colours. */
export function iconFor(tone: Words['tone']): string {
  const shapes: Readonly<Record<Words['tone'], string>> = {
    well: '<circle cx="8" cy="8" r="7" fill="#1a6b3a"/>',
    busy: '<path d="M8 1 16 15H0z" fill="#c77700"/>',
    bad: '<path d="M1 1h14v14H1z" fill="#b3261e"/>',
  }
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${shapes[tone]}</svg>`)}`
}

/** What is read out when it changes: nothing that changes with each look. */
export function saidOf({ words }: Status): string {
  const titles = words.troubles.map(({ title }) => ` ${title}.`)
  return `Remora: ${words.headline}.${titles.join('')} Elasticsearch ${words.health}.`
}

function placeOf({ version, startedAtMs, nowMs, place }: Status): Content[] {
  const { pod, namespace, node, service, target } = place
  const rows: (readonly [string, Content] | undefined)[] = [
    pod === undefined ? undefined : ['Pod', namespace === undefined ? pod : `${namespace}/${pod}`],
    service === undefined ? undefined : ['Service', service],
    node === undefined ? undefined : ['Node', node],
    ['Target', target],
    ['Version', `${version}, up for ${ageText((nowMs - startedAtMs) / 1000)}`],
  ]
  return [facts(rows)]
}

function stateOf({ words, figures }: Status): Content[] {
  const { state, forSeconds } = figures.backpressure
  // Not twice.
  const isTold = words.troubles.some((trouble) => trouble.detail === figures.healthDetail)
  const detail = isTold || figures.healthDetail === '' ? '' : ` (${figures.healthDetail})`
  const { tone, mark, headline, troubles } = words
  return [
    piece(
      'p',
      { class: `state ${tone}` },
      piece('strong', {}, piece('span', { class: 'mark', 'aria-hidden': 'true' }, mark), ` ${headline}`),
    ),
    ...(troubles.length === 0 ? [] : [piece('ul', { class: 'troubles' }, ...troubles.map(troubleOf))]),
    piece(
      'p',
      {},
      piece('strong', {}, sentence(state)),
      ` for ${ageText(forSeconds)}: ${words.state}. Remora is ${words.phase}. Elasticsearch `,
      piece('strong', words.isHealthBad ? { class: 'bad' } : {}, words.health),
      `${detail}.`,
    ),
  ]
}

function troubleOf({ tone, title, detail, wayOut, alert }: Words['troubles'][number]): Piece {
  return piece(
    'li',
    { class: tone },
    piece('strong', {}, title),
    detail === '' ? '. ' : `: ${detail}. `,
    ...coded(wayOut),
    alert === ''
      ? undefined
      : piece('span', { class: 'faint' }, ' See ', piece('code', {}, alert), ' in docs/operations.md.'),
  )
}

function nowOf(status: Status, before: Status | undefined): Content[] {
  const { figures, sentBytes } = status
  const { lagSeconds, heldSeconds, throttle } = figures.backpressure
  const bytes = (read: (of: Status) => number, sum: number) => {
    const rate = rateOf(status, before, read)
    return rate === undefined ? bytesText(sum) : `${bytesText(rate)}/s`
  }
  const lines = (read: (of: Status) => number, sum: number) => {
    const rate = rateOf(status, before, read)
    return rate === undefined ? plural(sum, 'line', 'lines') : `${shortText(rate)} lines/s`
  }
  const read = bytes((of) => of.figures.readBytes, figures.readBytes)
  return [
    facts([
      ['Read', `${read}, ${lines((of) => of.figures.readLines, figures.readLines)}`],
      ['Acknowledged', lines((of) => of.figures.acknowledgedLines, figures.acknowledgedLines)],
      ['Sent', bytes((of) => of.sentBytes, sentBytes)],
      ['Unread', bytesText(figures.unreadBytes)],
      ['Lag', lagSeconds === 0 ? 'none' : `${timeText(lagSeconds)} at most`],
      ['Oldest batch under way', heldSeconds === 0 ? 'none' : timeText(heldSeconds)],
      throttle === undefined
        ? undefined
        : [
            'CPU limit',
            `${shortText(throttle.quotaCores)} cores, used up in ${Math.round((100 * throttle.throttledPeriods) / Math.max(1, throttle.periods))} % of its periods since the start`,
          ],
    ]),
  ]
}

function memoryOf({ figures: f }: Status): Content[] {
  const slotBytes = f.arenaBytes / Math.max(1, f.slots)
  const takenBytes = slotBytes * f.slotsTaken
  const withheld = f.slotsPlanned - f.slots
  return [
    facts([
      [
        'In use',
        piece(
          'span',
          {},
          `${bytesText(f.memoryInUseBytes)} of ${bytesText(f.memoryLimitBytes)} `,
          meter('Memory in use', f.memoryInUseBytes, f.memoryLimitBytes),
        ),
      ],
      [
        'Arena',
        piece(
          'span',
          {},
          `${bytesText(takenBytes)} of ${bytesText(f.arenaBytes)}: ${countText(f.slotsTaken)} of ${plural(f.slots, 'slot', 'slots')} taken `,
          meter('Arena in use', f.slotsTaken, f.slots),
        ),
      ],
      [
        'Slots given back for want of memory',
        alarm(withheld, `${countText(Math.max(0, withheld))} now, ${countText(f.slotsGivenBack)} in all`),
      ],
      ['Limit changed', plural(f.memoryResizes, 'time', 'times')],
      ['Garbage collected for want of memory', plural(f.memoryCollections, 'time', 'times')],
      ['Kernel found no memory', alarm(f.memoryOoms, plural(f.memoryOoms, 'time', 'times'))],
      f.memoryStalledSeconds === undefined
        ? undefined
        : ['Stalled for want of memory', f.memoryStalledSeconds === 0 ? 'never' : timeText(f.memoryStalledSeconds)],
    ]),
  ]
}

function diskOf({ figures: f }: Status): Content[] {
  const age = f.checkpointAgeSeconds
  const failures = f.checkpointFailures > 0 ? `, ${countText(f.checkpointFailures)} failed in all` : ''
  const freed = f.freedFiles > 0 ? `, ${plural(f.freedFiles, 'shipped file', 'shipped files')} deleted` : ''
  const doubt = f.volumesInDoubt > 0 ? ', as far as it can be measured' : ''
  const held = f.volumeHeldBytes > 0 ? `, and ${bytesText(f.volumeHeldBytes)} in deleted files that are held open` : ''
  const moved = f.movedLetters > 0 ? `, ${countText(f.movedLetters)} brought to an index` : ''
  const expired = f.expiredLetters > 0 ? `, ${countText(f.expiredLetters)} had to go for want of room` : ''
  return [
    facts([
      [
        'Last checkpoint',
        alarm(Number(f.checkpointFailing), `${age === undefined ? 'none yet' : `${timeText(age)} ago`}${failures}`),
      ],
      [
        'Dead letters waiting for a replay',
        alarm(
          f.letters,
          `${countText(f.letters)}, ${bytesText(f.letterBytes)} of ${bytesText(f.letterBytesMax)}${moved}${expired}`,
        ),
      ],
      f.volumeLimitBytes === 0
        ? undefined
        : [
            'Log volume',
            piece(
              'span',
              {},
              `${bytesText(f.volumeUsedBytes)} of ${bytesText(f.volumeLimitBytes)}${doubt}${held}${freed} `,
              meter('Log volume in use', f.volumeUsedBytes, f.volumeLimitBytes),
            ),
          ],
    ]),
  ]
}

export const regionFunctions = [
  regionsOf,
  titleOf,
  silentTitleOf,
  nameOf,
  iconOf,
  iconFor,
  saidOf,
  placeOf,
  stateOf,
  troubleOf,
  nowOf,
  memoryOf,
  diskOf,
]
