import { join } from 'node:path'
import { isSystemError, messageOf, RemoraError } from '../../base/errors.ts'
import { replace } from '../report/write.ts'
import type { TuneReport } from './types.ts'

/** `tune.json` in a directory that is there. @returns its path @throws RemoraError when it cannot be written */
export function writeTuneReport(report: TuneReport, directory: string): string {
  const path = join(directory, 'tune.json')
  try {
    replace(path, `${JSON.stringify(report, undefined, 1)}\n`)
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new RemoraError(
      'REPORT_UNWRITABLE',
      `${JSON.stringify(path)} cannot be written: ${messageOf(error)}`,
      'choose a directory that can be written to with --out',
      { cause: error },
    )
  }
  return path
}
