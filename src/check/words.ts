/** Amounts as a person says them. */

/** `1 file`, `3 files`. */
export function count(amount: number, noun: string, plural = `${noun}s`): string {
  return `${amount} ${amount === 1 ? noun : plural}`
}

/** Rounded, three digits at most: `312 B`, `4.5 KiB`, `120 MiB`. */
export function sizeText(bytes: number): string {
  let [amount, unit] = [bytes, 'B']
  for (const next of ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']) {
    if (amount < 1000) break
    amount /= 1024
    unit = next
  }
  return `${amount < 10 && unit !== 'B' ? amount.toFixed(1) : Math.round(amount)} ${unit}`
}

/** The largest whole unit: `40 seconds`, `3 days`. */
export function ageText(ageMs: number): string {
  const seconds = Math.max(0, Math.round(ageMs / 1000))
  if (seconds < 120) return count(seconds, 'second')
  if (seconds < 7200) return count(Math.round(seconds / 60), 'minute')
  if (seconds < 172_800) return count(Math.round(seconds / 3600), 'hour')
  return count(Math.round(seconds / 86_400), 'day')
}

/** `a, b and 3 more`. */
export function someOf(names: readonly string[], shownMax = 3): string {
  const shown = names.slice(0, shownMax).join(', ')
  return names.length > shownMax ? `${shown} and ${names.length - shownMax} more` : shown
}
