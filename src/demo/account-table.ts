import type { Account, LogRow } from './account.ts'
import { countText } from './text.ts'

const width = 14

/** The account as a table of at most 80 columns, a row for each figure. Ends with a line break. */
export function accountTable({ all, files, agent }: Account): string {
  const rows = [all, ...files]
  const each = (show: (row: LogRow) => string) => rows.map(show)
  const count = (of: (row: LogRow) => number) => each((row) => countText(of(row)))
  const table: [name: string, cells: string[], note: string][] = [
    ['', each(({ file }) => file), ''],
    ['written', count((row) => row.writtenLines), 'by the application'],
    ['read', agents(agent?.readLines), 'by the agent'],
    ['acknowledged', agents(agent?.acknowledgedLines), 'by the server'],
    ['arrived', count((row) => row.arrivedLines), 'distinct lines'],
    ['duplicated', count((row) => row.duplicatedLines), ''],
    ['lost', count((row) => row.lostLines), ''],
    ['text', each(({ textEqual }) => (textEqual ? 'equal' : 'differs')), 'hash of all lines'],
    ['rotations', count((row) => row.rotations), ''],
  ]
  // Answered 409 and stored once: no duplicate, and yet a person may wonder.
  if (agent !== undefined && agent.duplicateLines > 0)
    table.splice(4, 0, ['sent twice', agents(agent.duplicateLines), 'and stored once'])
  return table.map(([name, cells, note]) => `${rowText(name, cells, rows.length, note)}\n`).join('')
}

const agents = (lines: number | undefined) => [lines === undefined ? 'unknown' : countText(lines)]

function rowText(name: string, cells: readonly string[], columns: number, note: string): string {
  const padded = Array.from({ length: columns }, (_, column) => (cells[column] ?? '').padStart(width))
  return `  ${name.padEnd(12)}${padded.join('')}  ${note}`.trimEnd()
}
