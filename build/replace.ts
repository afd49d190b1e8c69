import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import path from 'node:path'

const keptMs = 30 * 24 * 3_600_000

/**
 * Puts a bundle in the place of the one before. An agent that runs from that one still loads parts of it, as for its first
 * scrape: they stay for a month from now on. What names the parts comes after them, and what says that they are those of
 * these sources comes last.
 *
 * @param draft   where it was made, on the same file system; it is gone afterwards
 * @param nowMs   wall clock
 */
export function replaceBundle(draft: string, target: string, nowMs: number): void {
  mkdirSync(target, { recursive: true })
  const inputs = path.join(target, 'inputs.json')
  // Written last of its bundle: what is younger was replaced before, and has had its time set then.
  const madeMs = existsSync(inputs) ? statSync(inputs).mtimeMs : -Infinity
  const names = readdirSync(draft)
  const last = ['main.js', 'inputs.json']
  for (const name of [...names.filter((each) => !last.includes(each)), ...last]) {
    renameSync(path.join(draft, name), path.join(target, name))
  }
  rmSync(draft, { recursive: true })
  const now = new Date(Math.max(nowMs, statSync(inputs).mtimeMs + 1))
  for (const name of readdirSync(target)) {
    if (names.includes(name)) continue
    const at = path.join(target, name)
    const { mtimeMs } = statSync(at)
    if (mtimeMs <= madeMs) utimesSync(at, now, now)
    else if (nowMs - mtimeMs > keptMs) rmSync(at)
  }
}
