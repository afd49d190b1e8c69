/** What the agent's own log says at its end. */
import type { AgentAccount } from './agent-figures.ts'

interface Message {
  readonly level: string
  readonly code: string
  readonly text: string
}

const complaintsMax = 8
const complaintCharactersMax = 400

/** The agent's last message has what it came to; undefined when it was killed before it could say so. */
export function closingAccount(log: string): AgentAccount | undefined {
  const message = messagesOf(log).findLast(({ code }) => code.startsWith('STOPPED'))
  const match =
    /read (\d+) lines, acknowledged (\d+) \((\d+) were there already\), filtered \d+, dead-lettered (\d+), lost (\d+), held (\d+)/.exec(
      message?.text ?? '',
    )
  if (match === null) return undefined
  const [
    readLines = 0,
    acknowledgedLines = 0,
    duplicateLines = 0,
    deadLetteredLines = 0,
    lostLines = 0,
    heldLines = 0,
  ] = match.slice(1).map(Number)
  return { readLines, acknowledgedLines, duplicateLines, deadLetteredLines, lostLines, heldLines }
}

/** Warnings and errors, the last ones, and what is no message at all: the trace of a crash. */
export function complaintsOf(log: string): readonly string[] {
  return messagesOf(log)
    .filter(({ level }) => !['trace', 'debug', 'info'].includes(level))
    .slice(-complaintsMax)
    .map(({ level, text }) => {
      const whole = `${level === '' ? '' : `${level}: `}${text}`
      return whole.length > complaintCharactersMax ? `${whole.slice(0, complaintCharactersMax)}…` : whole
    })
}

function messagesOf(log: string): Message[] {
  return log
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      try {
        const fields = JSON.parse(line) as Record<string, unknown>
        const [level, code, text] = ['log.level', 'event.code', 'message'].map((name) => fields[name])
        return { level: stringOr(level, ''), code: stringOr(code, ''), text: stringOr(text, line) }
      } catch {
        return { level: '', code: '', text: line }
      }
    })
}

function stringOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}
