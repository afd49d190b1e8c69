import { EventEmitter } from 'node:events'
import { pino, type LogFn, type Logger } from 'pino'
import { systemClock, type Clock } from '../base/clock.ts'
import { assert } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { printableJson } from '../base/printable.ts'
import { prettyLine } from './pretty.ts'
import { Quieting } from './quieting.ts'

/** ECS field names: https://www.elastic.co/guide/en/ecs/current/ecs-log.html */
const ecsVersion = '8.11.0'

export type { Logger }

interface LoggerOptions {
  /** For a person at a terminal; otherwise ECS JSON, one line each. */
  readonly pretty?: boolean
  readonly coloured?: boolean
  readonly quieting?: Quieting
}

/** Remora's own messages, on stdout: those of one code no more often than `quieting` lets them. */
export function makeLogger(
  level: string,
  { pretty = false, coloured = false, quieting = new Quieting(systemClock) }: LoggerOptions = {},
): Logger {
  const options = {
    level,
    base: { 'ecs.version': ecsVersion, 'service.type': 'remora' },
    messageKey: 'message',
    timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ 'log.level': label }) },
    hooks: {
      logMethod(this: Logger, args: Parameters<LogFn>, say: LogFn, severity: number) {
        // What somebody has asked for, and the last words, are said as they come.
        const code = severity < info || severity >= fatal ? undefined : codeIn(args[0])
        if (code === undefined) return say.apply(this, args)
        for (const over of quieting.over()) say.call(this, { 'event.code': 'MESSAGES_UNSAID' }, unsaidText(over))
        if (quieting.allows(code)) say.apply(this, args)
      },
      streamWrite: (line: string) => (pretty ? prettyLine(line, coloured) : printableJson(line)),
    },
  }
  // Not synchronous: while nobody reads stdout, shipping goes on, and what has no room here is dropped.
  return pino(options, pino.destination({ dest: 1, sync: false, maxLength: limits.logBytesMax }))
}

const { info, fatal } = pino.levels.values as { readonly info: number; readonly fatal: number }

function codeIn(fields: unknown): string | undefined {
  const code = (fields as Record<string, unknown> | undefined)?.['event.code']
  return typeof code === 'string' ? code : undefined
}

const unsaidText = ({ code, unsaid }: { readonly code: string; readonly unsaid: number }) =>
  `${unsaid} more messages with the code ${code} were left out — ${limits.messagesMax} in ${limits.messagesWindowMs / 1000} s are said; remora_messages_unsaid_total counts the others.`

/** Runs `then` when all that was said has been written, or after `mostMs`, for nobody may be reading. */
export function whenWritten(logger: Logger, clock: Clock, mostMs: number, then: () => void): void {
  // Its `flush` answers at once while nothing is held back on purpose, though a write may be under way.
  const destination = (logger as unknown as Record<symbol, unknown>)[pino.symbols.streamSym]
  assert(destination instanceof EventEmitter && 'end' in destination, 'the logger writes to a stream')
  destination.once('finish', then)
  clock.after(mostMs, then)
  ;(destination as unknown as { end(): void }).end()
}

/** A message with a stable code, and what the reader can do. */
export interface Notice {
  readonly code: string
  readonly message: string
  readonly wayOut?: string
  /** The file that it is about. */
  readonly path?: string
}

/** Says a warning once for each code and file, so that a retry in every scan does not fill the log. */
export class Notices {
  readonly #logger: Logger
  readonly #said = new Set<string>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  warn(notice: Notice): void {
    const key = `${notice.code} ${notice.path ?? ''}`
    if (this.#said.has(key)) return
    if (this.#said.size >= limits.warningsMax) this.#said.clear()
    this.#said.add(key)
    this.#logger.warn(fieldsOf(notice), textOf(notice))
  }

  /** The reason has gone: if it comes back it is said again. */
  resolved(code: string, path = ''): void {
    this.#said.delete(`${code} ${path}`)
  }
}

export function fieldsOf(notice: Notice): Record<string, string> {
  return { 'event.code': notice.code, ...(notice.path !== undefined && { 'file.path': notice.path }) }
}

export function textOf(notice: Notice): string {
  const subject = notice.path === undefined ? '' : `${notice.path}: `
  return `${subject}${notice.message}${notice.wayOut === undefined ? '' : ` — ${notice.wayOut}`}`
}
