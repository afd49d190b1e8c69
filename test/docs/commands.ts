/** The commands that the documents show, in fenced blocks of `sh`. */
import { page, pages, type Page } from './pages.ts'

export interface Fence {
  readonly page: string
  /** Of the line that opens it, from 1. */
  readonly line: number
  /** Empty when nothing is said. */
  readonly language: string
  readonly lines: readonly string[]
}

export interface Command {
  readonly page: string
  readonly line: number
  /** Without its comment, in one line. */
  readonly text: string
  /** The `export` commands above it in its block. */
  readonly exported: readonly string[]
}

/** What is written for people who run Remora, or change it. */
export const documents: readonly Page[] = [...pages(), page('manifests/README.md')]

export function fencesOf({ name, text }: Page): readonly Fence[] {
  const fences: { page: string; line: number; language: string; lines: string[] }[] = []
  let open: (typeof fences)[number] | undefined
  for (const [at, line] of text.split('\n').entries()) {
    const mark = /^ *```(.*)$/.exec(line)
    if (mark === null) open?.lines.push(line)
    else if (open !== undefined) open = undefined
    else fences.push((open = { page: name, line: at + 1, language: mark[1]!.trim(), lines: [] }))
  }
  return fences
}

export function commandsOf(fence: Fence): readonly Command[] {
  const commands: Command[] = []
  const exported: string[] = []
  let begun = ''
  for (const [at, each] of fence.lines.entries()) {
    const text = `${begun}${uncommented(each).trim()}`
    begun = text.endsWith('\\') ? `${text.slice(0, -1).trim()} ` : ''
    if (text === '' || begun !== '') continue
    if (text.startsWith('export ')) exported.push(text)
    else commands.push({ page: fence.page, line: fence.line + at + 1, text, exported: [...exported] })
  }
  return commands
}

/** As a shell reads it: a `#` in quotes, or inside a word, is none. */
function uncommented(line: string): string {
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at)
    if (quote !== '') quote = character === quote ? '' : quote
    else if (character === "'" || character === '"') quote = character
    else if (character === '#' && /^$|\s/.test(line.charAt(at - 1))) return line.slice(0, at)
  }
  return line
}
