/**
 * Quantities of bytes as Kubernetes writes them (`64Mi`, `1500k`, `1.5Gi`, `100`, `1e3`), and durations (`250ms`, `1h30m`).
 * Source: Kubernetes API reference, "Quantity", whose suffixes and rounding up to whole bytes are kept; negative
 * amounts and thousandths (`m`) are not, for no number of bytes can be either.
 */
import { assert } from './errors.ts'

/** What a text turned out to be: its value, or what is wrong with it and what to write instead. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly wayOut: string }

export const good = <T>(value: T): Parsed<T> => ({ ok: true, value })

export const bad = (message: string, wayOut: string): Parsed<never> => ({ ok: false, message, wayOut })

/** A text in double quotes, unprintable characters escaped, cut after `charactersMax`: safe in a one-line message. */
export function quoted(text: string, charactersMax = 60): string {
  return JSON.stringify(text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text)
}

const textCharactersMax = 40
const exponentMax = 20

const byteSuffixes: ReadonlyMap<string, bigint> = new Map([
  ['', 1n],
  ['Ki', 2n ** 10n],
  ['Mi', 2n ** 20n],
  ['Gi', 2n ** 30n],
  ['Ti', 2n ** 40n],
  ['Pi', 2n ** 50n],
  ['Ei', 2n ** 60n],
  ['k', 10n ** 3n],
  ['M', 10n ** 6n],
  ['G', 10n ** 9n],
  ['T', 10n ** 12n],
  ['P', 10n ** 15n],
  ['E', 10n ** 18n],
])

const quantityHelp = 'write a quantity as in Kubernetes: 1048576, 1Mi, 1.5Gi or 1500k'

/** @returns whole bytes, 0 to 2^53 - 1; a fraction of a byte is rounded up, as Kubernetes does. */
export function parseBytes(text: string): Parsed<number> {
  const match = /^([+-]?)(\d+\.?\d*|\.\d+)\s*(.*)$/s.exec(text)
  if (match === null || text.length > textCharactersMax) {
    return bad(`${quoted(text)} is not a quantity of bytes`, quantityHelp)
  }
  const [, sign = '', digits = '', suffix = ''] = match
  if (sign === '-') return bad(`${quoted(text)} is negative`, quantityHelp)
  const multiplier = multiplierOf(suffix)
  if (multiplier === undefined || /\s/.test(text)) return misspelt(text, digits, suffix)
  const [numerator, denominator] = decimal(digits)
  const bytes = (numerator * multiplier + denominator - 1n) / denominator
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) return bad(`${quoted(text)} is more than 2^53 bytes`, quantityHelp)
  return good(Number(bytes))
}

/** The shortest exact quantity, powers of two first: 65536 is `64Ki`, 1500000 is `1500k`, 1500 is `1500`. */
export function formatBytes(bytes: number): string {
  assert(Number.isSafeInteger(bytes) && bytes >= 0, `${bytes} is not a number of bytes`)
  if (bytes === 0) return '0'
  for (const suffix of ['Pi', 'Ti', 'Gi', 'Mi', 'Ki', 'P', 'T', 'G', 'M', 'k']) {
    const size = Number(byteSuffixes.get(suffix))
    if (bytes % size === 0) return `${bytes / size}${suffix}`
  }
  return String(bytes)
}

function multiplierOf(suffix: string): bigint | undefined {
  const exponent = /^[eE]\+?(\d{1,2})$/.exec(suffix)?.[1]
  if (exponent === undefined) return byteSuffixes.get(suffix)
  return Number(exponent) <= exponentMax ? 10n ** BigInt(exponent) : undefined
}

/** `64MB`, `64mb`, `64MiB`, `64K`, `64 Mi`, `64m`: name the spellings that may have been meant. */
function misspelt(text: string, digits: string, suffix: string): Parsed<never> {
  const bare = suffix.trim().replace(/^bytes?$/i, 'b')
  const letter = /^([kmgtpe]?)(i?)b?$/i.exec(bare)
  if (letter === null) return bad(`${quoted(text)} is not a quantity of bytes`, quantityHelp)
  const [, unit = '', binary = ''] = letter
  const decimalUnit = unit.toLowerCase() === 'k' ? 'k' : unit.toUpperCase()
  const spellings = unit === '' ? [''] : [`${unit.toUpperCase()}i`]
  if (unit !== '' && binary === '') spellings.unshift(decimalUnit)
  const proposals = spellings.map((spelling) => {
    const parsed = parseBytes(`${digits}${spelling}`)
    return parsed.ok && spelling !== '' ? `${digits}${spelling} (${parsed.value} bytes)` : `${digits}${spelling}`
  })
  const message = suffix === 'm' ? 'means thousandths of a byte in Kubernetes' : 'is not how Kubernetes writes bytes'
  return bad(`${quoted(text)} ${message}`, `write ${proposals.join(' or ')}`)
}

/** A plain decimal number as a fraction of integers, so that no digit is lost to floating point. */
function decimal(digits: string): [numerator: bigint, denominator: bigint] {
  const [whole = '', fraction = ''] = digits.split('.')
  return [BigInt(`0${whole}${fraction}`), 10n ** BigInt(fraction.length)]
}

/** Longest first: an amount is written with descending units, each at most once. */
const durationUnits: ReadonlyMap<string, number> = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
])

const durationHelp = 'write a number with a unit (ms, s, m, h, d), longest first: 250ms, 30s or 1h30m'

/** @returns whole milliseconds, 0 to 2^53 - 1. A number without a unit is refused, even 0: nobody can tell what it meant. */
export function parseDurationMs(text: string): Parsed<number> {
  if (/^[+-]?\d+\.?\d*$/.test(text) && text.length <= textCharactersMax) {
    if (text.startsWith('-')) return bad(`${quoted(text)} is negative`, durationHelp)
    const amount = text.replace('+', '')
    return bad(`${quoted(text)} has no unit`, `write ${amount}ms, ${amount}s or ${amount}m, whichever is meant`)
  }
  const unreadable = bad(`${quoted(text)} is not a duration`, durationHelp)
  if (text.length > textCharactersMax) return unreadable
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[dhms]))+$/.test(text)) {
    if (text.startsWith('-')) return bad(`${quoted(text)} is negative`, durationHelp)
    const near = respelt(text)
    return near === undefined ? unreadable : bad(`${quoted(text)} is not a duration`, `write ${near}`)
  }
  let [total, unitBefore] = [0n, Infinity]
  for (const [, digits = '', name = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/g)) {
    const unitMs = durationUnits.get(name) ?? 0
    if (unitMs >= unitBefore)
      return bad(`${quoted(text)} does not go from the longest unit to the shortest`, durationHelp)
    unitBefore = unitMs
    const [numerator, denominator] = decimal(digits)
    const scaled = numerator * BigInt(unitMs)
    if (scaled % denominator !== 0n) return bad(`${quoted(text)} is not a whole number of milliseconds`, durationHelp)
    total += scaled / denominator
  }
  if (total > BigInt(Number.MAX_SAFE_INTEGER))
    return bad(`${quoted(text)} is more than 2^53 milliseconds`, durationHelp)
  return good(Number(total))
}

/** The canonical spelling that `parseDurationMs` reads back: 90000 is `1m30s`, 0 is `0ms`. */
export function formatDurationMs(durationMs: number): string {
  assert(Number.isSafeInteger(durationMs) && durationMs >= 0, `${durationMs} is not a number of milliseconds`)
  if (durationMs === 0) return '0ms'
  let [text, rest] = ['', durationMs]
  for (const [name, unitMs] of durationUnits) {
    const amount = Math.floor(rest / unitMs)
    rest -= amount * unitMs
    if (amount > 0) text += `${amount}${name}`
  }
  return text
}

/** `30S`, `30 s`, `30sec`, `5min`: the spelling that was surely meant, or undefined. */
function respelt(text: string): string | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]+)$/.exec(text.toLowerCase())
  const [, amount = '', word = ''] = match ?? []
  const unit =
    /^(?:(?<ms>ms|msecs?|millis|milliseconds?)|(?<s>s|secs?|seconds?)|(?<m>m|mins?|minutes?)|(?<h>h|hrs?|hours?)|(?<d>d|days?))$/.exec(
      word,
    )
  const found = Object.entries(unit?.groups ?? {}).find(([, matched]) => matched !== undefined)
  return found === undefined ? undefined : `${amount}${found[0]}`
}
