import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mode } from './options.ts'

/** Raised whenever a field of a results file changes its meaning or goes away. */
export const schemaVersion = 1

/** Writes `bench/results/MODE-TIME.json` and returns its path. */
export function writeResults(mode: Mode | 'document-id', atMs: number, content: object): string {
  const dir = fileURLToPath(new URL('results/', import.meta.url))
  mkdirSync(dir, { recursive: true })
  const at = new Date(atMs).toISOString()
  const path = join(dir, `${mode}-${at.replaceAll(/[:.]/g, '-')}.json`)
  writeFileSync(
    path,
    `${JSON.stringify({ schema: 'remora-bench', schemaVersion, kind: mode, at, ...content }, null, 2)}\n`,
  )
  return path
}
