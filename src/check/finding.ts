/** What one look has shown, before anybody decides how it is printed. */
export type Level = 'ok' | 'warning' | 'error'

interface Said {
  /** One sentence, without a final full stop. */
  readonly text: string
  /** Shown as they are, never wrapped: below `text` the names that it is about, below `wayOut` what is to be added. */
  readonly lines?: readonly string[]
}

export interface Fine extends Said {
  readonly level: 'ok'
}

export interface Trouble extends Said {
  readonly level: 'warning' | 'error'
  /** What the reader can do now, one sentence. */
  readonly wayOut: string
  /** The settings are at fault and `remora run` would not start (exit code 2). */
  readonly configuration?: true
}

export type Finding = Fine | Trouble

export interface Section {
  readonly title: string
  readonly findings: readonly Finding[]
}

export function ok(text: string, lines: readonly string[] = []): Fine {
  return { level: 'ok', text, lines }
}

export function warning(text: string, wayOut: string, lines: readonly string[] = []): Trouble {
  return { level: 'warning', text, wayOut, lines }
}

export function error(text: string, wayOut: string, lines: readonly string[] = []): Trouble {
  return { level: 'error', text, wayOut, lines }
}

export function misconfigured(text: string, wayOut: string): Trouble {
  return { level: 'error', text, wayOut, configuration: true }
}
