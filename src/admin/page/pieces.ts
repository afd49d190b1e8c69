/**
 * What the status page is made of. These functions run in the agent, which writes HTML of it, and in the browser, which keeps
 * it up to date: their text is put into the page as it stands (`script.ts`). So they may use each other, what both have, and
 * nothing else.
 */

/** An element of HTML, before anybody has written it. Texts in it are texts: whoever writes it sees to that. */
export interface Piece {
  readonly tag: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Content[]
}

export type Content = Piece | string

/** Undefined stands for nothing. */
export function piece(
  tag: string,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly (Content | undefined)[]
): Piece {
  return { tag, attributes, children: children.filter((child) => child !== undefined && child !== '') as Content[] }
}

/**
 * What a stranger has named, so that what is seen is what is there: a control character would be shown as nothing, and one
 * that turns the direction of writing would change what is read.
 */
export function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

export function countText(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Three digits that count: 0.4 in a second is not nothing. */
export function shortText(value: number): string {
  return Math.abs(value) >= 100 ? countText(value) : String(Number(value.toPrecision(3)))
}

/** @param bytes  null: there is no limit */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return 'no limit'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let [value, unit] = [bytes, 0]
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? countText(value) : shortText(value)} ${units[unit] ?? ''}`
}

export function timeText(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 10) return `${shortText(seconds)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`
}

/** UTC, as in the log. @param epochMs  as `Date` takes it */
export function clockText(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(5, 19).replace('T', ' ')}Z`
}

/** @param count  how many: only one is singular */
export function plural(count: number, one: string, many: string): string {
  return `${countText(count)} ${count === 1 ? one : many}`
}

/** With a capital letter. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}

/** What stands between two backticks is for a terminal. */
export function coded(text: string): Content[] {
  return text.split('`').map((part, at) => (at % 2 === 1 ? piece('code', {}, part) : part))
}

/** Of how long something lasts: fractions would only flicker. */
export function ageText(seconds: number): string {
  return timeText(Math.max(1, Math.round(seconds)))
}

/** @param heads  of the columns; the first one is of the rows' heads  @param rows  cells; the first one is the row's head */
export function table(caption: string, heads: readonly string[], rows: readonly (readonly Content[])[]): Piece {
  return piece(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: '0' },
    piece(
      'table',
      {},
      piece('caption', {}, caption),
      piece('thead', {}, piece('tr', {}, ...heads.map((head) => piece('th', { scope: 'col' }, head)))),
      piece(
        'tbody',
        {},
        ...rows.map(([head, ...cells]) =>
          piece('tr', {}, piece('th', { scope: 'row' }, head), ...cells.map((cell) => piece('td', {}, cell))),
        ),
      ),
    ),
  )
}

/** Names and what they stand for. */
export function facts(rows: readonly (readonly [string, Content] | undefined)[]): Piece {
  const shown = rows.filter((row) => row !== undefined)
  return piece(
    'dl',
    {},
    ...shown.map(([name, content]) => piece('div', {}, piece('dt', {}, name), piece('dd', {}, content))),
  )
}

/** What should be nothing. */
export function alarm(value: number, text: string): Content {
  return value > 0 ? piece('strong', { class: 'bad' }, text) : text
}

/** How much of a limit is used. @param limit  null: there is none, and nothing to show */
export function meter(name: string, value: number, limit: number | null): Piece | undefined {
  if (limit === null || limit <= 0) return undefined
  const share = Math.min(1, Math.max(0, value / limit))
  return piece('meter', { min: '0', max: '1', high: '0.9', value: share.toFixed(3), 'aria-label': name })
}

export const pieceFunctions = [
  piece,
  visible,
  countText,
  shortText,
  bytesText,
  timeText,
  clockText,
  plural,
  sentence,
  coded,
  ageText,
  table,
  facts,
  alarm,
  meter,
]
