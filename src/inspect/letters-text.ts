/** Dead letters as text for a person. */
import { printable } from '../base/printable.ts'
import { count, sizeText } from '../check/words.ts'
import type { Letter } from '../ship/letters/letter.ts'
import { idOf } from '../ship/letters/shapes.ts'
import { plainReason, type LettersFound, type Tally } from './letters.ts'

const rowsMax = 10
const reasonMax = 160

/** @param source  what the application has written may be shown @returns ends with a line break */
export function lettersText(found: LettersFound, all: boolean, source: boolean): string {
  const { letters, segments, bytes, obstacle } = found
  const lines = [
    `state directory  ${found.stateDir}`,
    `dead letters     ${letters === 0 ? 'none' : `${letters} in ${count(segments, 'segment')}, ${sizeText(bytes)}`}`,
  ]
  if (found.oldest !== undefined)
    lines.push(`oldest           ${found.oldest}`, `newest           ${found.newest ?? ''}`)
  if (found.unreadable > 0)
    lines.push(`unreadable       ${count(found.unreadable, 'line')}: changed by hand, or damaged`)
  if (found.torn > 0) lines.push(`cut              ${count(found.torn, 'line')}: being written, or cut by a crash`)
  if (obstacle !== undefined) lines.push(`NOT ALL IS READ  ${obstacle}`)
  lines.push(
    ...table('status', found.byStatus),
    ...table('type', found.byType),
    ...table('target', found.byTarget),
    ...table('file', found.byFile),
    ...table('reason', found.byReason),
  )
  if (letters > 0 && !all) {
    lines.push('', 'examples, one of each type (--all: every letter; --source: with the document itself)')
    for (const letter of found.examples) lines.push(...letterLines(letter, source))
  }
  if (letters > 0) {
    lines.push(
      '',
      'Mend what refuses them (a mapping, as a rule), then `remora replay` sends them again; `--dry-run` says what it would do.',
    )
  }
  return safe(lines)
}

/** One letter of many. */
export function letterText(letter: Letter, source: boolean): string {
  return safe(letterLines(letter, source, true))
}

function letterLines(letter: Letter, source: boolean, exact = source): string[] {
  const { at, status, type, target, path, offset, reason } = letter
  const id = idOf(letter)
  const place = path === undefined ? 'file not known' : `${path}${offset === undefined ? '' : ` at ${offset}`}`
  const lines = [`  ${at}  ${status} ${type}  ${target}  ${place}${id === '' ? '' : `  _id ${id}`}`]
  if (reason !== undefined) lines.push(`    ${short(exact ? reason : plainReason(reason))}`)
  if (source) lines.push(`    ${letter.source}`)
  return lines
}

function table(head: string, tally: Tally): string[] {
  const rows = tally.rows
  if (rows.length === 0) return []
  const width = String(rows[0]![1]).length
  const shown = rows
    .slice(0, rowsMax)
    .map(([word, times]) => `  ${String(times).padStart(width)}  ${short(word) || '-'}`)
  const more = rows.slice(rowsMax).reduce((sum, [, times]) => sum + times, tally.others)
  return ['', `by ${head}`, ...shown, ...(more > 0 ? [`  ${more}  others`] : [])]
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > reasonMax ? `${line.slice(0, reasonMax).toWellFormed()}…` : line
}

const safe = (lines: readonly string[]): string => `${lines.map((line) => printable(line).trimEnd()).join('\n')}\n`
