/**
 * Something outside this program is not as it must be: a setting, a file, a server. Carries a stable code for
 * searching and the way out for the person who reads it. A bug is not one of these: it is an assertion.
 */
export class RemoraError extends Error {
  readonly code: string
  readonly wayOut: string

  /** @param code upper case, stable, e.g. `STATE_UNWRITABLE`  @param wayOut what the reader can do now */
  constructor(code: string, message: string, wayOut: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RemoraError'
    this.code = code
    this.wayOut = wayOut
  }
}

/** Stops the process when the program itself is wrong (exit 1): going on could lose or forge data. */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${typeof message === 'string' ? message : message()}`)
}

/** The `code` of a Node system error (`ENOENT`), or an empty string. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** The disk or the kernel says so, by one of its own codes (`EIO`, `EMFILE`), and not Remora of a content. */
export function isSystemError(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test(codeOf(error))
}

/** The message of anything thrown, never longer than `bytesMax` characters. */
export function messageOf(error: unknown, bytesMax = 500): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.length > bytesMax ? `${text.slice(0, bytesMax)}…` : text
}
