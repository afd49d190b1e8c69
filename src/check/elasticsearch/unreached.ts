/** A failed connection as a finding. */
import { explainFailure, type Circumstances } from '../../connect/trouble.ts'
import { error, type Trouble } from '../finding.ts'
import type { Failed } from './ask.ts'

export function unreachedFinding(url: string, failed: Failed, circumstances: Circumstances): Trouble {
  const [text, wayOut] = explainFailure(url, failed, circumstances)
  return error(`${url}: ${text}`, wayOut)
}
