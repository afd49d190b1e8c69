/** Figures as a person reads them. */

const units = ['KiB', 'MiB', 'GiB', 'TiB']

/** `1234567` is `1,234,567`. */
export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** `1 line`, `2 lines`. */
export function amountText(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** Three digits at the most, in powers of two: `0 B`, `1.2 KiB`, `48 MiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  let [value, unit] = [bytes / 1024, 0]
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1024
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${units[unit]}`
}

/** Whole MiB, rounded up: what is in use must not look like less than it is. */
export function wholeMib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
