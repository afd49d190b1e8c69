import { pino, type Logger } from 'pino'
import { limits } from '../base/limits.ts'

/** ECS field names: https://www.elastic.co/guide/en/ecs/current/ecs-log.html */
const ecsVersion = '8.11.0'

export type { Logger }

/** Remora's own messages: ECS JSON, one line each, on stdout. */
export function makeLogger(level: string): Logger {
  const options = {
    level,
    base: { 'ecs.version': ecsVersion, 'service.type': 'remora' },
    messageKey: 'message',
    timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ 'log.level': label }) },
  }
  // Not synchronous: while nobody reads stdout, shipping goes on, and what has no room here is dropped.
  return pino(options, pino.destination({ dest: 1, sync: false, maxLength: limits.logBytesMax }))
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
  /** How many were not said again. */
  repeated = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  warn(notice: Notice): void {
    const key = `${notice.code} ${notice.path ?? ''}`
    if (this.#said.has(key)) {
      this.repeated++
      return
    }
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
