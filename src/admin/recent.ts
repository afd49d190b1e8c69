import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Logger } from './logger.ts'

/** A message of the log that somebody should see. */
export interface Remembered {
  readonly level: 'warn' | 'error' | 'fatal'
  readonly code: string
  readonly path: string
  /** As in the log, cut at a bound. */
  readonly text: string
  /** How often it was said since it was first remembered, and when for the last time, epoch milliseconds. */
  readonly count: number
  readonly lastMs: number
}

/** The last few warnings, for a person who looks: each code and file once, in bounded memory. */
export class Recent {
  readonly #clock: Pick<Clock, 'nowMs'>
  /** The one that was said last is at the end. */
  readonly #said = new Map<string, Remembered>()

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock
  }

  take(level: Remembered['level'], code: string, path: string, text: string): void {
    const key = `${code} ${cut(path)}`
    const count = (this.#said.get(key)?.count ?? 0) + 1
    this.#said.delete(key)
    this.#said.set(key, { level, code, path: cut(path), text: cut(text), count, lastMs: this.#clock.nowMs() })
    const [oldest] = this.#said.keys()
    if (this.#said.size > limits.recentMax && oldest !== undefined) this.#said.delete(oldest)
  }

  /** Newest first. */
  get list(): readonly Remembered[] {
    return [...this.#said.values()].toReversed()
  }
}

const cut = (text: string) => text.slice(0, limits.recentCharactersMax)

const levels = ['warn', 'error', 'fatal'] as const

/** Remembers what a logger is told from now on, whether it says it or not: its level may be higher. */
export function remember(logger: Logger, recent: Recent): void {
  for (const level of levels) {
    const say: (...told: unknown[]) => void = logger[level].bind(logger)
    logger[level] = (...told: unknown[]) => {
      const [fields, text] = told
      const { 'event.code': code, 'file.path': path } = Object(fields) as Record<string, unknown>
      recent.take(level, asText(code), asText(path), asText(text))
      say(...told)
    }
  }
}

const asText = (value: unknown) => (typeof value === 'string' ? value : '')
