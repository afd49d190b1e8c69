/** HTML out of texts that nobody has looked at. */

/** Made by `html` or `joined`: nothing in it needs to be escaped any more. */
export interface Markup {
  readonly markup: string
}

/** What is put in is escaped, unless it is markup already; lists are put together. Attributes must be in double quotes. */
export function html(
  pieces: TemplateStringsArray,
  ...values: readonly (string | number | Markup | readonly Markup[])[]
): Markup {
  return { markup: pieces.map((piece, at) => piece + (at < values.length ? markupOf(values[at]!) : '')).join('') }
}

export const nothing: Markup = { markup: '' }

function markupOf(value: string | number | Markup | readonly Markup[]): string {
  if (typeof value === 'string') return escaped(value)
  if (typeof value === 'number') return String(value)
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Characters that turn the direction of text, or that cannot be seen, are shown as unknown. */
export function escaped(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (found) => entities[found]!)
    .replaceAll(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '�')
}

/** For a `<script type="application/json">`: no end tag and no comment can begin in it. */
export function jsonMarkup(value: unknown): Markup {
  return { markup: JSON.stringify(value).replaceAll('<', String.raw`\u003c`) }
}
