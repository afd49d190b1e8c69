/** What was written against what arrived. Pure: facts in, rows and differences out. */
import type { AgentAccount } from './agent-figures.ts'
import type { ApplicationAccount } from './application.ts'
import type { LogAccount } from './application-log.ts'
import { type Arrivals, LogArrivals } from './arrivals.ts'
import { amountText, countText } from './text.ts'

/** One log, or all of them together. */
export interface LogRow {
  readonly file: string
  readonly writtenLines: number
  /** Lines of the application that are there, each counted once. */
  readonly arrivedLines: number
  /** How many documents too many there are. */
  readonly duplicatedLines: number
  readonly lostLines: number
  readonly textEqual: boolean
  readonly rotations: number
}

export interface Account {
  readonly all: LogRow
  readonly files: readonly LogRow[]
  readonly agent: AgentAccount | undefined
  /** What does not agree, one sentence each; empty when everything does. */
  readonly differences: readonly string[]
}

const namedMax = 3

/** @param agent  undefined when nobody knows, which is a difference of its own */
export function accountOf(written: ApplicationAccount, agent: AgentAccount | undefined, arrivals: Arrivals): Account {
  const compared = written.files.map((file) => compareLog(file, arrivals.logs.get(file.file)))
  const files = compared.map(({ row }) => row)
  const sum = (of: (row: LogRow) => number) => files.reduce((total, row) => total + of(row), 0)
  const all: LogRow = {
    file: 'all',
    writtenLines: written.lines,
    arrivedLines: sum((row) => row.arrivedLines),
    duplicatedLines: sum((row) => row.duplicatedLines),
    lostLines: sum((row) => row.lostLines),
    textEqual: written.hash === arrivals.hash(),
    rotations: sum((row) => row.rotations),
  }
  const differences = [
    ...compared.flatMap((each) => each.differences),
    ...strangers(written, arrivals),
    ...idDifferences(arrivals),
    ...agentDifferences(written.lines, agent),
  ]
  // Each log has said already what is wrong with its text.
  if (!all.textEqual && differences.length === 0) differences.push('the texts that arrived are not those written')
  return { all, files, agent, differences }
}

function compareLog(written: LogAccount, arrived = new LogArrivals(written.file)) {
  const { file, lines } = written
  const [missing, repeated]: [number[], number[]] = [[], []]
  let duplicatedLines = 0
  let unknown = arrived.unmarked
  for (let number = 1; number <= Math.max(lines, arrived.numberMax); number++) {
    const times = arrived.times(number)
    if (number > lines) unknown += times
    else if (times === 0) missing.push(number)
    else if (times > 1) {
      repeated.push(number)
      duplicatedLines += times - 1
    }
  }
  const textEqual = written.hash === arrived.sum.value()
  const row: LogRow = {
    file,
    writtenLines: lines,
    arrivedLines: lines - missing.length,
    duplicatedLines,
    lostLines: missing.length,
    textEqual,
    rotations: written.rotations,
  }
  const differences: string[] = []
  const name = (numbers: readonly number[]) => namesOf(file.replace(/\.log$/, ''), numbers)
  if (missing.length > 0)
    differences.push(`${file}: ${amountText(missing.length, 'line')} did not arrive: ${name(missing)}`)
  if (repeated.length > 0)
    differences.push(`${file}: ${amountText(repeated.length, 'line')} arrived more than once: ${name(repeated)}`)
  if (unknown > 0)
    differences.push(`${file}: ${amountText(unknown, 'document')} with a line that the application has not written`)
  if (!textEqual && differences.length === 0)
    differences.push(`${file}: every line is there, but the text of at least one is not what was written`)
  return { row, differences }
}

/** The marks that the lines carry, so that one can look for them. */
function namesOf(stem: string, numbers: readonly number[]): string {
  const shown = numbers.slice(0, namedMax).map((number) => `${stem}-${String(number).padStart(7, '0')}`)
  const more = numbers.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${countText(more)} more` : ''}`
}

function strangers(written: ApplicationAccount, arrivals: Arrivals): string[] {
  const known = new Set(written.files.map(({ file }) => file))
  return [...arrivals.logs]
    .filter(([name]) => !known.has(name))
    .map(([name, { sum }]) => `${name}: ${amountText(sum.lines, 'document')} of a file that the application has not`)
}

function idDifferences({ documents, ids }: Arrivals): string[] {
  return documents === ids.size
    ? []
    : [`${amountText(documents, 'document')} have only ${amountText(ids.size, 'distinct _id')}`]
}

function agentDifferences(writtenLines: number, agent: AgentAccount | undefined): string[] {
  if (agent === undefined) return ['the agent ended without an account of its own']
  const { readLines, acknowledgedLines, deadLetteredLines, lostLines, heldLines } = agent
  const differences: string[] = []
  if (readLines !== writtenLines)
    differences.push(`the agent read ${amountText(readLines, 'line')} of ${amountText(writtenLines, 'written line')}`)
  if (acknowledgedLines !== readLines)
    differences.push(
      `of ${amountText(readLines, 'line')} that the agent read, ${amountText(acknowledgedLines, 'line')} were acknowledged`,
    )
  if (deadLetteredLines > 0) differences.push(`the server refused ${amountText(deadLetteredLines, 'line')} for good`)
  if (lostLines > 0) differences.push(`the agent gave up ${amountText(lostLines, 'line')}`)
  if (heldLines > 0) differences.push(`the agent ended with ${amountText(heldLines, 'line')} unanswered`)
  return differences
}
