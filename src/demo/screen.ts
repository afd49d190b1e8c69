import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** What the demo is shown on. */
export interface Screen {
  /** A line can be written over. */
  readonly isTerminal: boolean
  readonly columns: number
  /** Stays. One line or more, without the last line break. */
  say(text: string): void
  /** Stands at the bottom until the next call; only on a terminal. No line break in it. */
  live(line: string): void
  /** Coloured where colours are shown (NO_COLOR is respected). */
  style(format: Format, text: string): string
}

const eraseLine = '\r\u001b[2K'
const columnsWithoutTerminal = 80

export function screenOf(stream: NodeJS.WriteStream): Screen {
  const isTerminal = stream.isTTY && process.env['TERM'] !== 'dumb'
  let isLive = false
  return {
    isTerminal,
    get columns() {
      return stream.columns ?? columnsWithoutTerminal
    },
    say(text) {
      stream.write(`${isLive ? eraseLine : ''}${text}\n`)
      isLive = false
    },
    live(line) {
      if (!isTerminal || (line === '' && !isLive)) return
      stream.write(eraseLine + line)
      isLive = line !== ''
    },
    style: (format, text) => styleText(format, text, { stream }),
  }
}
