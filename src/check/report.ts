/** From findings to text for a terminal of 80 columns, readable without colour. */
import { styleText } from 'node:util'
import { filled } from '../base/words.ts'
import type { Finding, Level, Section } from './finding.ts'
import { count } from './words.ts'

/** Adds colour to a text, or does not. `styleText` looks at standard output, NO_COLOR and FORCE_COLOR itself. */
export type Paint = (style: 'bold' | 'green' | 'yellow' | 'red', text: string) => string

export const terminalPaint: Paint = (style, text) => styleText(style, text)

const columns = 80
/** Two spaces, the longest level, two spaces. */
const indent = ' '.repeat(11)
const styles = { ok: 'green', warning: 'yellow', error: 'red' } as const satisfies Record<Level, string>

/** Ends with a line break; an empty line is in front. */
export function sectionText({ title, findings }: Section, paint: Paint): string {
  return `\n${paint('bold', title)}\n${findings.map((finding) => findingText(finding, paint)).join('')}`
}

function findingText(finding: Finding, paint: Paint): string {
  const { level, text, lines = [] } = finding
  const [first = '', ...more] = wrapped(text, columns - indent.length)
  const shown = [`  ${paint(styles[level], level)}${' '.repeat(9 - level.length)}${first}`]
  shown.push(...more.map((line) => indent + line))
  if (finding.level === 'ok') shown.push(...lines.map((line) => indent + line))
  else {
    const wayOut = wrapped(finding.wayOut, columns - indent.length - 2)
    shown.push(...wayOut.map((line, index) => `${indent}${index === 0 ? '> ' : '  '}${line}`))
    shown.push(...lines.map((line) => `${indent}    ${line}`))
  }
  return `${shown.map((line) => line.trimEnd()).join('\n')}\n`
}

/** A word that is longer than a line stands on one of its own, whole: it is a path or an address that someone copies. */
export function wrapped(text: string, width: number): string[] {
  return filled(text.split(' '), width)
}

/** 0: nothing is wrong; 2: `remora run` would not start with these settings; 1: anything else is an error. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some((finding) => finding.level !== 'ok' && finding.configuration === true)) return 2
  return findings.some(({ level }) => level === 'error') ? 1 : 0
}

/** The last words: how many of each, and what to do next. Ends with a line break; an empty line is in front. */
export function closingText(findings: readonly Finding[], paint: Paint): string {
  const of = (level: Level) => findings.filter((finding) => finding.level === level).length
  const [fine, warnings, errors] = [of('ok'), of('warning'), of('error')]
  const total = `${fine} ok, ${count(warnings, 'warning')}, ${count(errors, 'error')}`
  const worst = errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'ok'
  return `\n${paint(styles[worst], total)}\n${nextStep(findings, worst)}\n`
}

function nextStep(findings: readonly Finding[], worst: Level): string {
  if (exitCodeOf(findings) === 2) return 'Correct the settings, then run `remora check` again.'
  if (worst === 'error') return 'Mend what is marked error, then run `remora check` again.'
  if (worst === 'warning') return 'It would run: read the warnings, then start `remora run`.'
  return 'All is well: start `remora run`.'
}
