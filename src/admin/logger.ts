import { EventEmitter } from 'node:events'
import { pino, type Logger } from 'pino'
import type { Clock } from '../base/clock.ts'
import { assert } from '../base/errors.ts'
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
