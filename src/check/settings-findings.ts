import { splitOutside } from '../config/braces.ts'
import type { Entry, Loaded } from '../config/load.ts'
import { rows } from '../config/settings.ts'
import { misconfigured, ok, warning, type Finding } from './finding.ts'
import { count } from './words.ts'
import { wrapped } from './report.ts'

const prefix = 'REMORA_'
const valueWidth = 69

/** Each setting that was given, with its origin; the others together; everything that is wrong, at once. */
export function settingsFindings({ entries, problems, notices }: Loaded): Finding[] {
  const wrong = new Set(problems.map(({ variable }) => variable))
  const isWrong = ({ name }: Entry) => wrong.has(name) || wrong.has(`${name}_FILE`)
  const given = entries.filter((entry) => entry.origin !== 'default' && !isWrong(entry))
  const width = Math.max(0, ...given.map(({ name }) => name.length))
  return [
    ...given.map((entry) => givenFinding(entry, width)),
    ...theRest(entries.filter((entry) => entry.origin === 'default' && !isWrong(entry))),
    ...notices.map((notice) => warning(notice, 'Remora starts all the same; change it where it is not meant')),
    ...problems.map(({ variable, message, wayOut }) => misconfigured(`${variable}: ${message}`, wayOut)),
  ]
}

function givenFinding({ name, shown, origin }: Entry, nameWidth: number): Finding {
  const line = `${name.padEnd(nameWidth)} ${shown}`
  if (line.length + origin.length + 3 <= valueWidth) return ok(`${line} (${origin})`)
  const items = (splitOutside(shown) ?? [shown]).map((item, index, all) => (index < all.length - 1 ? `${item},` : item))
  const lines = items.flatMap((item) => wrapped(item, valueWidth - 2))
  return ok(
    `${name} (${origin})`,
    lines.map((part) => `  ${part}`),
  )
}

function theRest(entries: readonly Entry[]): Finding[] {
  const withDefault = new Set<string>(
    rows.flatMap(([, setting]) => (setting.default === undefined ? [] : setting.name)),
  )
  const defaults = entries.filter(({ name }) => withDefault.has(name))
  const unset = entries.filter((entry) => !defaults.includes(entry))
  const findings: Finding[] = []
  if (defaults.length > 0) {
    const list = defaults.map(({ name, shown }) => `${short(name)}=${shown}`)
    findings.push(
      ok(`${count(list.length, 'setting')} at their default, ${prefix} left out:`, wrapped(list.join(' '), valueWidth)),
    )
  }
  if (unset.length > 0) {
    const list = unset.map(({ name }) => short(name))
    findings.push(ok(`${count(list.length, 'setting')} not set:`, wrapped(list.join(' '), valueWidth)))
  }
  return findings
}

const short = (name: string) => name.slice(prefix.length)
