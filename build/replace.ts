import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'

const keptMs = 30 * 24 * 3_600_000

/**
 * Puts a bundle in the place of the one before. An agent that runs from that one still loads parts of it, as for its first
 * scrape: they stay for a month. What names the parts comes after them, and what says that they are those of these sources
 * comes last.
 *
 * @param draft   where it was made, on the same file system; it is gone afterwards
 * @param nowMs   wall clock
 */
export function replaceBundle(draft: string, target: string, nowMs: number): void {
  mkdirSync(target, { recursive: true })
  const names = readdirSync(draft)
  const last = ['main.js', 'inputs.json']
  for (const name of [...names.filter((each) => !last.includes(each)), ...last]) {
    renameSync(path.join(draft, name), path.join(target, name))
  }
  rmSync(draft, { recursive: true })
  for (const name of readdirSync(target)) {
    const at = path.join(target, name)
    if (!names.includes(name) && nowMs - statSync(at).mtimeMs > keptMs) rmSync(at)
  }
}
