/**
 * A rotated file need not match the glob that its first name matched. These are the names that logrotate, log4j,
 * logback, Python's logging and lumberjack give; what they are worth is decided by identity, not by name.
 */

const compressed = /\.(?:gz|bz2|xz|zst|zip|Z)$/

/**
 * The names that a rotated file may have had before: `app.log` for `app.log.1`, `app.log-20260101`, `app-2026-01-01.log`,
 * `app.1.log`, `app-2026-01-01T10-00-00.000.log`. Empty when the name does not look rotated.
 */
export function namesBeforeRotation(name: string): string[] {
  const names = new Set<string>()
  const plain = name.replace(compressed, '')
  const behind = /^(.+?)[.\-_~](?=[\d~]|old|bak|prev)[\w.\-:~+]*$/s
  // Every place where a suffix may begin: `app.log.2026-01-01.1` comes from `app.log`.
  for (const match of plain.matchAll(/[.\-_~](?=\d|old\b|bak\b|prev\b)/g)) {
    const base = plain.slice(0, match.index)
    if (base !== '' && behind.test(plain)) names.add(base)
    const extension = /\.[A-Za-z]\w*$/.exec(plain)?.[0]
    if (base !== '' && extension !== undefined && match.index < plain.length - extension.length)
      names.add(base + extension)
  }
  if (plain.endsWith('~') && plain.length > 1) names.add(plain.slice(0, -1))
  if (plain !== name && plain !== '') names.add(plain)
  names.delete(name)
  return [...names]
}
