import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where files that outlive a run are kept on purpose: the generated log and the built floor. */
export function keptDir(): string {
  const dir = join(tmpdir(), 'remora-bench')
  mkdirSync(dir, { recursive: true })
  return dir
}
