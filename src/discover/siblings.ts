import { limits } from '../base/limits.ts'

/**
 * A rotated file need not match the glob that its first name matched. These are the names that logrotate, log4j,
 * logback, Python's logging and lumberjack give; what they are worth is decided by identity, not by name.
 */

/** What rotation appends, from the place where it begins. */
const suffix = /^[.\-_~](?=[\d~]|old|bak|prev)[\w.\-:~+]*$/

const compressed = /\.(?:gz|bz2|xz|zst|zip|Z)$/

/**
 * The names that a rotated file may have had before: `app.log` for `app.log.1`, `app.log-20260101`, `app-2026-01-01.log`,
 * `app.1.log`, `app-2026-01-01T10-00-00.000.log`. Empty when the name does not look rotated.
 */
export function namesBeforeRotation(name: string): string[] {
  const names = new Set<string>()
  const plain = name.replace(compressed, '')
  const extension = /\.[A-Za-z]\w*$/.exec(plain)?.[0]
  // Every place where a suffix may begin: `app.log.2026-01-01.1` comes from `app.log`. Rotation appends, so the last ones.
  const places = [...plain.matchAll(/[.\-_~](?=\d|old\b|bak\b|prev\b)/g)].slice(-limits.suffixesMax)
  for (const { index } of places) {
    const base = plain.slice(0, index)
    if (base === '') continue
    if (suffix.test(plain.slice(index))) names.add(base)
    if (extension !== undefined && index < plain.length - extension.length) names.add(base + extension)
  }
  if (plain.endsWith('~') && plain.length > 1) names.add(plain.slice(0, -1))
  if (plain !== name && plain !== '') names.add(plain)
  names.delete(name)
  return [...names]
}
