/** A dead letter as one line of JSON, and back. */
import { limits } from '../../base/limits.ts'
import type { DeadLetter } from '../dead-letter.ts'

/** `{"at":"…","status":400,"type":"…","reason":"…","target":"…","run":"…","path":"…","offset":7,"action":"…","source":"…"}` */
export interface Letter {
  /** When it was refused, ISO 8601. */
  readonly at: string
  readonly status: number
  /** `error.type`. */
  readonly type: string
  readonly reason?: string
  /** Index, alias or data stream that it was sent to. */
  readonly target: string
  /** A word of the process that has put it down: its ledger knows the line. Older letters have none. */
  readonly run?: string
  /** The file that the line came from, and where it begins there. */
  readonly path?: string
  readonly offset?: number
  /** The two lines of a bulk request. */
  readonly action: string
  readonly source: string
}

export function letterOf(refused: DeadLetter, atMs: number, run: string): Letter {
  const { status, errorType, reason, target, action, source } = refused
  return {
    at: new Date(atMs).toISOString(),
    status,
    type: errorType,
    ...reasonOf(reason),
    target,
    run,
    ...originOf(source),
    action,
    source,
  }
}

/** Without halves of pairs at the cut. */
export function reasonOf(reason: string | undefined): { reason?: string } {
  if (reason === undefined || reason === '') return {}
  return { reason: reason.slice(0, limits.letterReasonMax).toWellFormed() }
}

/** With its line break. */
export function lineOf(letter: Letter): string {
  return `${JSON.stringify(letter)}\n`
}

/** @returns undefined when it is none: cut, or changed by hand into something else */
export function readLetter(line: string): Letter | undefined {
  const value = parse(line)
  if (value === undefined) return undefined
  const { at, status, type, reason, target, run, path, offset, action, source } = value
  if (typeof at !== 'string' || typeof status !== 'number' || typeof type !== 'string') return undefined
  if (typeof target !== 'string' || typeof action !== 'string' || typeof source !== 'string') return undefined
  return {
    at,
    status,
    type,
    ...(typeof reason === 'string' && { reason }),
    target,
    ...(typeof run === 'string' && { run }),
    // Older letters do not say it.
    ...(typeof path === 'string'
      ? { path, ...(typeof offset === 'number' && Number.isSafeInteger(offset) && { offset }) }
      : originOf(source)),
    action,
    source,
  }
}

const tailMark = ',"log":{"file":{"path":'

/**
 * `log.file.path` and `log.offset` of a document: they stand at its end, behind all that the application has written (in
 * there each quote has a backslash before it), so that nobody has to parse a line of megabytes for them.
 */
export function originOf(source: string): { path?: string; offset?: number } {
  const from = source.lastIndexOf(tailMark)
  const text = from === -1 ? (source.length > limits.letterPieceBytes ? '' : source) : `{${source.slice(from + 1)}`
  const log = parse(text)?.['log']
  if (!isObject(log) || !isObject(log['file'])) return {}
  const { path } = log['file']
  const { offset } = log
  if (typeof path !== 'string' || path.length > limits.pathMax) return {}
  return { path, ...(typeof offset === 'number' && Number.isSafeInteger(offset) && { offset }) }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
