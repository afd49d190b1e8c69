/** What the charts of the status page are drawn from. In the browser only: see `pieces.ts`. */
import { bytesText, shortText, timeText } from './pieces.ts'
import { rateOf } from './rate.ts'
import type { Status } from './status.ts'

export interface Line {
  readonly name: string
  /** Number of its colour. */
  readonly colour: number
  /** A limit, not something that happens. */
  readonly isLimit?: boolean
  /** Undefined: nobody knows. */
  read(status: Status, before: Status | undefined): number | null | undefined
}

export interface Chart {
  readonly id: string
  readonly title: string
  readonly lines: readonly Line[]
  text(value: number): string
  readonly isBytes: boolean
  /** So high it is at least: what is hardly anything must not look like much. */
  readonly least: number
}

function speed(read: (status: Status) => number): Line['read'] {
  return (status, before) => rateOf(status, before, read)
}

function countOf(outcome: string): Line['read'] {
  return speed(({ outcomes }) => outcomes.find((each) => each.outcome === outcome)?.count ?? 0)
}

/** All charts, in their order. */
export function charts(): readonly Chart[] {
  return [
    {
      id: 'lines',
      title: 'Lines in a second',
      lines: [
        { name: 'read', colour: 0, read: speed(({ figures }) => figures.readLines) },
        { name: 'acknowledged', colour: 1, read: speed(({ figures }) => figures.acknowledgedLines) },
      ],
      text: shortText,
      isBytes: false,
      least: 10,
    },
    {
      id: 'bytes',
      title: 'Bytes in a second',
      lines: [
        { name: 'read', colour: 0, read: speed(({ figures }) => figures.readBytes) },
        { name: 'sent', colour: 1, read: speed(({ sentBytes }) => sentBytes) },
      ],
      text: bytesText,
      isBytes: true,
      least: 1024,
    },
    {
      id: 'unread',
      title: 'Unread bytes',
      lines: [{ name: 'unread', colour: 0, read: ({ figures }) => figures.unreadBytes }],
      text: bytesText,
      isBytes: true,
      least: 1024,
    },
    {
      id: 'lag',
      title: 'Lag',
      lines: [
        { name: 'since all was read', colour: 0, read: ({ figures }) => figures.backpressure.lagSeconds },
        { name: 'oldest batch', colour: 1, read: ({ figures }) => figures.backpressure.heldSeconds },
      ],
      text: timeText,
      isBytes: false,
      least: 1,
    },
    {
      id: 'memory-use',
      title: 'Memory and arena',
      lines: [
        { name: 'in use', colour: 0, read: ({ figures }) => figures.memoryInUseBytes },
        { name: 'limit', colour: 0, isLimit: true, read: ({ figures }) => figures.memoryLimitBytes },
        {
          name: 'arena taken',
          colour: 1,
          read: ({ figures: { arenaBytes, slots, slotsTaken } }) => (arenaBytes * slotsTaken) / Math.max(1, slots),
        },
        { name: 'arena', colour: 1, isLimit: true, read: ({ figures }) => figures.arenaBytes },
      ],
      text: bytesText,
      isBytes: true,
      least: 1024 * 1024,
    },
    {
      id: 'outcomes',
      title: 'Requests in a second',
      lines: [
        { name: 'ok', colour: 0, read: countOf('ok') },
        { name: 'partial', colour: 1, read: countOf('partial') },
        { name: 'overloaded', colour: 2, read: countOf('overloaded') },
        { name: 'status', colour: 3, read: countOf('status') },
        { name: 'failed', colour: 4, read: countOf('failed') },
      ],
      text: shortText,
      isBytes: false,
      least: 1,
    },
  ]
}

/** A column of times, epoch seconds, and one of each line; `undefined` for what nobody knows. */
export type Columns = (number | null | undefined)[][]

export function emptyColumns(chart: Chart): Columns {
  return [[], ...chart.lines.map(() => [])]
}

/** @param status  undefined: nobody has answered, which is a gap in each line  @param most  samples; older ones go */
export function addSample(
  columns: Columns,
  chart: Chart,
  atMs: number,
  status: Status | undefined,
  before: Status | undefined,
  most: number,
): void {
  const [times, ...lines] = columns
  // A clock that was set back: what is drawn goes from left to right.
  const last = times?.at(-1)
  if (typeof last === 'number' && last * 1000 >= atMs) return
  times?.push(atMs / 1000)
  for (const [at, line] of chart.lines.entries()) {
    lines[at]?.push(status === undefined ? null : (line.read(status, before) ?? null))
  }
  for (const column of columns) column.splice(0, Math.max(0, column.length - most))
}

export const sampleFunctions = [speed, countOf, charts, emptyColumns, addSample]
