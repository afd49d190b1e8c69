import { printable } from '../base/printable.ts'

const colours: Readonly<Record<string, number>> = { trace: 2, debug: 2, warn: 33, error: 31, fatal: 31 }
const dim = 2

/** One of the logger's lines for a person at a terminal: time, level, code, the message, and the way out on a line of its own. */
export function prettyLine(json: string, coloured: boolean): string {
  const line = JSON.parse(json) as Record<string, unknown>
  const text = (name: string) => (typeof line[name] === 'string' ? line[name] : '')
  const paint = (colour: number | undefined, part: string) =>
    coloured && colour !== undefined ? `\u001b[${colour}m${part}\u001b[0m` : part
  const level = text('log.level')
  // Of paths and of what others have said, nothing reaches the terminal but letters.
  const message = printable(text('message'))
  const cut = message.lastIndexOf(' — ')
  const [what, wayOut] = cut === -1 ? [message, ''] : [message.slice(0, cut), message.slice(cut + 3)]
  const head = `${paint(dim, text('@timestamp').slice(11, 23))} ${paint(colours[level], level.toUpperCase().padEnd(5))}`
  const stack = text('err')
    .split('\n')
    .map(printable)
    .filter((each) => each !== '')
  const below = [...(wayOut === '' ? [] : [`→ ${wayOut}`]), ...stack].map(
    (each) => `\n             ${paint(dim, each)}`,
  )
  return `${head} ${paint(colours[level], text('event.code'))} ${what}${below.join('')}\n`
}
