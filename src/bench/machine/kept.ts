import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RemoraError } from '../../base/errors.ts'

const othersMayWrite = 0o022

/** Where files that outlive a run are kept on purpose: a generated log, a report. */
export function keptDir(): string {
  return ownDirectory(join(tmpdir(), 'remora-bench'))
}

/**
 * A directory with a name that everybody knows, in one where everybody may write: it must be this user's own.
 * @throws RemoraError `TEMP_UNSAFE`
 */
export function ownDirectory(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const found = lstatSync(directory)
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & othersMayWrite) === 0) return directory
  throw new RemoraError(
    'TEMP_UNSAFE',
    `${directory} is no directory that only this user may write to, and the bench puts nothing there`,
    'remove it, or set TMPDIR to a directory of your own',
  )
}
