import { quoted } from '../base/units.ts'
import type { Problem } from './problem.ts'
import { explainReadError } from './read-file.ts'

/** Whether the file of certificate authorities can be read and looks like one; better now than at the first request. */
export function checkAuthorities(variable: string, path: string, readFile: (path: string) => string): Problem[] {
  try {
    if (readFile(path).includes('-----BEGIN CERTIFICATE-----')) return []
    return [
      {
        variable,
        message: `file ${quoted(path, 500)}: there is no PEM certificate in it`,
        wayOut: 'name a file with -----BEGIN CERTIFICATE----- in it',
      },
    ]
  } catch (error) {
    return [{ variable, ...explainReadError(path, error) }]
  }
}
