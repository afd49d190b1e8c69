/** Names with gaps: `{service.name}` is the value of a field, `{+yyyy.MM.dd}` a date, as Filebeat and Logstash write it. */
import { bad, good, quoted, type Parsed } from './units.ts'

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string }
  /** `format` is what `formatDate` reads. */
  | { readonly kind: 'date'; readonly format: string }

export function parsePlaceholders(text: string): Parsed<readonly Piece[]> {
  const pieces: Piece[] = []
  let from = 0
  while (from < text.length) {
    const open = text.indexOf('{', from)
    const literal = text.slice(from, open < 0 ? text.length : open)
    if (literal.includes('}')) return bad(`${quoted(text)} has a } without its {`, help)
    if (literal !== '') pieces.push({ kind: 'text', text: literal })
    if (open < 0) break
    if (literal.endsWith('%')) return bad(`${quoted(text)} has a % before a {`, `leave the % out: ${example}`)
    const close = text.indexOf('}', open)
    if (close < 0) return bad(`${quoted(text)} has a { without its }`, help)
    const inside = text.slice(open + 1, close)
    if (inside.startsWith('+')) {
      const why = problemOfDate(inside.slice(1))
      if (why !== undefined) return bad(`{${inside.slice(0, 40)}} is no date: ${why}`, dateHelp)
      pieces.push({ kind: 'date', format: inside.slice(1) })
    } else {
      if (!/^[\w.-]+$/.test(inside)) return bad(`{${inside.slice(0, 40)}} is neither a field nor a date`, help)
      pieces.push({ kind: 'field', name: inside })
    }
    from = close + 1
  }
  return good(pieces)
}

const example = 'app-{service.name}-{+yyyy.MM.dd}'
const help = `write a field or a date between { and }, as in ${example}`
const dateHelp = 'write {+yyyy.MM.dd}, {+yyyy.MM}, {+yyyy.MM.dd.HH} or, for weeks, {+xxxx.ww}'

const tokens = /yyyy|MM|dd|HH|xxxx|ww/g

function problemOfDate(format: string): string | undefined {
  const stray = /[^-._\0]+/.exec(format.replace(tokens, '\0'))?.[0]
  if (stray !== undefined) return `${quoted(stray, 20)} is not known in it`
  const used = new Set(format.match(tokens))
  if (!used.has('yyyy') && !used.has('xxxx')) return 'it has no year, and so next year it comes again'
  // At the turn of a year a week belongs to another year than its days.
  if (used.has('ww') && !used.has('xxxx')) return 'the year of a week (ww) is xxxx, not yyyy'
  if (used.has('xxxx') && (used.has('MM') || used.has('dd'))) return 'the year of a month or a day is yyyy, not xxxx'
  return undefined
}

const dayMs = 86_400_000

/**
 * A date in UTC.
 *
 * @param format  of `yyyy`, `MM`, `dd`, `HH`, and `xxxx` and `ww` for the weeks of ISO 8601; `.`, `-` and `_` stand for themselves
 * @param atMs    epoch milliseconds, year 0 to 9999
 */
export function formatDate(format: string, atMs: number): string {
  const date = new Date(atMs)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
  // The week of a day is that of its Thursday.
  const thursday = new Date(atMs + (4 - (date.getUTCDay() || 7)) * dayMs)
  const weekYear = thursday.getUTCFullYear()
  const week = Math.floor((thursday.getTime() - Date.UTC(weekYear, 0, 1)) / (7 * dayMs)) + 1
  const values: Readonly<Record<string, string>> = {
    yyyy: padded(year, 4),
    MM: padded(month, 2),
    dd: padded(day, 2),
    HH: padded(date.getUTCHours(), 2),
    xxxx: padded(weekYear, 4),
    ww: padded(week, 2),
  }
  return format.replace(tokens, (token) => values[token]!)
}

const padded = (value: number, digits: number) => String(value).padStart(digits, '0')

/** Whether a name that was resolved has a date in it. No other name of an index has a brace. */
export function hasDate(name: string): boolean {
  return name.includes('{+')
}

/** The name of the index that lines of this time go to. A name without a date is always the same. */
export function nameAt(name: string, atMs: number): string {
  return name.replace(/\{\+([^}]*)\}/g, (_, format: string) => formatDate(format, atMs))
}

const patternOfDate = (format: string) => format.replace(/yyyy|xxxx/g, '2*').replace(/MM|dd|HH|ww/g, '*')

/**
 * A pattern for all indices of a name: with `*` for the parts of a date. Years begin with a 2, so that `app-{+yyyy.MM.dd}` has nothing
 * to do with `app-archive`.
 */
export function patternOf(name: string): string {
  return name.replace(/\{\+([^}]*)\}/g, (_, format: string) => patternOfDate(format)).replace(/\*{2,}/g, '*')
}
