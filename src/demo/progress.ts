/** The line of progress. Pure: figures and a width in, text out. */
import type { AgentFigures } from './agent-figures.ts'
import { amountText, bytesText, countText, wholeMib } from './text.ts'

export interface Progress {
  /** `draining`, `counting`: what is done now; undefined while the application writes. */
  readonly stage: string | undefined
  readonly elapsedMs: number
  /** How long the application writes. */
  readonly writeMs: number
  /** Undefined until the agent answers. */
  readonly figures: AgentFigures | undefined
  /** Acknowledged lines a second, lately. */
  readonly linesPerSecond: number
  /** What the agent's memory may come to, in bytes. */
  readonly budgetBytes: number
}

const barMin = 8
const barMax = 30
/** What everything but the bar takes at the most, in figures and in words. */
const figuresWidth = { brief: 69, wide: 111 }

/** For a terminal: one line, shorter than `columns` so that it does not wrap; every figure is there from 80 on. */
export function progressLine(progress: Progress, columns: number): string {
  const wide = columns > figuresWidth.wide + barMin
  const room = columns - 1 - (wide ? figuresWidth.wide : figuresWidth.brief)
  const barLength = Math.min(barMax, Math.max(barMin, room))
  const time = `${seconds(progress)} s`.padStart(5)
  const parts = [headOf(progress, barLength) + time, ...figuresOf(progress, wide)]
  return parts.join('  ').slice(0, Math.max(0, columns - 1))
}

/** The same for a log file: no bar, everything in words. */
export function progressText(progress: Progress): string {
  const stage = progress.stage === undefined ? [] : [progress.stage]
  return [`${seconds(progress)} s`.padStart(4), ...stage, ...figuresOf(progress, true)].join('  ')
}

const seconds = ({ elapsedMs }: Progress) => Math.floor(elapsedMs / 1000)

function headOf({ stage, elapsedMs, writeMs }: Progress, length: number): string {
  if (stage !== undefined) return stage.padEnd(length)
  const filled = Math.min(length, Math.round((elapsedMs / writeMs) * length))
  return '━'.repeat(filled) + '─'.repeat(length - filled)
}

/** Padded, for figures that jump about cannot be read. */
function figuresOf({ figures, linesPerSecond, budgetBytes }: Progress, inWords: boolean): string[] {
  if (figures === undefined) return ['waiting for the agent']
  const { unreadBytes, memoryInUseBytes, requestsUnderWay, acknowledgedLines, rotations } = figures
  const [used, budget] = [wholeMib(memoryInUseBytes), wholeMib(budgetBytes)]
  const speed = [`${countText(linesPerSecond)} lines/s`.padStart(13), `lag ${bytesText(unreadBytes)}`.padEnd(12)]
  if (!inWords) return [...speed, `memory ${used}/${budget} MiB`, `${requestsUnderWay} in flight`]
  return [
    ...speed,
    `memory ${used} of ${budget} MiB`,
    `${requestsUnderWay} ${requestsUnderWay === 1 ? 'batch' : 'batches'} in flight`.padEnd(19),
    `${countText(acknowledgedLines)} shipped`,
    amountText(rotations, 'rotation'),
  ]
}
