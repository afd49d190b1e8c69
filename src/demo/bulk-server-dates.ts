/** The two formats that Elasticsearch gives to a date field: its default, and that of a detected `2026/01/31`. */
export type DateFormat = 'strict_date_optional_time||epoch_millis' | 'yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis'

const strictDate = new RegExp(
  '^(?<year>-?[0-9]{4})(?:-(?<month>[0-9]{2})(?:-(?<day>[0-9]{2})' +
    '(?:T(?:(?<hour>[0-9]{2})(?::(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?)?' +
    '(?:Z|UTC|GMT|[+-](?<zoneHour>[0-9]{2})(?::?(?<zoneMinute>[0-9]{2})(?::?(?<zoneSecond>[0-9]{2}))?)?)?)?)?)?)?$',
)
const slashDate =
  /^(?<year>\d{4})\/(?<month>\d{2})\/(?<day>\d{2})(?: (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}))?$/
const epochMillis = /^(?<whole>-?\d{1,19})(?:\.\d{1,6})?$/
const longMax = 2n ** 63n

/**
 * Whether Elasticsearch would take `text` (a string, or a number as it was spelled) for a field of this format. Named
 * zones other than UTC and GMT are refused, though Elasticsearch knows them.
 * Source: Elasticsearch reference, "format" (mapping parameter), and the answers of 9.5 that the tests replay.
 */
export function isDate(text: string, format: DateFormat): boolean {
  return isCalendarDate(text, format) || isEpochMillis(text)
}

/** The format that dynamic mapping finds in a string, or undefined where it leaves the string a text. */
export function detectedDateFormat(text: string): DateFormat | undefined {
  // The shortest date with a separator is `2026-01`, the longest has nanoseconds and an offset with seconds.
  if (text.length < 7 || text.length > 40 || !/[-/:]/.test(text)) return undefined
  const formats = ['strict_date_optional_time||epoch_millis', 'yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis'] as const
  return formats.find((format) => isCalendarDate(text, format))
}

function isEpochMillis(text: string): boolean {
  const whole = epochMillis.exec(text)?.groups?.['whole']
  if (whole === undefined) return false
  const value = BigInt(whole)
  return value >= -longMax && value < longMax
}

function isCalendarDate(text: string, format: DateFormat): boolean {
  const parts = (format.startsWith('strict') ? strictDate : slashDate).exec(text)?.groups
  if (parts === undefined) return false
  const part = (name: string, otherwise: number) => Number(parts[name] ?? otherwise)
  const month = part('month', 1)
  const day = part('day', 1)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(part('year', 0), month)) return false
  if (part('hour', 0) > 23 || part('minute', 0) > 59 || part('second', 0) > 59) return false
  // Java's ZoneOffset ends at 18 hours.
  const zoneMinutes = part('zoneHour', 0) * 60 + part('zoneMinute', 0)
  return part('zoneMinute', 0) <= 59 && part('zoneSecond', 0) <= 59 && zoneMinutes <= 18 * 60
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}
